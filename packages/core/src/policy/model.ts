/** Checked policies: every file of a set merged into one, ready to compile. Nothing in here depends on any order of files. */
import type { ApprovalTerms, Span, Verdict } from "../decision.ts";
import type { Json } from "../json.ts";
import type { Expr } from "./cel/ast.ts";
import type { CelEnv } from "./cel/types.ts";
import type { PolicyFile } from "./format.ts";
import type { OpaqueTest } from "./opaque.ts";
import type { ToolKind } from "./policy-set.ts";

/** One file, as typed by the format. */
export interface PolicyDocument {
  readonly file: string;
  readonly source: PolicyFile;
}

export interface PolicyModel {
  readonly documents: readonly PolicyDocument[];
  readonly environments: ReadonlyMap<string, EnvironmentModel>;
  readonly tools: readonly ToolModel[];
  /** Values of `let`, by name. */
  readonly constants: ReadonlyMap<string, Json>;
  /** Texts of `define`, by name. */
  readonly definitions: ReadonlyMap<string, string>;
  /** Declared `context` fields and their types. */
  readonly context: ReadonlyMap<string, ContextType>;
  readonly rules: readonly RuleModel[];
  /** The variables that conditions may read. */
  readonly env: CelEnv;
}

export type ContextType = "string" | "int" | "double" | "bool" | "list(string)" | "list(int)";

export interface EnvironmentModel {
  readonly name: string;
  readonly span: Span;
  /** Kinds of tools that may run without a rule. */
  readonly unmatched: Readonly<Record<ToolKind, "allow" | "deny">>;
  readonly observe: boolean;
}

/** A `tools:` entry, merged over the files; `name` may be a glob. */
export interface ToolModel {
  readonly name: string;
  readonly span: Span;
  readonly kind: ToolKind | null;
  readonly labels: readonly string[];
  readonly aliases: readonly string[];
}

export interface RuleModel {
  readonly id: string;
  readonly span: Span;
  readonly scope: RuleScope;
  /** Null is "always". */
  readonly condition: ConditionModel | null;
  readonly verdict: Verdict;
  readonly otherwise: "pause" | "deny" | null;
  /** Set where the rule can pause. */
  readonly approval: ApprovalTerms | null;
  /** An allow rule whose match asks a person. */
  readonly asks: boolean;
  readonly reason: string | null;
  readonly fix: string | null;
  readonly observe: boolean;
}

/** Rules with the same text share one. */
export interface ConditionModel {
  /** What stands in the file. */
  readonly text: string;
  /** Its tree, definitions replaced by what they stand for. */
  readonly expr: Expr;
  /** Constant member paths that it reads, such as `["args", "amount"]`. */
  readonly reads: readonly (readonly string[])[];
  /** Set where the condition is a function: `expr` then only names it, `reads` is empty, and nothing is known of it. */
  readonly opaque?: OpaqueTest;
}

/** Null stands for "all". Each list means "one of these", all lists together "and". */
export interface RuleScope {
  readonly tools: readonly string[] | null;
  readonly kinds: readonly ToolKind[] | null;
  readonly labels: readonly string[] | null;
  readonly agents: readonly string[] | null;
  readonly environments: readonly string[] | null;
  readonly principals: readonly string[] | null;
}
