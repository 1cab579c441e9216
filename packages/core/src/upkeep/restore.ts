/**
 * What must not go on in a log that was restored from a backup: of what came after the copy nothing is known, so that no
 * approval, grant or hold from before counts, and nobody knows what became of what was executing.
 */
import { removal } from "../answer/sticky.ts";
import type { Actor } from "../breaker/person.ts";
import { toHex } from "../call.ts";
import { SafeRunError } from "../errors.ts";
import { part } from "../gate/record.ts";
import type { Clock, Random, RowWrite, StateRow, Store } from "../ports.ts";
import { bookLostModels } from "./lost-models.ts";
import { type Broken, eachCall, expireCall, lose } from "./recover.ts";

export interface EndedByRestore {
  /** Ids of calls that waited for a person, or for the use of an answer. */
  readonly expired: readonly string[];
  /** Ids of calls that were executing when the copy was made: a person has to find out what became of them. */
  readonly unknown: readonly string[];
  /** Ids of calls whose rows cannot be read or changed. */
  readonly broken: readonly Broken[];
}

const PAGE = 500;
const TRIES = 5;
/** Later than every deadline. */
const AFTER_ALL = Number.MAX_SAFE_INTEGER;

/** May be repeated. @throws SafeRunError when the store cannot be asked or cannot record it. */
export async function endAllOpen(ports: {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}): Promise<EndedByRestore> {
  const { store, clock } = ports;
  const unknown = await eachCall(store, ["executing"], (call) => lose(store, clock, call));
  const expired = await eachCall(store, ["pending", "approved"], (call) => expireCall(store, clock, call, AFTER_ALL));
  await bookLostModels({ ...ports, clock: { ...clock, now: () => AFTER_ALL } });
  return { expired: expired.done, unknown: unknown.done, broken: [...unknown.broken, ...expired.broken] };
}

/** The head that nothing leads to any more; its root is null where only its size is known. */
interface LostTree {
  readonly size: number;
  readonly root: Uint8Array | null;
}

/**
 * The entry `log.restored`, and with it no grant from before: who, why, and the head that is lost. How many grants there
 * were.
 * @throws SafeRunError `option.invalid` without a reason, `record.busy`, and when the store cannot record it.
 */
export async function recordRestore(
  { store, random }: { readonly store: Store; readonly random: Random },
  of: { readonly lost: LostTree; readonly reason: string; readonly by: Actor },
): Promise<number> {
  const { lost, reason, by } = of;
  if (reason.trim() === "" || by.kind !== "person" || by.id.trim() === "") {
    throw new SafeRunError("option.invalid", "a restored record goes on only for a person with a name and a reason");
  }
  const act = { by, reason, lost: { size: lost.size, root: lost.root === null ? null : toHex(lost.root) } };
  for (let tries = 0; tries < TRIES; tries++) {
    const rows = await grantsIn(store);
    const entries = [{ type: "log.restored", parts: [part("act", act, random)] }] as const;
    if ((await store.commit({ rows, entries })).ok) return rows.length;
  }
  throw new SafeRunError("record.busy", "the restore could not be recorded", { retryable: true });
}

async function grantsIn(store: Store): Promise<RowWrite<StateRow>[]> {
  const found: RowWrite<StateRow>[] = [];
  for (let after: string | undefined; ; ) {
    const rows = await store.rows({ kind: "grant", limit: PAGE, ...(after === undefined ? {} : { after }) });
    found.push(...rows.map(removal));
    after = rows.at(-1)?.id;
    if (after === undefined) return found;
  }
}
