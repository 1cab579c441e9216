/**
 * A light static check: names, fields, functions, and kinds where both sides are known. It never guesses; what it does not
 * know is `dyn` and is judged at run time.
 */

import { nearest } from "../nearest.ts";
import { constantPath, type Expr } from "./ast.ts";
import { checkBinary } from "./check-binary.ts";
import { checkCall } from "./check-call.ts";
import type { CelIssue, CelIssueCode } from "./issues.ts";
import {
  BOOL,
  type CelEnv,
  type CelType,
  DYN,
  itemType,
  join,
  kindOfType,
  memberType,
  TYPE,
  TYPE_NAMES,
  withArticle,
  type Zones,
} from "./types.ts";
import { typeOfValue } from "./value-types.ts";

export interface CheckedCel {
  readonly type: CelType;
  readonly issues: CelIssue[];
  /** Constant member paths that are read, such as `["args", "amount"]`, each once, in source order. */
  readonly reads: string[][];
  /** Those of them that are only asked for with `has` or `.?`, which an absent field does not turn into an error. */
  readonly tests: string[][];
}

/** Names of features to come. */
const RESERVED_VARIABLES: ReadonlySet<string> = new Set(["facts"]);

export function checkCel(expr: Expr, env: CelEnv): CheckedCel {
  const checker = new Checker(env);
  const type = checker.visit(expr);
  const { issues, reads, tests } = checker;
  issues.sort((a, b) => a.offset - b.offset);
  if (tests.size === 0) return { type, issues, reads: [...reads.values()], tests: [] };
  const guarded = [...tests.keys()].filter((path) => !reads.has(path)).map((path) => tests.get(path) ?? []);
  return { type, issues, reads: [...new Map([...reads, ...tests]).values()], tests: guarded };
}

/** The static type of every sub-expression, for the compiler. */
export function inferTypes(expr: Expr, env: CelEnv): ReadonlyMap<Expr, CelType> {
  const types = new Map<Expr, CelType>();
  new Checker(env, types).visit(expr);
  return types;
}

export class Checker {
  readonly issues: CelIssue[] = [];
  readonly reads = new Map<string, string[]>();
  readonly tests = new Map<string, string[]>();
  private readonly types: Map<Expr, CelType> | undefined;
  private readonly env: CelEnv;
  /** Macro variables in force, innermost last. */
  private readonly locals: { readonly name: string; readonly type: CelType }[] = [];

  /** `types`: where the type of every sub-expression is written down, if anybody asks. */
  constructor(env: CelEnv, types?: Map<Expr, CelType>) {
    this.env = env;
    this.types = types;
  }

  visit(expr: Expr, insidePath = false): CelType {
    if (!insidePath) this.noteRead(expr);
    const type = this.typeOf(expr);
    this.types?.set(expr, type);
    return type;
  }

  report(at: { start: number; end: number }, code: CelIssueCode, message: string, suggestion?: string): void {
    const issue = { offset: at.start, length: at.end - at.start, code, message };
    this.issues.push(suggestion === undefined ? issue : { ...issue, suggestion });
  }

  get zones(): Zones | undefined {
    return this.env.zones;
  }

  isVariable(name: string): boolean {
    return this.localOf(name) !== undefined || Object.hasOwn(this.env.variables, name);
  }

  private localOf(name: string): { readonly type: CelType } | undefined {
    return this.locals.findLast((local) => local.name === name);
  }

