/** The compiled policies of one revision: what the gate asks. Made by `compilePolicies`, immutable. */

import type { ArgumentUnits } from "../argument-units.ts";
import type { BudgetClaim, ModelBound, ModelBudgetClaim } from "../budget.ts";
import type { ToolCall } from "../call.ts";
import type { ApprovalTerms, Decision, EvaluationContext, Span, Verdict } from "../decision.ts";
import type { LoopSettings } from "../detectors.ts";
import type { EditField } from "../edit-field.ts";
import type { Keeping, Seal } from "../keeping.ts";
import type { PastCalls } from "../past-calls.ts";
import type { CallKind, ToolTraits } from "../traits.ts";
import type { JsonObject } from "../value/json.ts";

export type ToolKind = CallKind;

/** To which settings of the detectors a call belongs. */
export interface DetectorScope {
  readonly agent: string;
  readonly environment: string;
  readonly tool: string;
}

export interface PolicySet {
  /** Digest of everything that decides, hex. */
  readonly revision: string;
  /** The same of what the files say, without the argument schemas of the agent's framework. Absent: no other. */
  readonly written?: string;
  /**
   * Pure, synchronous, total: never throws, and whatever goes wrong inside is a denial. `history` is what `run.calls` and
   * `run.attempts` read; without it reading them is an error of the condition.
   */
  evaluate(call: ToolCall, context: EvaluationContext, history?: PastCalls): Decision;
  /** The same decision with the values that made it and the nearest misses; slower, for people. */
  explain(call: ToolCall, context: EvaluationContext, history?: PastCalls): Decision;
  /** False where no rule for this tool, or none at all, reads what the run has done before: then no history needs to be had. */
  readsHistory(tool?: string): boolean;
  /** The tool's declared kind; destructive when nothing is declared. */
  kind(tool: string): ToolKind;
  /** True where a rule or a `tools:` entry names the tool without a glob. */
  declares(tool: string): boolean;
  /** True where the environment is declared to decide and record only: `mode: observe`. */
  observes(environment: string): boolean;
  /** Argument paths that the host decides (`customer.id`): what a model writes there is replaced, so it need not see them. */
  boundPaths(tool: string): readonly string[];
  /** The arguments with what the host decides written over them; null where it does not say all of it: such a call is denied. */
  bound(tool: string, args: JsonObject, context: EvaluationContext): JsonObject | null;
  /** What the tool's schema says of argument paths (`customer.id`, `lines[].amount`), for a form; only those of which it says something. */
  editFields(tool: string, paths: readonly string[]): readonly EditField[];
  /** What the arguments of the call count, for people: it has no part in any verdict. Pure and total; nothing where it cannot be told. */
  units(call: ToolCall, context: EvaluationContext): ArgumentUnits;
  /** What the tool's owner declared for the breakers; `{ kind: "destructive" }` where nothing is declared. */
  traits(tool: string): ToolTraits;
  /** How the content of the tool's calls is kept there; `KEPT_WHOLE` itself where nothing is declared. */
  keeping(tool: string, environment: string): Keeping;
  /** For whom the keys of a run's prompts and answers are made there; null: they stand in the clear. */
  conversationSeal(environment: string): Seal | null;
  /** Argument paths that search answers from its index, of all tools. Sorted. */
  readonly indexed: readonly string[];
  /** The detectors' settings for such calls; the same object for the same settings. */
  detectors(of: DetectorScope): LoopSettings;
  /** What this call, with its final arguments, wants of every budget that counts it; by budget id. Pure and total. */
  budgets(call: ToolCall, context: EvaluationContext): readonly BudgetClaim[];
  /** The same for a call of a model, named as the framework names it. */
  modelBudgets(model: string, context: ModelContext, bound: ModelBound): readonly ModelBudgetClaim[];
  /** Who is asked where no rule says so, as for breakers: the route `default`. */
  readonly approval: ApprovalTerms;
}

/** A model call is no tool call: it has no arguments that conditions could read. */
export type ModelContext = Omit<EvaluationContext, "call">;

/** A policy set that was compiled from documents, with what people and tools may want to list. */
export interface CompiledPolicySet extends PolicySet {
  /** Declared environments, by name. */
  readonly environments: readonly { readonly name: string; readonly observe: boolean }[];
  /** All rules, by id. */
  readonly rules: readonly RuleInfo[];
}

export interface RuleInfo {
  readonly id: string;
  readonly span: Span;
  readonly verdict: Verdict;
  readonly observe: boolean;
  /** False where its condition is a function of the host. */
  readonly analysable: boolean;
}
