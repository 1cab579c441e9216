/**
 * The conditions of one tool's rules as one flat program.
 *
 * Most conditions are comparisons of arguments with constants, joined by `&&`, `||` and `!`. Ten thousand of them as trees
 * of closures are spread over megabytes, and a decision then waits for memory. Here the rules of a tool lie side by side
 * in one array, each argument is read once for all of them, and a rule that does not match is never touched.
 *
 * The closures of `cel/` stay the reference. A plan answers only where it is sure; for everything else, errors among it, it
 * says `ASK` and the reference decides. An `ASK` beside a decided side is absorbed just as an error is.
 */

import { LIMITS } from "../limits.ts";
import type { Json, JsonObject } from "../value/json.ts";
import { type Binary, constantPath, type Expr } from "./cel/ast.ts";
import { constantOf } from "./cel/compile-literals.ts";
import { type CelValue, Double } from "./cel/values.ts";

export const FALSE = 0;
export const TRUE = 1;
/** Not known here: ask the reference. */
export const ASK = 2;
export type PlanAnswer = typeof FALSE | typeof TRUE | typeof ASK;

/** What an argument path holds; undefined where there is nothing to read. */
export type Reading = Json | undefined;

/*
 * The code begins with one word for each rule: where its condition begins, times two, plus one where the rule says
 * something although its condition is false. A group is [operation, end, …children]; a leaf is [operation, path, integer,
 * index], where the integer is the constant itself, or the index points at a constant that is no 32-bit integer.
 */
const AND = 0;
const OR = 1;
const NOT = 2;
const UNSURE = 3;
const ALWAYS = 4;
const HOLDS = 5;
const NUMBER_EQ = 6;
const NUMBER_NE = 7;
const NUMBER_LT = 8;
const NUMBER_LE = 9;
const NUMBER_GT = 10;
const NUMBER_GE = 11;
const TEXT_EQ = 12;
const TEXT_NE = 13;
const TEXT_IN = 14;
const GROUP_SIZE = 2;
const LEAF_SIZE = 4;
const INLINE = -1;

