/** Runs for the page: as trees of steps, under other policies, side by side. */
import { alignRuns, type CompiledPolicySet, type Store, toWire } from "@saferun/core";
import { ProblemError, type ReplayDesk } from "@saferun/server";
import { CommandError } from "../../exit.ts";
import { comparisonJson } from "../../replay/comparison.ts";
import { judgeAgain } from "../../replay/judge-again.ts";
import type { FindErasures } from "../../replay/load.ts";
import { testOf } from "../../replay/to-test.ts";
import { loadedRuns } from "./loaded-runs.ts";
import type { DraftedPolicies } from "./policies.ts";

/** `inForce`: the policies of this place. `drafted`: loads texts as policies. @throws ProblemError where they do not load. */
export function replayDesk(
  store: Store,
  drafted: DraftedPolicies,
  inForce: () => Promise<CompiledPolicySet>,
  erasures: FindErasures,
): ReplayDesk {
  const load = loadedRuns(store, erasures);
  return {
    async tree(run) {
      return (await load(run))?.tree;
    },
    async whatIf(run, files) {
      const { policies } = await drafted(files);
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
    async test(run) {
      const loaded = await load(run);
      if (loaded === undefined) throw new Error("the run was there a moment ago");
      try {
        const { text, calls, left } = testOf(loaded, await inForce());
        return { text, calls, left };
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        throw new ProblemError({ status: 422, code: error.code, detail: error.message });
      }
    },
    async compare(left, right) {
      const [one, other] = [await load(left), await load(right)];
      if (one === undefined || other === undefined) throw new Error("the runs were there a moment ago");
      return comparisonJson(one.tree, other.tree, alignRuns(one.tree, other.tree));
    },
  };
}
