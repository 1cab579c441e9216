/** The tree of a condition. Positions are UTF-16 offsets into the source, `end` exclusive. */
import type { CelValue } from "./values.ts";

export interface At {
  readonly start: number;
  readonly end: number;
}

export type BinaryOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "+" | "-" | "*" | "/" | "%";
export type MacroName = "all" | "exists" | "exists_one" | "map" | "filter" | "optMap" | "optFlatMap";

export interface Literal extends At {
  readonly kind: "literal";
  readonly value: CelValue;
}
/** `absolute`: written with a leading dot, so that no macro variable can stand for it. */
export interface Identifier extends At {
  readonly kind: "identifier";
  readonly name: string;
  readonly absolute: boolean;
}
/** `operand.field`; `optional` for `operand.?field`. */
export interface Select extends At {
  readonly kind: "select";
  readonly operand: Expr;
  readonly field: string;
  readonly optional: boolean;
}
/** `has(operand.field)`. */
export interface Has extends At {
  readonly kind: "has";
  readonly operand: Expr;
  readonly field: string;
}
/** `operand[index]`; `optional` for `operand[?index]`. */
export interface Index extends At {
  readonly kind: "index";
  readonly operand: Expr;
  readonly index: Expr;
  readonly optional: boolean;
}
/** `name(args)`, or `target.name(args)`. `nameStart` is where the name stands. */
export interface Call extends At {
  readonly kind: "call";
  readonly target: Expr | null;
  readonly name: string;
  readonly nameStart: number;
  readonly args: readonly Expr[];
}
export interface Unary extends At {
  readonly kind: "not" | "negate";
  readonly operand: Expr;
}
/** A whole chain `a && b && c` is one node, so that a long list of alternatives is not deep. */
export interface Logical extends At {
  readonly kind: "and" | "or";
  readonly operands: readonly Expr[];
}
export interface Binary extends At {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expr;
  readonly right: Expr;
}
export interface Conditional extends At {
  readonly kind: "conditional";
  readonly condition: Expr;
  readonly then: Expr;
  readonly else: Expr;
}
export interface ListExpr extends At {
  readonly kind: "list";
  readonly items: readonly { readonly value: Expr; readonly optional: boolean }[];
}
export interface MapExpr extends At {
  readonly kind: "map";
  readonly entries: readonly { readonly key: Expr; readonly value: Expr; readonly optional: boolean }[];
}
/** `range.macro(variable, body)`; `where` is the filter of the three-argument `map`. */
export interface Macro extends At {
  readonly kind: "macro";
  readonly macro: MacroName;
  readonly range: Expr;
  readonly variable: string;
  readonly where: Expr | null;
  readonly body: Expr;
}

export type Expr =
  | Literal
  | Identifier
  | Select
  | Has
  | Index
  | Call
  | Unary
  | Logical
  | Binary
  | Conditional
  | ListExpr
  | MapExpr
  | Macro;

/** The direct sub-expressions, in source order. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "literal":
    case "identifier":
      return [];
    case "select":
    case "has":
    case "not":
    case "negate":
      return [expr.operand];
    case "index":
      return [expr.operand, expr.index];
    case "call":
      return expr.target === null ? expr.args : [expr.target, ...expr.args];
    case "and":
    case "or":
      return expr.operands;
    case "binary":
      return [expr.left, expr.right];
    case "conditional":
      return [expr.condition, expr.then, expr.else];
    case "list":
      return expr.items.map((item) => item.value);
    case "map":
      return expr.entries.flatMap((entry) => [entry.key, entry.value]);
    case "macro":
      return expr.where === null ? [expr.range, expr.body] : [expr.range, expr.where, expr.body];
  }
}

/**
 * `a.b["c"]` → `["a", "b", "c"]`: the constant member path that an expression reads, or null when it is none.
 * `a[0]` is none: an index into a list is not a name. `a.?b` is the path of what may be absent.
 */
export function constantPath(expr: Expr): readonly string[] | null {
  if (expr.kind !== "identifier" && expr.kind !== "select" && expr.kind !== "index") return null;
  const path: string[] = [];
  let at: Expr = expr;
  for (;;) {
    if (at.kind === "identifier") {
      path.push(at.name);
      return path.reverse();
    }
    const field = fieldOf(at);
    if (field === null || (at.kind !== "select" && at.kind !== "index")) return null;
    path.push(field);
    at = at.operand;
  }
}

/** The field that `x.field` or `x["field"]` names. */
export function fieldOf(expr: Expr): string | null {
  if (expr.kind === "select") return expr.field;
  if (expr.kind !== "index" || expr.index.kind !== "literal") return null;
  return typeof expr.index.value === "string" ? expr.index.value : null;
}
