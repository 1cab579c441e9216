/**
 * The smallest pieces of a condition: a place that is read, and which of its values make the piece true or false. With all
 * other values it fails. What is no comparison of a place with a constant is a place of its own that holds true, false or
 * an error: two conditions with the same text still agree on it, because the same call gives it the same value.
 */
import type { Json } from "../../value/json.ts";
import { type Binary, constantPath, type Expr, fieldOf } from "../cel/ast.ts";
import { constantOf } from "../cel/compile-literals.ts";
import { printCel } from "../cel/print.ts";
import { type CelValue, Double } from "../cel/values.ts";
import {
  ABSENT,
  ALL_NUMBERS,
  ALL_TEXTS,
  ANYTHING,
  complement,
  FALSE,
  FAULTS,
  intersect,
  interval,
  kinds,
  NO_PARENT,
  NO_TEXTS,
  NOTHING,
  NULL,
  numbers,
  TRUE,
  texts,
  UNREADABLE,
  union,
  type ValueSet,
  wholeNumbers,
} from "./value-set.ts";

/** What a condition reads: a member path, the size of one, or a whole expression that is not looked into. */
export interface Place {
  /** Equal for two places exactly when they surely hold the same value. */
  readonly key: string;
  readonly kind: "path" | "size" | "opaque";
  /** From the variable on: `["args", "amount"]`. Empty for opaque places. */
  readonly path: readonly string[];
  readonly expr: Expr;
  /** What may stand there at all. */
  readonly top: ValueSet;
}

export interface Atom {
  readonly place: Place;
  readonly whenTrue: ValueSet;
  readonly whenFalse: ValueSet;
}

export type Constants = ReadonlyMap<string, Json>;

/** Total: whatever the expression is, something is known of it, at the least that it is true, false or an error. */
export function atomOf(expr: Expr, constants: Constants): Atom {
  return comparison(expr, constants) ?? presence(expr) ?? holds(expr, constants);
}

/** A constant's value, also by the name of a `let` or a path into one; undefined for everything else. */
export function constantValue(expr: Expr, constants: Constants): Json | undefined {
  const path = plainPath(expr);
  const [name, ...fields] = path ?? [];
  if (name !== undefined) return memberOf(constants.get(name), fields);
  return jsonOf(constantOf(expr));
}

/** The member path of a plain read; null where an optional or an index takes part. */
export function plainPath(expr: Expr): readonly string[] | null {
  for (let at = expr; at.kind === "select" || at.kind === "index"; at = at.operand) {
    if (at.optional || fieldOf(at) === null) return null;
  }
  return constantPath(expr);
}

function memberOf(value: Json | undefined, fields: readonly string[]): Json | undefined {
  let at = value;
  for (const field of fields) {
    if (typeof at !== "object" || at === null || Array.isArray(at)) return undefined;
    at = Object.hasOwn(at, field) ? (at as { readonly [key: string]: Json })[field] : undefined;
  }
  return at;
}

function jsonOf(value: CelValue | undefined): Json | undefined {
  if (value instanceof Double) return Number.isFinite(value.value) ? value.value : undefined;
  if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number")
    return value;
  if (!Array.isArray(value)) return undefined;
  const items = value.map((item: CelValue) => jsonOf(item));
  return items.every((item) => item !== undefined) ? items : undefined;
}

