/** Runs for the page: as trees of steps, under other policies, side by side. */
import { alignRuns, type CompiledPolicySet, type Store, toWire } from "@saferun/core";
import { ProblemError, type ReplayDesk } from "@saferun/server";
import type { CheckpointedStore } from "@saferun/store";
import { CommandError } from "../../exit.ts";
import { bundleText } from "../../replay/bundle.ts";
import { comparisonJson } from "../../replay/comparison.ts";
import { evidencePage } from "../../replay/evidence-page.ts";
import { judgeAgain } from "../../replay/judge-again.ts";
import { type FindErasures, loadRun } from "../../replay/load.ts";
import { testOf } from "../../replay/to-test.ts";
import { loadedRuns } from "./loaded-runs.ts";
import type { DraftedPolicies } from "./policies.ts";

/**
 * `sealed`: the store with its content as it is stored. `inForce`: the policies of this place. `drafted`: loads texts as
 * policies. @throws ProblemError where they do not load.
 */
export function replayDesk(
  store: Store,
  sealed: CheckpointedStore,
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
        not_reproducible: notReproducible.map(({ step, tool, why }) => ({ step, tool, why })),
      };
    },
    async test(run) {
      const loaded = await load(run);
      if (loaded === undefined) throw new Error("the run was there a moment ago");
      const { text, calls, left } = await told(async () => testOf(loaded, await inForce()));
      return { text, calls, left };
    },
    async bundle(run, as) {
      const summary = await sealed.run(run);
      if (summary === undefined) throw new Error("the run was there a moment ago");
      // What was just written is signed first: a bundle proves each of its entries.
      await sealed.checkpoint();
      const loaded = await loadRun(sealed, summary);
      return told(async () => {
        const text = await bundleText(sealed, loaded);
        return as === "page" ? evidencePage(text) : text;
      });
    },
    async compare(left, right) {
      const [one, other] = [await load(left), await load(right)];
      if (one === undefined || other === undefined) throw new Error("the runs were there a moment ago");
      return comparisonJson(one.tree, other.tree, alignRuns(one.tree, other.tree));
    },
  };
}

/** What the command would say, the page says. */
async function told<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new ProblemError({ status: 422, code: error.code, detail: error.message });
  }
}
