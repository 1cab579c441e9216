/**
 * `+ - * / %` and unary minus.
 *
 * Ints are exact within 64 bits and an error beyond; int and double mix (JSON numbers are doubles), which CEL itself does not.
 */

import { LIMITS } from "../../limits.ts";
import { type Activation, costOf, OUT_OF_STEPS } from "./activation.ts";
import { addDecimals, decimalOf, multiplyDecimals, subtractDecimals } from "./decimal.ts";
import { Fault } from "./issues.ts";
import { duration, timestamp } from "./time.ts";
import { withArticle } from "./types.ts";
import {
  type CelValue,
  Decimal,
  Double,
  Duration,
  intOf,
  isList,
  kindOf,
  LIST_TOO_LONG,
  type Outcome,
  TEXT_TOO_LONG,
  Timestamp,
  textFits,
  Uint,
  uintOf,
} from "./values.ts";

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%";
export type Operation = (a: CelValue, b: CelValue, activation: Activation, offset: number) => Outcome;

export const OPERATIONS: Readonly<Record<ArithmeticOperator, Operation>> = {
  "+": (a, b, activation, offset) => {
    if (typeof a === "number" && typeof b === "number") {
      const sum = a + b;
      if (Number.isSafeInteger(sum)) return sum;
    }
    return numeric("+", a, b, offset) ?? addOthers(a, b, activation, offset);
  },
  "-": (a, b, _activation, offset) => {
    if (typeof a === "number" && typeof b === "number") {
      const difference = a - b;
      if (Number.isSafeInteger(difference)) return difference;
    }
    return numeric("-", a, b, offset) ?? subtractOthers(a, b, offset);
  },
  "*": (a, b, _activation, offset) => {
    if (typeof a === "number" && typeof b === "number") {
      const product = a * b;
      // A rounded product is never below 2^53 when the exact one is not. `+ 0` takes the sign off zero.
      if (Number.isSafeInteger(product)) return product + 0;
    }
    return numeric("*", a, b, offset) ?? mismatch("*", a, b, offset);
  },
  "/": (a, b, _activation, offset) => {
    // The remainder is exact, and so is the quotient of what is left.
    if (typeof a === "number" && typeof b === "number" && b !== 0) return (a - (a % b)) / b + 0;
    return numeric("/", a, b, offset) ?? mismatch("/", a, b, offset);
  },
  "%": (a, b, _activation, offset) => {
    if (typeof a === "number" && typeof b === "number" && b !== 0) return (a % b) + 0;
    return numeric("%", a, b, offset) ?? mismatch("%", a, b, offset);
  },
};

export function negate(value: CelValue, offset: number): Outcome {
  if (typeof value === "number") return 0 - value;
  if (typeof value === "bigint") return intOf(-value) ?? overflow("-", offset);
  if (value instanceof Double) return new Double(-value.value);
  if (value instanceof Duration) return new Duration(-value.nanos);
  if (value instanceof Decimal) return new Decimal(-value.unscaled, value.scale);
  return new Fault(`\`-\` needs a number, not ${withArticle(kindOf(value))}`, offset);
}

/** Null when the operands are not numbers that mix. */
function numeric(operator: ArithmeticOperator, a: CelValue, b: CelValue, offset: number): Outcome | null {
  const intA = typeof a === "number" || typeof a === "bigint";
  const intB = typeof b === "number" || typeof b === "bigint";
  if (intA && intB) {
    const result = exact(operator, BigInt(a), BigInt(b), offset);
    return typeof result === "bigint" ? (intOf(result) ?? overflow(operator, offset)) : result;
  }
  if (a instanceof Uint && b instanceof Uint) {
    const result = exact(operator, a.value, b.value, offset);
    return typeof result === "bigint" ? (uintOf(result) ?? overflow(operator, offset)) : result;
  }
  if (a instanceof Double ? intB || b instanceof Double : intA && b instanceof Double) {
    return floating(operator, toDouble(a), toDouble(b), offset);
  }
  return a instanceof Decimal || b instanceof Decimal ? decimal(operator, a, b, offset) : null;
}

/** Beside decimals and integers only: a double has lost what a decimal keeps. */
function decimal(operator: ArithmeticOperator, a: CelValue, b: CelValue, offset: number): Outcome | null {
  const x = decimalOf(a);
  const y = decimalOf(b);
  if (x === undefined || y === undefined) return null;
  switch (operator) {
    case "+":
      return addDecimals(x, y, offset);
    case "-":
      return subtractDecimals(x, y, offset);
    case "*":
      return multiplyDecimals(x, y, offset);
    default:
      return new Fault(
        `\`${operator}\` of decimals is not exact: compare products instead, as in \`a * 3 <= b\``,
        offset,
      );
  }
}

function toDouble(value: CelValue): number {
  return value instanceof Double ? value.value : Number(value);
}

function exact(operator: ArithmeticOperator, a: bigint, b: bigint, offset: number): bigint | Fault {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return b === 0n ? new Fault("division by zero", offset) : a / b;
    case "%":
      return b === 0n ? new Fault("remainder of a division by zero", offset) : a % b;
  }
}

function floating(operator: ArithmeticOperator, a: number, b: number, offset: number): Outcome {
  switch (operator) {
    case "+":
      return new Double(a + b);
    case "-":
      return new Double(a - b);
    case "*":
      return new Double(a * b);
    case "/":
      return new Double(a / b);
    case "%":
      return new Fault("`%` needs whole numbers: convert with `int(…)`", offset);
  }
}

function addOthers(a: CelValue, b: CelValue, activation: Activation, offset: number): Outcome {
  if (!activation.spend(costOf(a) + costOf(b))) return new Fault(OUT_OF_STEPS, offset);
  if (typeof a === "string" && typeof b === "string") {
    const text = a + b;
    return textFits(text) ? text : new Fault(TEXT_TOO_LONG, offset);
  }
  if (isList(a) && isList(b)) {
    return a.length + b.length > LIMITS.celListItems ? new Fault(LIST_TOO_LONG, offset) : [...a, ...b];
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    if (a.length + b.length > LIMITS.celStringBytes) return new Fault(`bytes over ${LIMITS.celStringBytes}`, offset);
    const joined = new Uint8Array(a.length + b.length);
    joined.set(a);
    joined.set(b, a.length);
    return joined;
  }
  if (a instanceof Timestamp && b instanceof Duration) return timestamp(a.nanos + b.nanos, offset);
  if (a instanceof Duration && b instanceof Timestamp) return timestamp(a.nanos + b.nanos, offset);
  if (a instanceof Duration && b instanceof Duration) return duration(a.nanos + b.nanos, offset);
  return mismatch("+", a, b, offset);
}

function subtractOthers(a: CelValue, b: CelValue, offset: number): Outcome {
  if (a instanceof Timestamp && b instanceof Timestamp) return duration(a.nanos - b.nanos, offset);
  if (a instanceof Timestamp && b instanceof Duration) return timestamp(a.nanos - b.nanos, offset);
  if (a instanceof Duration && b instanceof Duration) return duration(a.nanos - b.nanos, offset);
  return mismatch("-", a, b, offset);
}

function overflow(operator: string, offset: number): Fault {
  return new Fault(`\`${operator}\` overflows 64 bits`, offset);
}

function mismatch(operator: string, a: CelValue, b: CelValue, offset: number): Fault {
  const kinds = `${withArticle(kindOf(a))} and ${withArticle(kindOf(b))}`;
  return new Fault(
    `\`${operator}\` has no meaning for ${kinds}: convert one of them, such as \`string(…)\` or \`int(…)\``,
    offset,
  );
}
