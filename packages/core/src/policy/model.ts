/** Checked policies: every file of a set merged into one, ready to compile. Nothing in here depends on any order of files. */
import type { ApprovalTerms, Span, Verdict } from "../decision.ts";
import type { RecordMode, Seal } from "../keeping.ts";
import type { Json } from "../value/json.ts";
import type { ArgumentPath } from "./argument-path.ts";
import type { Expr } from "./cel/ast.ts";
import type { CelEnv, CelType } from "./cel/types.ts";
import type { PolicyFile } from "./format.ts";
import type { BudgetModel, DeclaredTraits, DetectorEntry } from "./limits/model.ts";
import type { OpaqueTest } from "./opaque.ts";
import type { ToolKind } from "./policy-set.ts";
import type { ArgumentValidator, JsonSchema, Schema, TextPattern } from "./schema/types.ts";
import type { Located } from "./shape.ts";

/** One file, as typed by the format. */
export interface PolicyDocument {
  readonly file: string;
  readonly source: PolicyFile;
}

export interface PolicyModel {
  readonly documents: readonly PolicyDocument[];
  readonly environments: ReadonlyMap<string, EnvironmentModel>;
  readonly tools: readonly ToolModel[];
  /** Schemas and validators of the framework's own tool definitions, by tool; a schema under `tools:` stands over them. */
  readonly framework: ReadonlyMap<string, FrameworkTool>;
  /** Values of `let`, by name. */
  readonly constants: ReadonlyMap<string, Json>;
  /** Texts of `define`, by name. */
  readonly definitions: ReadonlyMap<string, string>;
  /** Declared `context` fields and their types. */
  readonly context: ReadonlyMap<string, ContextType>;
  readonly rules: readonly RuleModel[];
  readonly budgets: readonly BudgetModel[];
  /** `breakers:` of all files; none is the defaults. */
  readonly detectors: readonly DetectorEntry[];
  /** The route `default`. */
  readonly approval: ApprovalTerms;
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
  /** Of calls there, whatever their tool. */
  readonly record: RecordMode;
  readonly seal: Seal | null;
}

/** What a `tools:` entry says of the record. Paths without `args.`; `$` in `unsearched` is all that a call holds. */
export interface DeclaredKeeping {
  readonly record: RecordMode | null;
  readonly unsearched: readonly string[];
  readonly indexed: readonly string[];
  readonly subject: string | null;
  readonly seal: Seal | null;
}

/** A `tools:` entry, merged over the files; `name` may be a glob. */
export interface ToolModel {
  readonly name: string;
  readonly span: Span;
  readonly kind: ToolKind | null;
  readonly labels: readonly string[];
  readonly aliases: readonly string[];
  /** What its arguments must be; null where this entry does not say. */
  readonly schema: SchemaModel | null;
  /** By path. */
  readonly binds: readonly BindModel[];
  /** What the breakers may know of it. */
  readonly traits: DeclaredTraits;
  readonly keeping: DeclaredKeeping;
  /** What its arguments count; by path at most one. */
  readonly units: readonly UnitModel[];
}

/** What an argument counts, for people. */
export interface UnitModel {
  /** `amount`, `lines[].price`. */
  readonly path: string;
  readonly span: Span;
  /** A registered word, or an expression that gives one. */
  readonly unit: string | ExpressionModel;
  readonly source: Located;
}

export interface FrameworkTool {
  readonly schema: SchemaModel | null;
  readonly validator: ArgumentValidator | null;
}

export interface SchemaModel {
  /** As written. */
  readonly source: JsonSchema;
  readonly schema: Schema;
  /** The type of `args` in conditions. */
  readonly args: CelType;
}

/** An argument that the host decides. */
export interface BindModel {
  readonly path: ArgumentPath;
  readonly span: Span;
  readonly value: ExpressionModel;
}

export type RedactedKind = "card" | "iban" | "secret";

/** One change of one argument. */
export type ChangeModel = { readonly path: ArgumentPath; readonly span: Span } & (
  | {
      readonly kind: "clamp";
      readonly min: number | null;
      readonly max: number | null;
      readonly missing: "set" | "error";
    }
  | { readonly kind: "drop" }
  | { readonly kind: "set"; readonly to: ExpressionModel }
  | {
      readonly kind: "redact";
      readonly kinds: readonly RedactedKind[];
      readonly match: TextPattern | null;
      readonly with: string;
    }
);

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
  /** Applied where the rule matched; empty on deny rules. */
  readonly changes: readonly ChangeModel[];
}

/** An expression that gives a value. */
export interface ExpressionModel {
  /** What stands in the file. */
  readonly text: string;
  /** Its tree, definitions replaced by what they stand for. */
  readonly expr: Expr;
  readonly type: CelType;
  /** Constant member paths that it reads, such as `["args", "amount"]`. */
  readonly reads: readonly (readonly string[])[];
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
