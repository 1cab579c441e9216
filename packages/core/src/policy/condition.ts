/** Conditions at load: variables, constants, definitions, and every issue of a condition placed in its file. */
import type { Json } from "../value/json.ts";
import { childrenOf, type Expr } from "./cel/ast.ts";
import { checkCel, parseCel } from "./cel/index.ts";
import type { CelIssue } from "./cel/issues.ts";
import type { CelEnv, CelType, Zones } from "./cel/types.ts";
import { inline, TooLarge } from "./define.ts";
import { type IssueDetails, type Issues, quote } from "./issue.ts";
import type { ConditionModel, ContextType } from "./model.ts";
import type { OpaqueTest } from "./opaque.ts";
import type { Entry, Located } from "./shape.ts";
import { spanAt } from "./tree.ts";

const string: CelType = { kind: "string" };
const strings: CelType = { kind: "list", item: string };
const int: CelType = { kind: "int" };
const bool: CelType = { kind: "bool" };

const RUN: Readonly<Record<string, CelType>> = { id: string, prompted: bool, untrusted: bool, turn: int };

/** What is known of every run; the rest of `run` is its history. */
export const RUN_FACTS: ReadonlySet<string> = new Set(Object.keys(RUN));

const PAST: Readonly<Record<string, CelType>> = {
  tool: string,
  kind: string,
  args: { kind: "object", fields: {}, open: true },
  at: { kind: "timestamp" },
  turn: int,
};

const HISTORY: Readonly<Record<string, CelType>> = {
  calls: { kind: "list", item: closed(PAST) },
  attempts: { kind: "list", item: closed({ ...PAST, verdict: string, outcome: string }) },
};

/** Variables that the gate itself sets. `args` is open: without the tool's schema any argument may be there. */
const VARIABLES: Readonly<Record<string, CelType>> = {
  args: { kind: "object", fields: {}, open: true },
  call: closed({ id: string, kind: string, depth: int, attempt: int, labels: strings }),
  tool: string,
  agent: string,
  env: string,
  principal: closed({ id: string, kind: string, roles: strings, labels: { kind: "map", value: string } }),
  run: closed(RUN),
  now: { kind: "timestamp" },
};

/** Names that no `let` or `define` may take, the ones of features to come among them. */
export const RESERVED_NAMES: readonly string[] = [...Object.keys(VARIABLES), "context", "facts", "result", "item"];

const CONTEXT_CEL: Readonly<Record<ContextType, CelType>> = {
  string,
  int,
  double: { kind: "double" },
  bool,
  "list(string)": strings,
  "list(int)": { kind: "list", item: int },
};

function closed(fields: Readonly<Record<string, CelType>>): CelType {
  return { kind: "object", fields, open: false };
}

/** The same where a condition may read what the run has done before: conditions of rules, and nothing else. */
export function withHistory(env: CelEnv): CelEnv {
  return { ...env, variables: { ...env.variables, run: closed({ ...RUN, ...HISTORY }) } };
}

export function celEnv(
  context: ReadonlyMap<string, ContextType>,
  constants: ReadonlyMap<string, Json>,
  zones?: Zones,
): CelEnv {
  const declared = [...context].map(([key, type]) => [key, CONTEXT_CEL[type]] as const);
  const named = [...constants].map(([key, value]) => [key, typeOf(value)] as const);
  const variables = { ...VARIABLES, context: closed(Object.fromEntries(declared)), ...Object.fromEntries(named) };
  return zones === undefined ? { variables } : { variables, zones };
}

function typeOf(value: Json): CelType {
  if (value === null) return { kind: "null" };
  if (typeof value === "string") return string;
  if (typeof value === "boolean") return bool;
  if (typeof value === "number") return Number.isInteger(value) ? int : { kind: "double" };
  if (isList(value)) {
    const [first, ...rest] = value.map(typeOf);
    const same = first !== undefined && rest.every((type) => type.kind === first.kind) && isScalar(first);
    return { kind: "list", item: same ? first : { kind: "dyn" } };
  }
  return closed(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, typeOf(item)])));
}

