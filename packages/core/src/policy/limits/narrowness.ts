import { isGlob } from "../glob.ts";
import type { DetectorEntryScope } from "./model.ts";

/**
 * How narrow a scope is, as a number: first by tool, then by agent, then by environment. A name is narrower than a glob, and
 * a glob is narrower than nothing; a list is as wide as the widest in it.
 */
export function narrowness({ tools, agents, environments }: DetectorEntryScope): number {
  return (rank(tools) * 3 + rank(agents)) * 3 + rank(environments);
}

function rank(patterns: readonly string[] | null): number {
  if (patterns === null) return 0;
  return patterns.some(isGlob) ? 1 : 2;
}
