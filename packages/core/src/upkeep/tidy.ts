/** State that counts for nothing any more goes: rows are kept for as long as they can still decide something. */
import { decodeHold } from "../breaker/protect/rows.ts";
import type { Clock, StateKind, StateRow, Store } from "../ports.ts";

/** Kinds whose `due` is the time when they are forgotten. A hold that is held is no such row: its call is not over. */
const KINDS: readonly StateKind[] = ["act", "agent", "breaker", "grant", "hold", "pot", "quota", "run", "sticky"];
const PAGE = 500;

/**
 * Removes what is out of date, at most `PAGE` rows of each kind; how many went. Any process may run it, and any number.
 * @throws SafeRunError when the store cannot be asked or cannot record it.
 */
export async function tidyState({ store, clock }: { readonly store: Store; readonly clock: Clock }): Promise<number> {
  let removed = 0;
  for (const kind of KINDS) {
    const due = (await store.dueRows({ kind, by: clock.now(), limit: PAGE })).filter(isOver);
    if (due.length === 0) continue;
    const rows = due.map((row) => ({
      row: { ...row, version: row.version + 1, due: null, value: null },
      expect: row.version,
    }));
    // One that is used meanwhile stays, and the others wait for the next time.
    if ((await store.commit({ rows, entries: [] })).ok) removed += due.length;
  }
  return removed;
}

function isOver({ kind, value }: StateRow): boolean {
  return kind !== "hold" || decodeHold(value).state !== "held";
}
