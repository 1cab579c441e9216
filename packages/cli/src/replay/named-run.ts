/** The run that somebody named on the command line, with what the log knows about content that was erased from it. */
import { SafeRunError, type Store } from "@saferun/core";
import { erasuresOf, lacksContent } from "@saferun/server";
import { openSearch } from "@saferun/store";
import type { Io } from "../io.ts";
import { findRun } from "../runs/find.ts";
import { requireStore } from "../store.ts";
import { type FindErasures, type LoadedRun, loadRun } from "./load.ts";

/** @param directory of the store. @throws CommandError `run.missing`, or usage. */
export async function namedRun(io: Io, store: Store, directory: string, id: string): Promise<LoadedRun> {
  return loadRun(store, await findRun(store, id), erasuresFound(requireStore(io, directory)));
}

/** By the search index; where that cannot be opened or made, nobody is named. */
function erasuresFound(directory: string): FindErasures {
  return async (entries) => {
    if (!entries.some(lacksContent)) return new Map();
    try {
      const search = await openSearch({ directory });
      try {
        return await erasuresOf(async (request) => search.search({ ...request, now: Date.now() }), entries);
      } finally {
        search.close();
      }
    } catch (error) {
      if (error instanceof SafeRunError) return new Map();
      throw error;
    }
  };
}
