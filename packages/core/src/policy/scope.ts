/** To whom and what a rule applies, ready to be asked. */
import type { Principal } from "../decision.ts";
import { globMatches, isGlob } from "./glob.ts";
import type { RuleScope } from "./model.ts";
import type { ToolFacts } from "./tool-table.ts";

export type Matcher = (name: string) => boolean;

/** Names and globs; null is "all". */
export function nameMatcher(patterns: readonly string[] | null): Matcher | null {
  if (patterns === null || patterns.includes("*")) return null;
  const exact = new Set(patterns.filter((pattern) => !isGlob(pattern)));
  const globs = patterns.filter(isGlob);
  if (globs.length === 0) return (name) => exact.has(name);
  return (name) => exact.has(name) || globs.some((glob) => globMatches(glob, name));
}

/** Whether the tool itself, whoever calls it, is one the rule speaks of. */
export function toolInScope(scope: RuleScope, tool: ToolFacts): boolean {
  if (scope.tools !== null && !scope.tools.some((pattern) => globMatches(pattern, tool.name))) return false;
  if (scope.kinds !== null && !scope.kinds.includes(tool.kind)) return false;
  return scope.labels === null || scope.labels.some((label) => tool.labels.includes(label));
}

const ROLE = "role:";

/** By id or `role:NAME`; an id that begins with `role:` is never taken for the role, nor found as an id. */
export function principalInScope(patterns: readonly string[], principal: Principal): boolean {
  return patterns.some((pattern) =>
    pattern.startsWith(ROLE) ? principal.roles.includes(pattern.slice(ROLE.length)) : pattern === principal.id,
  );
}
