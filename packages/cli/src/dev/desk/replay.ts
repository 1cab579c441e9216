/** Runs for the page: as trees of steps, under other policies, side by side. */
import { runTree, type Store, toWire } from "@saferun/core";
import type { ReplayDesk } from "@saferun/server";
import { runEntries } from "../../runs/steps.ts";

export function replayDesk(store: Store): ReplayDesk {
  return {
    async tree(run) {
      return toWire(runTree(run, await runEntries(store, run)));
    },
    whatIf: () => Promise.reject(new Error("not yet")),
    compare: () => Promise.reject(new Error("not yet")),
  };
}