  private typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case "literal":
        return typeOfValue(expr.value);
      case "identifier":
        return this.identifier(expr);
      case "select":
        return this.select(expr);
      case "has":
        return this.has(expr);
      case "index":
        return this.index(expr);
      case "call":
        return checkCall(expr, this);
      case "not":
        this.expectBool(expr.operand, "!");
        return BOOL;
      case "negate":
        return this.negate(expr.operand);
      case "and":
      case "or":
        for (const operand of expr.operands) this.expectBool(operand, expr.kind === "and" ? "&&" : "||");
        return BOOL;
      case "binary":
        return checkBinary(expr, this);
      case "conditional":
        this.expectBool(expr.condition, "? :");
        return join(this.visit(expr.then), this.visit(expr.else));
      case "list": {
        const items = expr.items.map((item) =>
          item.optional ? this.optionalItem(item.value) : this.visit(item.value),
        );
        return { kind: "list", item: items.length === 0 ? DYN : items.reduce(join) };
      }
      case "map":
        return this.map(expr);
      case "macro":
        return this.macro(expr);
    }
  }

  /** A map whose keys are not all texts has no type here: the types of variables come from JSON. */
  private map(expr: Extract<Expr, { kind: "map" }>): CelType {
    const keys = expr.entries.map((entry) => this.visit(entry.key));
    const values = expr.entries.map((entry) =>
      entry.optional ? this.optionalItem(entry.value) : this.visit(entry.value),
    );
    if (keys.some((key) => key.kind !== "string")) return DYN;
    return { kind: "map", value: values.length === 0 ? DYN : values.reduce(join) };
  }

  private optionalItem(expr: Expr): CelType {
    this.visit(expr);
    return DYN;
  }

  /** Only the longest path is a read: `args.a.b` reads neither `args` nor `args.a`. */
  private noteRead(expr: Expr): void {
    const inner = expr.kind === "has" ? constantPath(expr.operand) : constantPath(expr);
    const [root] = inner ?? [];
    if (inner === null || root === undefined || (this.localOf(root) !== undefined && !isAbsolute(expr))) return;
    if (!Object.hasOwn(this.env.variables, root)) return;
    const path = expr.kind === "has" ? [...inner, expr.field] : [...inner];
    const asked = expr.kind === "has" || ((expr.kind === "select" || expr.kind === "index") && expr.optional);
    (asked ? this.tests : this.reads).set(JSON.stringify(path), path);
  }

  private identifier(expr: Extract<Expr, { kind: "identifier" }>): CelType {
    const local = expr.absolute ? undefined : this.localOf(expr.name);
    if (local !== undefined) return local.type;
    const { variables } = this.env;
    const type = Object.hasOwn(variables, expr.name) ? variables[expr.name] : undefined;
    if (type !== undefined) return type;
    if (TYPE_NAMES.has(expr.name)) return TYPE;
    if (RESERVED_VARIABLES.has(expr.name)) {
      this.report(expr, "not-available", `\`${expr.name}\` is not available in this version`);
      return DYN;
    }
    const suggestion = this.variableFor(expr.name);
    const hint = suggestion === undefined ? "" : `: did you mean \`${suggestion}\`?`;
    this.report(expr, "unknown-variable", `unknown variable \`${expr.name}\`${hint}`, suggestion);
    return DYN;
  }

  /** A field of `args` written without `args.` is the likelier mistake than a misspelt variable. */
  private variableFor(name: string): string | undefined {
    const { variables } = this.env;
    const args = Object.hasOwn(variables, "args") ? variables.args : undefined;
    if (args?.kind === "object" && Object.hasOwn(args.fields, name)) return `args.${name}`;
    return nearest(name, [...this.locals.map((local) => local.name), ...Object.keys(variables)]);
  }

  private select(expr: Extract<Expr, { kind: "select" }>): CelType {
    const path = constantPath(expr);
    const [root] = path ?? [];
    if (path !== null && root !== undefined && !this.isVariable(root) && TYPE_NAMES.has(path.join("."))) return TYPE;
    const operand = this.visit(expr.operand, path !== null);
    const type = this.member(expr, operand, expr.field, expr.optional);
    return expr.optional ? DYN : type;
  }

  private has(expr: Extract<Expr, { kind: "has" }>): CelType {
    const path = constantPath(expr.operand);
    this.member(expr, this.visit(expr.operand, path !== null), expr.field, false);
    return BOOL;
  }

  private member(expr: Expr & { operand: Expr }, operand: CelType, field: string, optional: boolean): CelType {
    const type = memberType(operand, field);
    const at = {
      start: Math.max(expr.operand.end, expr.end - field.length - (expr.kind === "has" ? 1 : 0)),
      end: expr.end,
    };
    if (type === null) {
      if (!optional) this.report(at, "wrong-type", `${withArticle(operand.kind)} has no field \`${field}\``);
      return DYN;
    }
    if (type === undefined) {
      const fields = operand.kind === "object" ? Object.keys(operand.fields) : [];
      const suggestion = nearest(field, fields);
      const shown = (constantPath(expr.operand) ?? []).join(".");
      const name = shown === "" ? field : `${shown}.${field}`;
      const hint = suggestion === undefined ? "" : `: did you mean \`${suggestion}\`?`;
      this.report(at, "unknown-field", `unknown field \`${name}\`${hint}`, suggestion);
      return DYN;
    }
    return type;
  }

  private index(expr: Extract<Expr, { kind: "index" }>): CelType {
    const path = constantPath(expr);
    const operand = this.visit(expr.operand, path !== null);
    const index = kindOfType(this.visit(expr.index));
    if (operand.kind === "object" && expr.index.kind === "literal" && typeof expr.index.value === "string") {
      const type = this.member(expr, operand, expr.index.value, expr.optional);
      return expr.optional ? DYN : type;
    }
    if (operand.kind === "list") {
      const numeric = index === null || index === "int" || index === "uint" || index === "double";
      if (!numeric) this.report(expr.index, "wrong-type", `a list is indexed by an int, not ${withArticle(index)}`);
    } else if (kindOfType(operand) !== null && kindOfType(operand) !== "map") {
      this.report(expr, "wrong-type", `${withArticle(operand.kind)} cannot be indexed: only lists and maps can`);
    }
    if (expr.optional) return DYN;
    return operand.kind === "list" ? operand.item : operand.kind === "map" ? operand.value : DYN;
  }

  private negate(operand: Expr): CelType {
    const type = this.visit(operand);
    const kind = kindOfType(type);
    if (kind !== null && kind !== "int" && kind !== "double" && kind !== "duration" && kind !== "decimal") {
      this.report(operand, "wrong-type", `\`-\` needs a number, not ${withArticle(kind)}`);
      return DYN;
    }
    return type;
  }

  private expectBool(expr: Expr, operator: string): void {
    const kind = kindOfType(this.visit(expr));
    if (kind === null || kind === "bool") return;
    this.report(
      expr,
      "wrong-type",
      `\`${operator}\` needs true or false, not ${withArticle(kind)}: compare it, as in \`args.amount > 0\``,
    );
  }

  private macro(expr: Extract<Expr, { kind: "macro" }>): CelType {
    const range = this.visit(expr.range);
    const kind = kindOfType(range);
    const optional = expr.macro === "optMap" || expr.macro === "optFlatMap";
    if (kind !== null && (optional || (kind !== "list" && kind !== "map"))) {
      const wanted = optional ? "an optional, as in `args.?name`" : "a list";
      this.report(expr.range, "wrong-type", `\`${expr.macro}\` needs ${wanted}, not ${withArticle(kind)}`);
    }
    this.locals.push({ name: expr.variable, type: optional ? DYN : itemType(range) });
    if (expr.where !== null) this.expectBool(expr.where, expr.macro);
    const predicate =
      expr.macro === "all" || expr.macro === "exists" || expr.macro === "exists_one" || expr.macro === "filter";
    let body = BOOL;
    if (predicate) this.expectBool(expr.body, expr.macro);
    else body = this.visit(expr.body);
    this.locals.pop();
    if (optional) return DYN;
    if (expr.macro === "map") return { kind: "list", item: body };
    return expr.macro === "filter" ? { kind: "list", item: itemType(range) } : BOOL;
  }
}

/** True where the path begins with a dot, so that no macro variable can stand for its root. */
function isAbsolute(path: Expr): boolean {
  if (path.kind === "identifier") return path.absolute;
  return (path.kind === "select" || path.kind === "has" || path.kind === "index") && isAbsolute(path.operand);
}
