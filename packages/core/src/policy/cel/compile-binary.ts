/** Comparisons, membership, arithmetic. Numbers and texts are compared without a detour. */
import type { Activation } from "./activation.ts";
import { OPERATIONS } from "./arithmetic.ts";
import type { Binary } from "./ast.ts";
import { type Comparison, contains, equal, order } from "./compare.ts";
import type { Compiler, Evaluate } from "./compile.ts";
import { constantOf } from "./compile-literals.ts";
import { Fault } from "./issues.ts";
import { isList, type Outcome } from "./values.ts";

export function compileBinary(expr: Binary, compiler: Compiler): Evaluate {
  const left = compiler.compile(expr.left);
  const right = compiler.compile(expr.right);
  const comparison: Comparison = {
    strict: compiler.isStrict(expr.left) || compiler.isStrict(expr.right),
    offset: expr.start,
    operator: expr.operator,
  };
  switch (expr.operator) {
    case "==":
      return compileEqual(left, right, true, comparison);
    case "!=":
      return compileEqual(left, right, false, comparison);
    case "in":
      return compileIn(expr, left, right, comparison);
    case "<":
      return (activation) => {
        const a = left(activation);
        const b = right(activation);
        if (typeof a === "number" && typeof b === "number") return a < b;
        return ordered(a, b, comparison, activation, (sign) => sign < 0);
      };
    case "<=":
      return (activation) => {
        const a = left(activation);
        const b = right(activation);
        if (typeof a === "number" && typeof b === "number") return a <= b;
        return ordered(a, b, comparison, activation, (sign) => sign <= 0);
      };
    case ">":
      return (activation) => {
        const a = left(activation);
        const b = right(activation);
        if (typeof a === "number" && typeof b === "number") return a > b;
        return ordered(a, b, comparison, activation, (sign) => sign > 0);
      };
    case ">=":
      return (activation) => {
        const a = left(activation);
        const b = right(activation);
        if (typeof a === "number" && typeof b === "number") return a >= b;
        return ordered(a, b, comparison, activation, (sign) => sign >= 0);
      };
    default: {
      const operation = OPERATIONS[expr.operator];
      return (activation) => {
        const a = left(activation);
        if (a instanceof Fault) return a;
        const b = right(activation);
        return b instanceof Fault ? b : operation(a, b, activation, expr.start);
      };
    }
  }
}

function ordered(
  a: Outcome,
  b: Outcome,
  comparison: Comparison,
  activation: Activation,
  test: (sign: number) => boolean,
): Outcome {
  if (a instanceof Fault) return a;
  if (b instanceof Fault) return b;
  const sign = order(a, b, comparison, activation);
  return sign instanceof Fault ? sign : test(sign);
}

/** `wanted` is the answer for two equal values: true for `==`, false for `!=`. */
function compileEqual(left: Evaluate, right: Evaluate, wanted: boolean, comparison: Comparison): Evaluate {
  return (activation) => {
    const a = left(activation);
    const b = right(activation);
    if (typeof a === "string" && typeof b === "string") return (a === b) === wanted;
    if (typeof a === "number" && typeof b === "number") return (a === b) === wanted;
    if (a instanceof Fault) return a;
    if (b instanceof Fault) return b;
    const same = equal(a, b, comparison, activation);
    return same instanceof Fault ? same : same === wanted;
  };
}

function compileIn(expr: Binary, left: Evaluate, right: Evaluate, comparison: Comparison): Evaluate {
  const texts = constantTexts(expr);
  return (activation) => {
    const needle = left(activation);
    if (texts !== null && typeof needle === "string") return texts.has(needle);
    if (needle instanceof Fault) return needle;
    const haystack = right(activation);
    return haystack instanceof Fault ? haystack : contains(haystack, needle, comparison, activation);
  };
}

/** A constant list of texts is a set; null for anything else. */
function constantTexts({ right }: Binary): ReadonlySet<string> | null {
  const list = constantOf(right);
  if (list === undefined || !isList(list)) return null;
  const texts = list.filter((item) => typeof item === "string");
  return texts.length === list.length ? new Set(texts) : null;
}
