/** Checked limits of a policy set. */
import type { BudgetWindow } from "../../budget.ts";
import type { Span } from "../../decision.ts";
import type { LoopSettings } from "../../detectors.ts";
import type { ToolTraits } from "../../traits.ts";
import type { ConditionModel, ExpressionModel, RuleScope } from "../model.ts";

/** Lists without duplicates, sorted; a key is there only where the entry says it. */
export type DeclaredTraits = Omit<ToolTraits, "kind">;

export interface BudgetModel {
  readonly id: string;
  readonly span: Span;
  readonly scope: RuleScope;
  /** Names and globs of models: then it counts calls of models and none of tools. */
  readonly models: readonly string[] | null;
  /** Null is "always". */
  readonly condition: ConditionModel | null;
  /** What a call adds; null counts 1. By tool where the file says it for each. */
  readonly sum: ExpressionModel | ReadonlyMap<string, ExpressionModel> | null;
  /** A word, or an expression that gives one. */
  readonly unit: string | ExpressionModel;
  readonly key: readonly ExpressionModel[];
  readonly window: BudgetWindow;
  /** Decimal text in the unit. */
  readonly limit: string;
  readonly over: "pause" | "deny";
  /** Members of the result, from outside in. */
  readonly settle: readonly string[] | null;
  readonly unpriced: "deny" | "pause" | "allow";
  readonly reason: string | null;
  readonly fix: string | null;
}

/** One entry of `breakers:`: settings of some detectors, whole ones, for some calls. */
export interface DetectorEntry {
  readonly span: Span;
  readonly scope: DetectorEntryScope;
  readonly settings: Partial<LoopSettings>;
}

/** Null stands for "all". */
export interface DetectorEntryScope {
  readonly tools: readonly string[] | null;
  readonly agents: readonly string[] | null;
  readonly environments: readonly string[] | null;
}
