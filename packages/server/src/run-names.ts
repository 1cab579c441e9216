/** Names that stand in the record, for what offers them: filters and completion. */
import type { RunSummary } from "@saferun/core";
import type { Activity } from "./activity.ts";

/** Of each kind: nobody chooses from a longer list. */
const MOST = 300;

/**
 * @param runs The newest first: where there are too many names, those of old runs are left out.
 * @param nameOf An agent's name by its id; the id where it is not known.
 */
export function namesIn(
  runs: readonly RunSummary[],
  activity: Pick<Activity, "run" | "agents" | "rules">,
  nameOf: (id: string) => string,
) {
  const seen = runs.map(({ id }) => activity.run(id));
  return {
    agents: sorted(runs.map(({ agent }) => nameOf(agent))),
    environments: sorted(runs.map(({ environment }) => environment)),
    tools: sorted(activity.agents().flatMap(({ tools }) => [...tools.keys()])),
    principals: sorted(seen.map((one) => one?.principal ?? "")),
    rules: sorted(activity.rules()),
  };
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names.filter((name) => name !== ""))].slice(0, MOST).sort();
}