function isScalar(type: CelType): boolean {
  return type.kind !== "list" && type.kind !== "map" && type.kind !== "object";
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** Parsed, or undefined with the issues said. */
export function parseExpression(source: Located, issues: Issues, details: IssueDetails): Expr | undefined {
  const parsed = parseCel(source.value);
  if (parsed.ok) return parsed.expr;
  for (const issue of parsed.issues) report(source, issue, issues, details);
  if (source.node.comment !== undefined) {
    issues.error(
      "yaml-comment",
      source.span,
      `the condition ends at ${quote(`#${source.node.comment}`)}, because \` #\` begins a comment in YAML; put the condition in quotes`,
      details,
    );
  }
  return undefined;
}

export interface CheckedExpression {
  readonly expr: Expr;
  readonly type: CelType;
  readonly reads: readonly (readonly string[])[];
}

/** Conditions of rules: one text is parsed and checked once, however many rules share it. */
export class Conditions {
  readonly #scope: { readonly env: CelEnv; readonly definitions: ReadonlyMap<string, Expr> };
  readonly #issues: Issues;
  readonly #known = new Map<string, ConditionModel>();

  constructor(env: CelEnv, definitions: ReadonlyMap<string, Expr>, issues: Issues) {
    this.#scope = { env, definitions };
    this.#issues = issues;
  }

  /** Null with the issues said, at every place of a text that has some. */
  check(when: Located, rule: string): ConditionModel | null {
    if (when.node.opaque !== undefined) return this.#opaque(when, when.node.opaque, rule);
    const known = this.#known.get(when.value);
    if (known !== undefined) return known;
    const parsed = parseExpression(when, this.#issues, { rule });
    if (parsed === undefined) return null;
    const checked = checkExpression(when, parsed, this.#scope, this.#issues, { rule });
    if (checked === undefined) return null;
    const { kind } = checked.type;
    if (kind !== "bool" && kind !== "dyn") {
      this.#issues.error("not-bool", when.span, `the condition gives a ${kind}; it must be true or false`, { rule });
      return null;
    }
    const condition = { text: when.value, expr: checked.expr, reads: checked.reads };
    this.#known.set(when.value, condition);
    return condition;
  }

  /** Never shared, even where two have one name, and never looked into. */
  #opaque(when: Located, opaque: OpaqueTest, rule: string): ConditionModel | null {
    const expr = parseExpression(when, this.#issues, { rule });
    if (expr === undefined) return null;
    const message = "the condition is a function: it runs in this process only and cannot be analysed";
    this.#issues.warning("not-analysable", when.span, message, { rule });
    return { text: when.value, expr, reads: [], opaque };
  }
}

/** Definitions replaced and types checked, or undefined with the issues said. */
export function checkExpression(
  source: Located,
  parsed: Expr,
  scope: { readonly env: CelEnv; readonly definitions: ReadonlyMap<string, Expr> },
  issues: Issues,
  details: IssueDetails,
): CheckedExpression | undefined {
  try {
    const expr = inline(parsed, scope.definitions);
    const checked = checkCel(expr, scope.env);
    for (const issue of checked.issues) report(source, issue, issues, details);
    return checked.issues.length > 0 ? undefined : { expr, type: checked.type, reads: checked.reads };
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    issues.error("limit", source.span, `${error.message} once its definitions are replaced; split it`, details);
    return undefined;
  }
}

/**
 * The definitions with the definitions inside them replaced, in an order in which each needs only earlier ones.
 * A definition that needs itself is an error.
 */
export function resolveDefinitions(
  entries: readonly Entry<Located>[],
  env: CelEnv,
  issues: Issues,
): ReadonlyMap<string, Expr> {
  const resolved = new Map<string, Expr>();
  const parsed = new Map<string, { readonly source: Located; readonly expr: Expr }>();
  for (const { key, value } of entries) {
    const expr = parseExpression(value, issues, {});
    if (expr !== undefined) parsed.set(key, { source: value, expr });
  }
  let waiting = new Map(parsed);
  while (waiting.size > 0) {
    const later = new Map<string, { readonly source: Located; readonly expr: Expr }>();
    for (const [key, definition] of waiting) {
      if (needs(definition.expr, waiting)) later.set(key, definition);
    }
    if (later.size === waiting.size) {
      for (const [key, { source }] of later) {
        issues.error("circular", source.span, `the definition of ${quote(key)} needs itself`);
      }
      break;
    }
    const ready = [...waiting].filter(([key]) => !later.has(key));
    for (const [key, { source, expr }] of ready) {
      const checked = checkExpression(source, expr, { env, definitions: resolved }, issues, {});
      if (checked !== undefined) resolved.set(key, checked.expr);
    }
    waiting = later;
  }
  return resolved;
}

/** Coarse where a macro variable has a definition's name: that reads as a need, which at worst is refused. */
function needs(expr: Expr, names: ReadonlyMap<string, unknown>): boolean {
  if (expr.kind === "identifier" && names.has(expr.name)) return true;
  return childrenOf(expr).some((child) => needs(child, names));
}

function report(source: Located, issue: CelIssue, issues: Issues, details: IssueDetails): void {
  issues.error(issue.code, spanAt(source.node, issue.offset), issue.message, {
    ...details,
    suggestion: issue.suggestion,
  });
}
