/** The compiled policies of one revision: what the gate asks. Made by `compilePolicies`, immutable. */
import type { ToolCall } from "../call.ts";
import type { Decision, EvaluationContext, Span, Verdict } from "../decision.ts";

export type ToolKind = "read" | "write" | "destructive" | "none";

export interface PolicySet {
  /** Digest of everything that decides, hex. */
  readonly revision: string;
  /** Pure, synchronous, total: never throws, and whatever goes wrong inside is a denial. */
  evaluate(call: ToolCall, context: EvaluationContext): Decision;
  /** The same decision with the values that made it and the nearest misses; slower, for people. */
  explain(call: ToolCall, context: EvaluationContext): Decision;
  /** The tool's declared kind; destructive when nothing is declared. */
  kind(tool: string): ToolKind;
  /** True where a rule or a `tools:` entry names the tool without a glob. */
  declares(tool: string): boolean;
  /** Argument paths that the host decides (`customer.id`): what a model writes there is replaced, so it need not see them. */
  boundPaths(tool: string): readonly string[];
}

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
