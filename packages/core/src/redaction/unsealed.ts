/** The one door through which sealed content is read. Verifying, archiving and erasing take the store itself. */
import type { LogStore, Opener } from "../ports.ts";
import { openedCallEntry, openedEntry } from "./seal.ts";

/**
 * The same store whose entries hold their content in the clear, as far as its keys are at hand. What they prove is gone with
 * it: an opened part does not match its commitment.
 */
export function unsealed<Opened extends LogStore>(store: Opened, opener: Opener): Opened {
  return { ...store, ...unsealedReads(store, opener) };
}

export function unsealedReads(
  store: Pick<LogStore, "entries" | "callEntries">,
  opener: Opener,
): Pick<LogStore, "entries" | "callEntries"> {
  return {
    entries: async (query) => (await store.entries(query)).map((entry) => openedEntry(entry, opener)),
    callEntries: async (query) => (await store.callEntries(query)).map((entry) => openedCallEntry(entry, opener)),
  };
}
