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
import type { Json, JsonObject } from "../json.ts";
import { LIMITS } from "../limits.ts";
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

/* Every node is [operation, end, path, constant]; `end` is where the next node begins, children lie in between. */
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
const NODE = 4;

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

export class Plan {
  readonly #code: Int32Array;
  readonly #starts: Int32Array;
  readonly #paths: readonly (readonly string[])[];
  readonly #numbers: Float64Array;
  readonly #texts: readonly string[];
  readonly #sets: readonly ReadonlySet<string>[];

  constructor(builder: PlanBuilder) {
    this.#code = Int32Array.from(builder.code);
    this.#starts = Int32Array.from(builder.starts);
    this.#paths = builder.paths.values;
    this.#numbers = Float64Array.from(builder.numbers);
    this.#texts = builder.texts;
    this.#sets = builder.sets;
  }

  /** Every argument that some rule compares, read once. `args` is what `normalize` made: closed, plain, frozen. */
  read(args: JsonObject): Reading[] {
    const readings: Reading[] = [];
    for (const path of this.#paths) readings.push(readPath(args, path));
    return readings;
  }

  /** What the condition of the rule at this position says of these readings. */
  answer(rule: number, readings: readonly Reading[]): PlanAnswer {
    return this.#node(this.#starts[rule] ?? 0, readings);
  }

  #node(at: number, readings: readonly Reading[]): PlanAnswer {
    const code = this.#code;
    const operation = code[at];
    switch (operation) {
      case AND:
      case OR:
        return this.#joined(at, operation === OR ? TRUE : FALSE, readings);
      case NOT: {
        const answer = this.#node(at + NODE, readings);
        return answer === ASK ? ASK : answer === TRUE ? FALSE : TRUE;
      }
      case ALWAYS:
        return code[at + 3] === 1 ? TRUE : FALSE;
      case UNSURE:
        return ASK;
      default:
        return this.#compared(at, readings[code[at + 2] ?? -1]);
    }
  }

  /** `decides` is the value of one side that makes the others irrelevant. */
  #joined(at: number, decides: PlanAnswer, readings: readonly Reading[]): PlanAnswer {
    const code = this.#code;
    const end = code[at + 1] ?? 0;
    let answer: PlanAnswer = decides === TRUE ? FALSE : TRUE;
    for (let child = at + NODE; child < end; child = code[child + 1] ?? end) {
      const said = this.#node(child, readings);
      if (said === decides) return decides;
      if (said === ASK) answer = ASK;
    }
    return answer;
  }

  #compared(at: number, value: Reading): PlanAnswer {
    const constant = this.#code[at + 3] ?? -1;
    if (typeof value === "number") {
      const other = this.#numbers[constant] ?? Number.NaN;
      switch (this.#code[at]) {
        case NUMBER_EQ:
          return value === other ? TRUE : FALSE;
        case NUMBER_NE:
          return value !== other ? TRUE : FALSE;
        case NUMBER_LT:
          return value < other ? TRUE : FALSE;
        case NUMBER_LE:
          return value <= other ? TRUE : FALSE;
        case NUMBER_GT:
          return value > other ? TRUE : FALSE;
        case NUMBER_GE:
          return value >= other ? TRUE : FALSE;
        default:
          return ASK;
      }
    }
    if (typeof value === "string" && value.length <= SURELY_FITS) {
      switch (this.#code[at]) {
        case TEXT_EQ:
          return value === this.#texts[constant] ? TRUE : FALSE;
        case TEXT_NE:
          return value !== this.#texts[constant] ? TRUE : FALSE;
        case TEXT_IN:
          return this.#sets[constant]?.has(value) === true ? TRUE : FALSE;
        default:
          return ASK;
      }
    }
    if (typeof value === "boolean" && this.#code[at] === HOLDS) return value ? TRUE : FALSE;
    return ASK;
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

/** Conditions in, in the order of the rules; null is a rule without one. */
export function planOf(conditions: readonly (Expr | null)[], constants: ReadonlyMap<string, Json>): Plan {
  const builder = new PlanBuilder(constants);
  for (const condition of conditions) builder.rule(condition);
  return new Plan(builder);
}

class PlanBuilder {
  readonly code: number[] = [];
  readonly starts: number[] = [];
  readonly paths = new Numbered();
  readonly numbers: number[] = [];
  readonly texts: string[] = [];
  readonly sets: ReadonlySet<string>[] = [];
  readonly #constants: ReadonlyMap<string, Json>;

  constructor(constants: ReadonlyMap<string, Json>) {
    this.#constants = constants;
  }

  rule(condition: Expr | null): void {
    this.starts.push(this.code.length);
    if (condition === null) this.#leaf(ALWAYS, 0, 1);
    else this.#expression(condition);
  }

  #expression(expr: Expr): void {
    const path = argsPath(expr);
    if (expr.kind === "and") this.#branch(AND, expr.operands);
    else if (expr.kind === "or") this.#branch(OR, expr.operands);
    else if (expr.kind === "not") this.#branch(NOT, [expr.operand]);
    else if (expr.kind === "binary") this.#comparison(expr);
    else if (path !== null) this.#leaf(HOLDS, this.paths.of(path), 0);
    else if (expr.kind === "literal" && typeof expr.value === "boolean") this.#leaf(ALWAYS, 0, expr.value ? 1 : 0);
    else this.#unsure();
  }

  #branch(operation: number, children: readonly Expr[]): void {
    const at = this.code.push(operation, 0, 0, 0) - NODE;
    for (const child of children) this.#expression(child);
    this.code[at + 1] = this.code.length;
  }

  #leaf(operation: number, path: number, constant: number): void {
    this.code.push(operation, this.code.length + NODE, path, constant);
  }

  #unsure(): void {
    this.#leaf(UNSURE, 0, 0);
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
    const slot = this.paths.of(path);
    const forNumbers = NUMBER_OPERATIONS[operator];
    const forTexts = TEXT_OPERATIONS[operator];
    if (typeof constant === "number" && forNumbers !== undefined) {
      this.#leaf(forNumbers, slot, this.numbers.push(constant) - 1);
    } else if (typeof constant === "string" && forTexts !== undefined) {
      this.#leaf(forTexts, slot, this.texts.push(constant) - 1);
    } else if (operator === "in" && Array.isArray(constant) && constant.every((item) => typeof item === "string")) {
      this.#leaf(TEXT_IN, slot, this.sets.push(new Set<string>(constant)) - 1);
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

/** Paths with a number each, the same one for the same path. */
class Numbered {
  readonly values: (readonly string[])[] = [];
  readonly #numbers = new Map<string, number>();

  of(path: readonly string[]): number {
    const key = JSON.stringify(path);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.values.push(path) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}
