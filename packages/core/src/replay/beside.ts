/** What was said beside the rules. */
import type { Verdict } from "../decision.ts";

export interface Said {
  readonly verdict: Verdict;
  readonly by: readonly string[];
}

const STRICTNESS = { allow: 0, pause: 1, deny: 2 } as const;

/** Ids of protections that no policy can look at again from a single call. */
export const BESIDE_RULES = /^(breaker|budget|stop)[:.]/;
/** Those of an operator's act, which stands whatever the policies are. */
export const STOPS = /^stop[:.]/;

/** What was `recorded` by ids that match stands beside the decision of any other policies. */
export function standing(decision: Said, recorded: Said | undefined, which: RegExp): Said {
  const beside = recorded?.by.filter((id) => which.test(id)) ?? [];
  if (recorded === undefined || beside.length === 0) return decision;
  const stricter = STRICTNESS[decision.verdict] - STRICTNESS[recorded.verdict];
  if (stricter > 0) return decision;
  return { verdict: recorded.verdict, by: stricter < 0 ? beside : [...decision.by, ...beside].sort() };
}
