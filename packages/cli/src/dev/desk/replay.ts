/** Runs for the page: as trees of steps, under other policies, side by side. */
import type { Store } from "@saferun/core";
import type { ReplayDesk } from "@saferun/server";
import { runEntries, runSteps } from "../../runs/steps.ts";
import { stepJson } from "../../wire.ts";

export function replayDesk(store: Store): ReplayDesk {
  return {
    async tree(run) {
      return { steps: runSteps(await runEntries(store, run)).map(stepJson) };
    },
    whatIf: () => Promise.reject(new Error("not yet")),
    compare: () => Promise.reject(new Error("not yet")),
  };
}
