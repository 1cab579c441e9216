/** What rules read and change, against the schemas of the tools that they speak of (policy reference, rule keys). */
import { canonicalJson } from "../value/json.ts";
import { pathsMeet } from "./argument-path.ts";
import { childrenOf, constantPath, type Expr } from "./cel/ast.ts";
import { checkCel } from "./cel/index.ts";
import type { CelIssue } from "./cel/issues.ts";
import type { CelEnv, CelType } from "./cel/types.ts";
import { isGlob } from "./glob.ts";
import { type Issues, quote } from "./issue.ts";
import type { ChangeModel, ConditionModel, RuleModel, SchemaModel } from "./model.ts";
import { celTypeOf, optionalPrefixes, schemaAt } from "./schema/cel-type.ts";
import { toolInScope } from "./scope.ts";
import type { Located } from "./shape.ts";
import type { ToolFacts, ToolTable } from "./tool-table.ts";
import { spanAt } from "./tree.ts";
import { mayBe } from "./value-expression.ts";

/** What is wrong with a condition for one type of arguments. */
interface Findings {
  readonly issues: readonly CelIssue[];
  /** Paths that may be absent, and are read as if they were not. */
  readonly unguarded: readonly string[];
  readonly type: CelType;
}

/** Who reads the arguments: an error denies, where it is not an allow rule. */
type Subject = Pick<RuleModel, "id" | "verdict" | "scope">;

type Readable = Pick<ConditionModel, "expr" | "reads">;

interface Expected {
  readonly kinds: readonly CelType["kind"][];
  /** For messages. */
  readonly what: string;
}

export class ArgumentChecker {
  readonly #tools: ToolTable;
  /** Tools of which something is known, each once. */
  readonly #described: readonly ToolFacts[];
  readonly #env: CelEnv;
  readonly #issues: Issues;
  readonly #known = new Map<Readable, Map<string, Findings>>();
  readonly #keys = new Map<SchemaModel, string>();
  /** By the names that rules say. */
  readonly #facts = new Map<string, ToolFacts>();

  constructor(tools: ToolTable, env: CelEnv, issues: Issues) {
    this.#tools = tools;
    this.#env = env;
    this.#issues = issues;
    const names = new Set([...tools.names()].map((name) => tools.canonical(name)));
    this.#described = [...names].map((name) => tools.facts(name)).filter(isDescribed);
  }

  /** `when`: where the condition stands. */
  check(rule: RuleModel, when: Located | undefined): void {
    const tools = this.#inScope(rule);
    if (tools.length === 0) return;
    const { condition } = rule;
    if (condition !== null && when !== undefined && condition.opaque === undefined) {
      this.#expression(rule, condition, when, tools);
    }
    for (const change of rule.changes) for (const tool of tools) this.#change(rule, change, tool);
    this.#editable(rule, tools);
  }

  /** An expression of something that is no rule. `expected`: what it must give for each tool in scope. */
  checkExpression(subject: Subject, expression: Readable, at: Located, expected?: Expected): void {
    this.#expression(subject, expression, at, this.#inScope(subject), expected);
  }

  #inScope({ scope }: Subject): readonly ToolFacts[] {
    if (scope.tools === null || scope.tools.some(isGlob)) {
      return this.#described.filter((tool) => toolInScope(scope, tool));
    }
    return scope.tools
      .map((name) => this.#factsOf(name))
      .filter((tool) => isDescribed(tool) && toolInScope(scope, tool));
  }

