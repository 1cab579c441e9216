/** `budget(…)`: one budget, with its expressions built at once and placed where it was written. */
import type { PolicyIssue, TreeNode } from "@saferun/core";
import { callSite } from "./call-site.ts";
import type { AnyExpr, AnyExpression, Condition, ConditionContext } from "./expressions.ts";
import { nodeOf, Place } from "./to-tree.ts";
import { type ArgsOfScope, type ToolDefinition, type ToolScope, toolsOf } from "./tool.ts";
import type { WrittenBudget } from "./written.ts";

/** CEL as a text, or a callback that builds it. */
type Value<Args> = string | AnyExpr | ((c: ConditionContext<Args>) => AnyExpression);

export type BudgetOptions<Scope> = Omit<WrittenBudget, "tool" | "when" | "sum" | "unit" | "per"> & {
  /** Tools whose calls it counts: names or globs, `*` matches any characters. */
  readonly tool?: Scope;
  /** Which calls it counts. Absent: all. */
  readonly when?: string | AnyExpr | ((c: ConditionContext<ArgsOfScope<Scope>>) => Condition | AnyExpr);
  /** What a call adds: one expression, or one for each tool by its name. Absent: 1. */
  readonly sum?: Value<ArgsOfScope<Scope>> | Readonly<Record<string, Value<unknown>>>;
  /** A word such as `usd_cents`, or an expression that gives one. */
  readonly unit: Value<ArgsOfScope<Scope>>;
  readonly per: {
    /** One pot for each combination of these. Absent: one pot. */
    readonly key?: readonly Value<ArgsOfScope<Scope>>[];
    readonly window: WrittenBudget["per"]["window"];
  };
};

/** A budget that was built; `policy` takes it. */
export class Budget {
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
export function budget<const Scope extends ToolScope = string>(options: BudgetOptions<Scope>): Budget {
  const place = new Place(callSite(budget), typeof options.id === "string" ? `budget:${options.id}` : undefined);
  const node = nodeOf(options, place);
  return new Budget(node, place.issues, toolsOf(options.tool));
}