const NUMBER_OPERATIONS: Readonly<Record<string, number>> = {
  "==": NUMBER_EQ,
  "!=": NUMBER_NE,
  "<": NUMBER_LT,
  "<=": NUMBER_LE,
  ">": NUMBER_GT,
  ">=": NUMBER_GE,
};
const TEXT_OPERATIONS: Readonly<Record<string, number>> = { "==": TEXT_EQ, "!=": TEXT_NE };
/** `5 < args.x` is `args.x > 5`. */
const MIRRORED: Readonly<Record<string, string>> = {
  "==": "==",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

/** A text of so many code units is surely within `celStringBytes`; of longer ones the reference decides. */
const SURELY_FITS = Math.floor(LIMITS.celStringBytes / 3);

type Constant = number | string | ReadonlySet<string>;

export class Plan {
  readonly #code: Int32Array;
  readonly #paths: readonly (readonly string[])[];
  readonly #constants: readonly Constant[];

  constructor(code: Int32Array, paths: readonly (readonly string[])[], constants: readonly Constant[]) {
    this.#code = code;
    this.#paths = paths;
    this.#constants = constants;
  }

  /** Every argument that some rule compares, read once. `args` is what `normalize` made: closed, plain, frozen. */
  read(args: JsonObject): Reading[] {
    const readings: Reading[] = [];
    for (const path of this.#paths) readings.push(readPath(args, path));
    return readings;
  }

  /** What the condition of the rule at this position says of these readings. */
  answer(rule: number, readings: readonly Reading[]): PlanAnswer {
    const word = this.#code[rule];
    return word === undefined ? ASK : this.#node(word >> 1, readings);
  }

  /** Whether the rule at this position says something although its condition is false. */
  speaks(rule: number): boolean {
    return this.#code[rule] !== undefined && ((this.#code[rule] ?? 1) & 1) === 1;
  }

  #node(at: number, readings: readonly Reading[]): PlanAnswer {
    const code = this.#code;
    const operation = code[at] ?? UNSURE;
    if (operation > NOT) return this.#leaf(at, operation, readings);
    if (operation === NOT) {
      const answer = this.#node(at + GROUP_SIZE, readings);
      return answer === ASK ? ASK : answer === TRUE ? FALSE : TRUE;
    }
    // The value of one side that makes the others irrelevant.
    const decides = operation === OR ? TRUE : FALSE;
    const end = code[at + 1] ?? 0;
    let answer: PlanAnswer = decides === TRUE ? FALSE : TRUE;
    for (let child = at + GROUP_SIZE; child < end; ) {
      const inner = code[child] ?? UNSURE;
      const isLeaf = inner > NOT;
      const said = isLeaf ? this.#leaf(child, inner, readings) : this.#node(child, readings);
      if (said === decides) return decides;
      if (said === ASK) answer = ASK;
      child = isLeaf ? child + LEAF_SIZE : (code[child + 1] ?? end);
    }
    return answer;
  }

  #leaf(at: number, operation: number, readings: readonly Reading[]): PlanAnswer {
    const code = this.#code;
    const value = readings[code[at + 1] ?? -1];
    const index = code[at + 3] ?? INLINE;
    if (operation >= TEXT_EQ) {
      if (typeof value !== "string" || value.length > SURELY_FITS) return ASK;
      const constant = this.#constants[index];
      if (operation === TEXT_IN) return (constant as ReadonlySet<string>).has(value) ? TRUE : FALSE;
      return (value === constant) === (operation === TEXT_EQ) ? TRUE : FALSE;
    }
    if (operation >= NUMBER_EQ) {
      if (typeof value !== "number") return ASK;
      const constant = index === INLINE ? (code[at + 2] ?? Number.NaN) : (this.#constants[index] as number);
      return compared(operation, value, constant) ? TRUE : FALSE;
    }
    if (operation === ALWAYS) return code[at + 2] === 1 ? TRUE : FALSE;
    return operation === HOLDS && typeof value === "boolean" ? (value ? TRUE : FALSE) : ASK;
  }
}

function compared(operation: number, value: number, constant: number): boolean {
  switch (operation) {
    case NUMBER_EQ:
      return value === constant;
    case NUMBER_NE:
      return value !== constant;
    case NUMBER_LT:
      return value < constant;
    case NUMBER_LE:
      return value <= constant;
    case NUMBER_GT:
      return value > constant;
    default:
      return value >= constant;
  }
}

function readPath(args: JsonObject, path: readonly string[]): Reading {
  let value: Reading = args;
  for (const field of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, field))
      return undefined;
    value = (value as JsonObject)[field];
  }
  return value;
}

export interface PlannedRule {
  /** Null is "always". */
  readonly condition: Expr | null;
  /** Whether the rule says something although its condition is false. */
  readonly speaks: boolean;
}

/** Makes the plans of one policy set: what their conditions have in common is there once, and stays in the caches. */
export class Planner {
  readonly #constants: ReadonlyMap<string, Json>;
  readonly #shared = new Map<string, unknown>();

  constructor(constants: ReadonlyMap<string, Json>) {
    this.#constants = constants;
  }

  /** The plan of the rules of one tool, in their order. */
  plan(rules: readonly PlannedRule[]): Plan {
    const builder = new PlanBuilder(this.#constants, (key, make) => this.#share(key, make));
    for (const [index, rule] of rules.entries()) builder.rule(index, rule);
    return builder.plan();
  }

  #share<Value>(key: string, make: () => Value): Value {
    const known = this.#shared.get(key) as Value | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#shared.set(key, made);
    return made;
  }
}

type Share = <Value>(key: string, make: () => Value) => Value;

class PlanBuilder {
  readonly #words: number[] = [];
  readonly #code: number[] = [];
  readonly #paths: (readonly string[])[] = [];
  readonly #values: Constant[] = [];
  readonly #constants: ReadonlyMap<string, Json>;
  readonly #share: Share;

  constructor(constants: ReadonlyMap<string, Json>, share: Share) {
    this.#constants = constants;
    this.#share = share;
  }

  rule(index: number, { condition, speaks }: PlannedRule): void {
    this.#words[index] = this.#code.length * 2 + (speaks ? 1 : 0);
    if (condition === null) this.#leaf(ALWAYS, 0, 1);
    else this.#expression(condition);
  }

