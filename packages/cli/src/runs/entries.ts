/** The log entries of a run. */
import type { LogStore, StoredEntry } from "@saferun/core";

const BATCH = 1_000;

/** All of them, oldest first. */
export async function runEntries(store: LogStore, run: string): Promise<StoredEntry[]> {
  const all: StoredEntry[] = [];
  for (let from = 0; ; ) {
    const batch = await store.entries({ from, limit: BATCH, run });
    const last = batch.at(-1);
    // Where entries are large, a page ends before it is full.
    if (last === undefined) return all;
    all.push(...batch);
    from = last.seq + 1;
  }
}
