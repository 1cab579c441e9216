/** Runs for the page: as trees of steps, under other policies, side by side. */
import { alignRuns, type Store, toWire } from "@saferun/core";
import type { ReplayDesk } from "@saferun/server";
import { comparisonJson } from "../../replay/comparison.ts";
import { judgeAgain } from "../../replay/judge-again.ts";
import { type LoadedRun, loadRun } from "../../replay/load.ts";
import type { DraftedPolicies } from "./policies.ts";

/** `drafted`: loads texts as policies. @throws ProblemError where they do not load. */
export function replayDesk(store: Store, drafted: DraftedPolicies): ReplayDesk {
  async function load(id: string): Promise<LoadedRun | undefined> {
    const summary = await store.run(id);
    return summary && loadRun(store, summary);
  }
  return {
    async tree(run) {
      const loaded = await load(run);
      return loaded && toWire(loaded.tree);
    },
    async whatIf(run, files) {
      const { policies } = drafted(files);
      const loaded = await load(run);
      if (loaded === undefined) return { revision: policies.revision, judged: 0, changes: [], not_reproducible: [] };
      const { revision, judged, changes, notReproducible } = await judgeAgain(loaded, policies, undefined);
      return {
        revision,
        judged,
        changes: changes.map(toWire),
        not_reproducible: notReproducible.map(({ tool, why }) => ({ tool, why })),
      };
    },
    async compare(left, right) {
      const [one, other] = [await load(left), await load(right)];
      if (one === undefined || other === undefined) throw new Error("the runs were there a moment ago");
      return comparisonJson(one.tree, other.tree, alignRuns(one.tree, other.tree));
    },
  };
}