  #factsOf(name: string): ToolFacts {
    const facts = this.#facts.get(name) ?? this.#tools.facts(name);
    this.#facts.set(name, facts);
    return facts;
  }

  #expression(
    rule: Subject,
    expression: Readable,
    when: Located,
    tools: readonly ToolFacts[],
    expected?: Expected,
  ): void {
    const said = new Set<string>();
    for (const tool of tools) {
      if (tool.schema === null) continue;
      const { issues, unguarded, type } = this.#findings(expression, tool.schema);
      if (expected !== undefined && type.kind !== "dyn" && !expected.kinds.includes(type.kind)) {
        const message = `${expected.what} cannot be a ${type.kind}, which ${quote(when.value)} is for ${quote(tool.name)}`;
        this.#issues.error("wrong-type", when.span, message, { rule: rule.id });
      }
      for (const issue of issues) {
        const key = `${issue.offset}:${issue.message}`;
        if (said.has(key)) continue;
        said.add(key);
        this.#report(rule, when, issue, tool);
      }
      for (const path of unguarded) {
        if (said.has(path)) continue;
        said.add(path);
        const message = `${quote(path)} may be absent in calls of ${quote(tool.name)}; ask \`has(${path})\` first, or read it with \`.?\``;
        if (rule.verdict === "allow") this.#issues.error("optional-arg", when.span, message, { rule: rule.id });
        else this.#issues.warning("optional-arg", when.span, message, { rule: rule.id });
      }
    }
  }

  #report(rule: Subject, when: Located, issue: CelIssue, tool: ToolFacts): void {
    // Everything else was checked before, with open arguments: a field that is unknown now is one of theirs.
    const unknown = issue.code === "unknown-field";
    const text = unknown ? issue.message.replace("unknown field", "unknown argument") : issue.message;
    const message = `${text} (${quote(tool.name)})`;
    const code = unknown ? "unknown-arg" : issue.code;
    const details = { rule: rule.id, suggestion: issue.suggestion };
    const span = spanAt(when.node, issue.offset);
    // A wide deny or pause rule reads what many tools lack: there it matches by error, which is safe, if rarely meant.
    if (rule.verdict === "allow" || namesItsTools(rule)) this.#issues.error(code, span, message, details);
    else this.#issues.warning(code, span, message, details);
  }

  #findings(condition: Readable, model: SchemaModel): Findings {
    const byType = this.#known.get(condition) ?? new Map<string, Findings>();
    this.#known.set(condition, byType);
    const key = this.#keyOf(model);
    const known = byType.get(key);
    if (known !== undefined) return known;
    const { issues, type } = checkCel(condition.expr, withArgs(this.#env, model.args));
    const guards = guardsIn(condition.expr);
    const optional = condition.reads
      .filter(([root]) => root === "args")
      .flatMap((path) => optionalPrefixes(model.schema, path.slice(1)))
      .map((path) => ["args", ...path].join("."));
    const unguarded = [...new Set(optional)].filter((path) => !guards.has(path));
    const found = { issues, unguarded, type };
    byType.set(key, found);
    return found;
  }

  /** A wide rule is checked once for all tools with the same schema. */
  #keyOf(model: SchemaModel): string {
    const known = this.#keys.get(model);
    if (known !== undefined) return known;
    const key = canonicalJson(model.source);
    this.#keys.set(model, key);
    return key;
  }

  #change(rule: RuleModel, change: ChangeModel, tool: ToolFacts): void {
    const path = change.path.join(".");
    const details = { rule: rule.id };
    const bound = tool.binds.find((bind) => pathsMeet(bind.path, change.path));
    if (bound !== undefined) {
      const message = `${quote(path)} is bound for ${quote(tool.name)}: the host decides it, and no rule changes it`;
      this.#issues.error("conflict", change.span, message, details);
    }
    if (tool.schema === null) return;
    const at = schemaAt(tool.schema.schema, change.path);
    if (at === null) {
      const { args } = tool.schema;
      const closed = args.kind === "object" && !args.open && !Object.hasOwn(args.fields, change.path[0] ?? "");
      if (closed)
        this.#issues.error("unknown-arg", change.span, `${quote(tool.name)} has no argument ${quote(path)}`, details);
      return;
    }
    const expected = celTypeOf(at);
    const actual = change.kind === "set" ? change.to.type : change.kind === "clamp" ? NUMBER : null;
    if (actual === null || mayBe(expected, actual) || (change.kind === "clamp" && expected.kind === "int")) return;
    const message = `${quote(path)} of ${quote(tool.name)} is of type ${expected.kind}, which \`${change.kind}\` does not fit`;
    this.#issues.error("wrong-type", change.span, message, details);
  }

  /** What the host decides, an approver does not. Said where the rule names the tool; for wide rules it is left out when asked. */
  #editable(rule: RuleModel, tools: readonly ToolFacts[]): void {
    if (!namesItsTools(rule)) return;
    for (const path of rule.approval?.editable ?? []) {
      const tool = tools.find(({ binds }) => binds.some((bind) => pathsMeet(bind.path, path.split("."))));
      if (tool === undefined) continue;
      const message = `${quote(path)} is bound for ${quote(tool.name)}, so that nobody may edit it; take it out of \`editable\``;
      this.#issues.error("conflict", rule.span, message, { rule: rule.id });
    }
  }
}

const NUMBER: CelType = { kind: "double" };

function isDescribed({ schema, binds }: ToolFacts): boolean {
  return schema !== null || binds.length > 0;
}

function namesItsTools({ scope }: Subject): boolean {
  return scope.tools !== null && !scope.tools.some(isGlob);
}

/** The same variables with these arguments. */
export function withArgs(env: CelEnv, args: CelType): CelEnv {
  return { ...env, variables: { ...env.variables, args } };
}

/** Paths that a condition asks for with `has` or `.?` before it reads them, wherever in it that stands. */
function guardsIn(expr: Expr, found: Set<string> = new Set()): ReadonlySet<string> {
  if (expr.kind === "has") {
    const path = constantPath(expr.operand);
    if (path !== null) found.add([...path, expr.field].join("."));
  } else if (isOptional(expr)) {
    const path = constantPath(expr);
    if (path !== null) found.add(path.join("."));
  }
  for (const child of childrenOf(expr)) guardsIn(child, found);
  return found;
}

/** `args.?a`, and `.b` behind it: an absent `a` makes all that follows absent. */
function isOptional(expr: Expr): boolean {
  if (expr.kind !== "select" && expr.kind !== "index") return false;
  return expr.optional || isOptional(expr.operand);
}
