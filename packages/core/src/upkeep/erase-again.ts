/**
 * Erasures that a restored copy of the log has never heard of, applied to it. What was erased is known by the commitments of
 * its parts, which say nothing of the content; whose it was, the copy itself still says.
 */
import { SafeRunError } from "../errors.ts";
import type { StoredEntry } from "../log/entry.ts";
import { isErasable } from "../log/erasure.ts";
import { type EntryHeader, parseHeader } from "../log/header.ts";
import type { Store } from "../ports.ts";
import { isConversation, RunRoots } from "./conversations.ts";
import {
  type Erased,
  type ErasePorts,
  type ErasureTarget,
  eraseFound,
  type Found,
  nothingFound,
  principalIn,
  seeKeys,
  subjectIn,
} from "./erase.ts";

/** One erasure as it is remembered outside of the store. */
export interface KeptErasure {
  readonly kind: "subject" | "run" | "call";
  /** Commitments of the erased parts, hex, as the headers of their entries have them. */
  readonly parts: readonly string[];
}

export function erasureKind(target: ErasureTarget): KeptErasure["kind"] {
  return "subject" in target ? "subject" : "run" in target ? "run" : "call";
}

const TRIES = 3;
const PAGE = 500;

/**
 * Durable when it resolves; undefined where the log holds nothing of them. Calls must have ended.
 * @throws SafeRunError as `erase` does.
 */
export async function eraseAgain(
  store: Store,
  erasures: readonly KeptErasure[],
  of: { readonly by: string; readonly reason: string },
  ports: ErasePorts,
): Promise<Erased | undefined> {
  const kinds = new Map(erasures.flatMap(({ kind, parts }) => parts.map((commitment) => [commitment, kind] as const)));
  if (kinds.size === 0) return undefined;
  for (let tries = 0; tries < TRIES; tries++) {
    const found = await collect(store, kinds);
    if (found.parts.length === 0) return undefined;
    const erased = await eraseFound(store, found, of, ports);
    if (erased !== undefined) return erased;
  }
  throw new SafeRunError("record.busy", "the erasure could not be recorded", { retryable: true });
}

async function collect(store: Store, kinds: ReadonlyMap<string, KeptErasure["kind"]>): Promise<Found> {
  const found = nothingFound();
  const roots = new RunRoots();
  for (let from = 0; ; ) {
    const entries = await store.entries({ from, limit: PAGE });
    for (const entry of entries) see(entry, parseHeader(entry.header), kinds, found, roots);
    const last = entries.at(-1);
    if (last === undefined) return found;
    from = last.seq + 1;
  }
}

function see(
  entry: StoredEntry,
  header: EntryHeader,
  kinds: ReadonlyMap<string, KeptErasure["kind"]>,
  found: Found,
  roots: RunRoots,
): void {
  roots.see(entry, header);
  if (!isErasable(header.type)) return;
  const meant = entry.parts.flatMap(({ name, bytes }) => {
    const kind = bytes === null ? undefined : kinds.get(header.parts?.[name] ?? "");
    return kind === undefined ? [] : [{ name, kind }];
  });
  if (meant.length === 0) return;
  found.parts.push({ seq: entry.seq, names: meant.map(({ name }) => name) });
  seeKeys(entry, found);
  if (header.call !== undefined) found.calls.add(header.call);
  if (header.approval !== undefined) found.approvals.add(header.approval);
  const isOfRun = meant.some(({ kind }) => kind !== "call");
  const run = header.run?.id;
  if (isOfRun && run !== undefined && isConversation(header.type)) found.conversations.add(roots.of(run));
  // Of a run that somebody else's call was in, only what the person said is gone.
  const isWhole = header.type === "run.started" && meant.some(({ name }) => name === "context");
  if (isOfRun && isWhole && run !== undefined) found.runs.add(run);
  if (!meant.some(({ kind }) => kind === "subject")) return;
  const subject = isWhole ? principalIn(entry) : ownSubject(entry, header, found);
  if (subject !== undefined && subject !== "") found.subjects.add(subject);
}

/** Within a run that was erased for its principal a call may hold another person's data: who that is, is not known. */
function ownSubject(entry: StoredEntry, { type, run }: EntryHeader, found: Found): string | undefined {
  return type === "call.proposed" && !found.runs.has(run?.id ?? "") ? subjectIn(entry) : undefined;
}