const MIRRORED: Readonly<Record<string, string>> = {
  "==": "==",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

function comparison(expr: Expr, constants: Constants): Atom | undefined {
  if (expr.kind !== "binary") return undefined;
  const right = constantValue(expr.right, constants);
  if (right !== undefined) return compare(expr.operator, expr.left, right, constants);
  const left = constantValue(expr.left, constants);
  const mirrored = MIRRORED[expr.operator];
  return left === undefined || mirrored === undefined ? undefined : compare(mirrored, expr.right, left, constants);
}

function compare(
  operator: Binary["operator"] | string,
  read: Expr,
  constant: Json,
  constants: Constants,
): Atom | undefined {
  const place = placeOf(read, constants);
  const equal = place === undefined ? undefined : equalTo(operator, constant);
  if (place === undefined || equal === undefined) return undefined;
  const { whenTrue, whenFalse } = equal;
  return { place, whenTrue: within(place, whenTrue), whenFalse: within(place, whenFalse) };
}

function within(place: Place, set: ValueSet): ValueSet {
  const possible = intersect(place.top, set);
  return place.kind === "size" ? wholeNumbers(possible) : possible;
}

type Truth = Pick<Atom, "whenTrue" | "whenFalse">;
const READABLE = complement(kinds(FAULTS));
const NULLS = kinds(NULL);

/** Which values compare true and false with a constant; all others are an error, kinds that do not mix among them. */
function equalTo(operator: string, constant: Json): Truth | undefined {
  switch (operator) {
    case "==":
      return equality(constant);
    case "!=":
      return negated(equality(constant));
    case "in":
      return Array.isArray(constant) ? membership(constant) : undefined;
    default:
      return typeof constant === "number" ? ordering(operator, constant) : undefined;
  }
}

function negated(truth: Truth | undefined): Truth | undefined {
  return truth === undefined ? undefined : { whenTrue: truth.whenFalse, whenFalse: truth.whenTrue };
}

function equality(constant: Json): Truth | undefined {
  switch (typeof constant) {
    case "number":
    case "string":
      return membership([constant]);
    case "boolean":
      return { whenTrue: kinds(constant ? TRUE : FALSE), whenFalse: kinds((constant ? FALSE : TRUE) | NULL) };
    default:
      return constant === null ? { whenTrue: NULLS, whenFalse: intersect(READABLE, complement(NULLS)) } : undefined;
  }
}

/** `null` is in no such list, and that is no error. */
function membership(list: readonly Json[]): Truth | undefined {
  if (list.length === 0) return { whenTrue: NOTHING, whenFalse: READABLE };
  if (list.every((item) => typeof item === "string")) {
    return { whenTrue: texts(list), whenFalse: union(texts(list, true), NULLS) };
  }
  if (!list.every((item) => typeof item === "number")) return undefined;
  const points = list.reduce<ValueSet>((all, item) => union(all, numbers(interval(item, item))), NOTHING);
  const others = intersect(complement(points), { bits: NULL, numbers: ALL_NUMBERS, texts: NO_TEXTS });
  return { whenTrue: points, whenFalse: others };
}

const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;

function ordering(operator: string, bound: number): Truth | undefined {
  const below = numbers(interval(NEGATIVE_INFINITY, bound, false, true));
  const upTo = numbers(interval(NEGATIVE_INFINITY, bound));
  const above = numbers(interval(bound, POSITIVE_INFINITY, true, false));
  const from = numbers(interval(bound, POSITIVE_INFINITY));
  switch (operator) {
    case "<":
      return { whenTrue: below, whenFalse: from };
    case "<=":
      return { whenTrue: upTo, whenFalse: above };
    case ">":
      return { whenTrue: above, whenFalse: upTo };
    case ">=":
      return { whenTrue: from, whenFalse: below };
    default:
      return undefined;
  }
}

/** `has(a.b)`: an absent field of a map is false, no map at all an error. */
function presence(expr: Expr): Atom | undefined {
  if (expr.kind !== "has") return undefined;
  const parent = plainPath(expr.operand);
  const place = parent === null ? undefined : pathPlace([...parent, expr.field], expr);
  if (place === undefined || place.kind !== "path") return undefined;
  const missing = kinds(ABSENT | NO_PARENT);
  return {
    place,
    whenTrue: intersect(place.top, complement(missing)),
    whenFalse: intersect(place.top, kinds(ABSENT)),
  };
}

/** Anything that stands where true or false must. */
function holds(expr: Expr, constants: Constants): Atom {
  const constant = constantValue(expr, constants);
  if (typeof constant === "boolean") {
    return { place: opaque(expr), whenTrue: constant ? ANYTHING : NOTHING, whenFalse: constant ? NOTHING : ANYTHING };
  }
  const place = placeOf(expr, constants) ?? opaque(expr);
  return { place, whenTrue: intersect(place.top, kinds(TRUE)), whenFalse: intersect(place.top, kinds(FALSE)) };
}

function opaque(expr: Expr): Place {
  return { key: `expression ${printCel(expr)}`, kind: "opaque", path: [], expr, top: kinds(TRUE | FALSE | UNREADABLE) };
}

/** A place that is compared; undefined for what is not understood. */
function placeOf(expr: Expr, constants: Constants): Place | undefined {
  const path = plainPath(expr);
  if (path !== null && !constants.has(path[0] ?? "")) return pathPlace(path, expr);
  const sized = sizeOf(expr);
  if (sized === null) return undefined;
  return {
    key: `size ${sized.join("\u0001")}`,
    kind: "size",
    path: sized,
    expr,
    top: { bits: UNREADABLE, numbers: [interval(0, POSITIVE_INFINITY)], texts: NO_TEXTS },
  };
}

/** `size(args.to)` and `args.to.size()` → the path. */
function sizeOf(expr: Expr): readonly string[] | null {
  if (expr.kind !== "call" || expr.name !== "size") return null;
  const [only, ...more] = expr.target === null ? expr.args : [expr.target, ...expr.args];
  const path = only === undefined || more.length > 0 ? null : plainPath(only);
  return path !== null && path[0] === "args" && path.length > 1 ? path : null;
}

const TEXT: ValueSet = { bits: 0, numbers: [], texts: ALL_TEXTS };
const NUMBER: ValueSet = { bits: 0, numbers: ALL_NUMBERS, texts: NO_TEXTS };
const TRUTH = kinds(TRUE | FALSE);
/** What the gate itself sets: always there, always of this kind. */
const SET_BY_THE_GATE: Readonly<Record<string, ValueSet>> = {
  agent: TEXT,
  env: TEXT,
  tool: TEXT,
  "principal.id": TEXT,
  "principal.kind": TEXT,
  "call.id": TEXT,
  "call.kind": TEXT,
  "call.depth": NUMBER,
  "call.attempt": NUMBER,
  "run.id": TEXT,
  "run.prompted": TRUTH,
  "run.untrusted": TRUTH,
  "run.turn": NUMBER,
};

/** `args` and `context` themselves are always there. */
const IN_A_MAP = complement(kinds(NO_PARENT));

function pathPlace(path: readonly string[], expr: Expr): Place | undefined {
  const [root = ""] = path;
  const name = path.join(".");
  const known = Object.hasOwn(SET_BY_THE_GATE, name) ? SET_BY_THE_GATE[name] : undefined;
  // `context.x` is read and compared as strictly as `args.x`; other variables are not, and are not looked into.
  if (known === undefined && ((root !== "args" && root !== "context") || path.length < 2)) return undefined;
  const top = known ?? (path.length === 2 ? IN_A_MAP : ANYTHING);
  return { key: path.join("\u0001"), kind: "path", path, expr, top };
}