  /** Positions were counted without the words in front. */
  plan(): Plan {
    const ahead = this.#words.length;
    for (const at of this.#groups) this.#code[at + 1] = (this.#code[at + 1] ?? 0) + ahead;
    const words = this.#words.map((word) => word + ahead * 2);
    const key = JSON.stringify(this.#paths);
    const paths = this.#share(`paths ${key}`, () => this.#paths);
    return new Plan(Int32Array.from([...words, ...this.#code]), paths, this.#values);
  }

  readonly #groups: number[] = [];

  #expression(expr: Expr): void {
    const path = argsPath(expr);
    if (expr.kind === "and") this.#branch(AND, expr.operands);
    else if (expr.kind === "or") this.#branch(OR, expr.operands);
    else if (expr.kind === "not") this.#branch(NOT, [expr.operand]);
    else if (expr.kind === "binary") this.#comparison(expr);
    else if (path !== null) this.#leaf(HOLDS, this.#path(path), 0);
    else if (expr.kind === "literal" && typeof expr.value === "boolean") this.#leaf(ALWAYS, 0, expr.value ? 1 : 0);
    else this.#unsure();
  }

  #branch(operation: number, children: readonly Expr[]): void {
    const at = this.#code.push(operation, 0) - GROUP_SIZE;
    for (const child of children) this.#expression(child);
    this.#code[at + 1] = this.#code.length;
    this.#groups.push(at);
  }

  #leaf(operation: number, path: number, integer: number, index: number = INLINE): void {
    this.#code.push(operation, path, integer, index);
  }

  #unsure(): void {
    this.#leaf(UNSURE, 0, 0);
  }

  #path(path: readonly string[]): number {
    const shared = this.#share(`path ${JSON.stringify(path)}`, () => path);
    const known = this.#paths.indexOf(shared);
    return known === -1 ? this.#paths.push(shared) - 1 : known;
  }

  #value(value: Constant): number {
    const known = this.#values.indexOf(value);
    return known === -1 ? this.#values.push(value) - 1 : known;
  }

  #comparison({ operator, left, right }: Binary): void {
    const path = argsPath(left);
    const mirrored = MIRRORED[operator];
    const mirroredPath = argsPath(right);
    if (path !== null) this.#compare(operator, path, this.#constant(right));
    else if (mirrored !== undefined && mirroredPath !== null)
      this.#compare(mirrored, mirroredPath, this.#constant(left));
    else this.#unsure();
  }

  #compare(operator: string, path: readonly string[], constant: CelValue | Json | undefined): void {
    const forNumbers = NUMBER_OPERATIONS[operator];
    const forTexts = TEXT_OPERATIONS[operator];
    if (typeof constant === "number" && forNumbers !== undefined) {
      const isInline = Object.is(constant | 0, constant);
      this.#leaf(forNumbers, this.#path(path), isInline ? constant : 0, isInline ? INLINE : this.#value(constant));
    } else if (typeof constant === "string" && forTexts !== undefined) {
      const text = this.#share(`text ${constant}`, () => constant);
      this.#leaf(forTexts, this.#path(path), 0, this.#value(text));
    } else if (operator === "in" && isTexts(constant)) {
      const texts = this.#share(`set ${JSON.stringify([...constant].sort())}`, () => new Set(constant));
      this.#leaf(TEXT_IN, this.#path(path), 0, this.#value(texts));
    } else {
      this.#unsure();
    }
  }

  /** A literal, a list of literals, or a `let` name. */
  #constant(expr: Expr): CelValue | Json | undefined {
    if (expr.kind === "identifier") return this.#constants.get(expr.name);
    const value = constantOf(expr);
    return value instanceof Double ? value.value : value;
  }
}

/** `args.customer.country` → `["customer", "country"]`; null for everything else, indexes and optionals among it. */
function argsPath(expr: Expr): readonly string[] | null {
  if (hasOptional(expr)) return null;
  const path = constantPath(expr);
  return path !== null && path.length > 1 && path[0] === "args" ? path.slice(1) : null;
}

function hasOptional(expr: Expr): boolean {
  if (expr.kind !== "select" && expr.kind !== "index") return false;
  return expr.optional || hasOptional(expr.operand);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
