/** `rule(…)`: one rule, with its condition built at once and placed where it was written. */
import type { PolicyIssue, TreeNode } from "@saferun/core";
import { callSite } from "./call-site.ts";
import type { Opaque } from "./condition.ts";
import type { AnyExpr, Condition, ConditionContext } from "./expressions.ts";
import { nodeOf, Place } from "./to-tree.ts";
import { type ArgsOfScope, type ToolDefinition, type ToolScope, toolsOf } from "./tool.ts";
import type { WrittenRule } from "./written.ts";

/** A condition: CEL as a text, a callback that builds it, or a function on plain values in `opaque(…)`. */
export type When<Args> = string | AnyExpr | Opaque | ((c: ConditionContext<Args>) => Condition | AnyExpr);

export type RuleOptions<Scope> = Omit<WrittenRule, "tool" | "when"> & {
  /** Tools it applies to: names or globs, `*` matches any characters. */
  readonly tool?: Scope;
  /** The condition. Absent: always true. */
  readonly when?: When<ArgsOfScope<Scope>>;
};

/** A rule that was built; `policy` takes it. */
export class Rule {
  readonly node: TreeNode;
  readonly issues: readonly PolicyIssue[];
  /** Definitions that it mentions. */
  readonly tools: readonly ToolDefinition[];

  constructor(node: TreeNode, issues: readonly PolicyIssue[], tools: readonly ToolDefinition[]) {
    this.node = node;
    this.issues = issues;
    this.tools = tools;
    Object.freeze(this);
  }
}

/** Never throws for what is wrong in `options`: `loadPolicies` reports it with everything else. */
export function rule<const Scope extends ToolScope = string>(options: RuleOptions<Scope>): Rule {
  const place = new Place(callSite(rule), typeof options.id === "string" ? options.id : undefined);
  const node = nodeOf(options, place);
  return new Rule(node, place.issues, toolsOf(options.tool));
}
