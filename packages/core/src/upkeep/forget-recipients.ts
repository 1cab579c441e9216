/** Takes out of the agents' rows what they know of erased calls: whom those reached, and for whom a stopped run was. */
import { agentRowWithout, type Forgotten, recipientKeys } from "../breaker/protect/forget.ts";
import type { ErasedParts } from "../log/erasure.ts";
import type { Hash, Opener, StateRow, Store } from "../ports.ts";
import { openedEntry } from "../redaction/seal.ts";
import type { Json } from "../value/json.ts";

const decoder = new TextDecoder();
const PAGE = 500;
/** Of one row: an agent that is at work writes its own with every call. */
const TRIES = 20;

interface ReadingPorts {
  readonly hash: Hash;
  /** Of sealed content; what it does not open says nothing of recipients. */
  readonly opener?: Opener;
}

/**
 * Before the content is erased: afterwards nobody can say which digests were of it. Each row is changed by itself.
 * @returns how many were changed, and how many were written by others each time
 */
export async function forgetInAgents(
  store: Store,
  { parts, runs }: { readonly parts: readonly ErasedParts[]; readonly runs: ReadonlySet<string> },
  ports: ReadingPorts,
): Promise<{ readonly changed: number; readonly kept: number }> {
  const of: Forgotten = { runs, recipients: await recipientsOf(store, parts, ports) };
  let [changed, kept] = [0, 0];
  for (let after: string | undefined; ; ) {
    const rows = await store.rows({ kind: "agent", limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const row of rows) {
      const done = await forgetIn(store, row, of);
      if (done === undefined) kept++;
      else if (done) changed++;
    }
    after = rows.at(-1)?.id;
    if (after === undefined) return { changed, kept };
  }
}

async function recipientsOf(
  store: Store,
  parts: readonly ErasedParts[],
  { hash, opener }: ReadingPorts,
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (const { seq, names } of parts) {
    if (!names.includes(ARGUMENTS)) continue;
    const [stored] = await store.entries({ from: seq, limit: 1 });
    const entry = stored === undefined || opener === undefined ? stored : openedEntry(stored, opener);
    const bytes = entry?.parts.find(({ name }) => name === ARGUMENTS)?.bytes ?? null;
    if (bytes === null) continue;
    for (const key of recipientKeys(JSON.parse(decoder.decode(bytes)) as Json, hash)) keys.add(key);
  }
  return keys;
}

const ARGUMENTS = "arguments";

/** False: nothing of it stands there. Undefined: somebody else was first each time. */
async function forgetIn(store: Store, first: StateRow, of: Forgotten): Promise<boolean | undefined> {
  let row: StateRow | undefined = first;
  for (let tries = 0; tries < TRIES && row !== undefined; tries++) {
    const value = agentRowWithout(row, of);
    if (value === undefined) return false;
    const next = { ...row, version: row.version + 1, value };
    if ((await store.commit({ rows: [{ row: next, expect: row.version }], entries: [] })).ok) return true;
    row = await store.row("agent", row.id);
  }
  return row === undefined ? false : undefined;
}
