/** Values of conditions as amounts of a unit and as keys of a pot. What is none says why, and the call is denied. */
import { MOST } from "../../value/decimal.ts";
import { amountOf, scaleOf } from "../../value/unit.ts";
import { formatDecimal } from "../cel/decimal.ts";
import { type CelValue, Decimal, Double, kindOf, Uint } from "../cel/values.ts";

/** Why there is no amount and no key: never a value of the call. */
export class Faulty {
  readonly fault: string;
  constructor(fault: string) {
    this.fault = fault;
  }
}

/** In the unit's smallest step, at least 0. A whole number counts whole units, a text must be a plain decimal. */
export function amountOfValue(value: CelValue, unit: string): bigint | Faulty {
  if (value instanceof Double && !Number.isInteger(value.value)) {
    return new Faulty("the amount is no whole number; write `dec(…)` for an exact decimal");
  }
  if (value instanceof Decimal) return ofDecimal(value, unit);
  const amount = amountOf(plainNumber(value), unit);
  return amount ?? new Faulty(`the amount is a ${kindOf(value)} that counts no ${unit}`);
}

function plainNumber(value: CelValue): unknown {
  if (value instanceof Double) return value.value;
  const whole = value instanceof Uint ? value.value : value;
  // A bigint counts smallest steps in `amountOf`, and here it is an int like any other.
  return typeof whole === "bigint" ? String(whole) : whole;
}

/** Digits that would be lost are refused, never rounded. */
function ofDecimal({ unscaled, scale }: Decimal, unit: string): bigint | Faulty {
  const digits = scaleOf(unit) - scale;
  const shifted = digits >= 0 ? unscaled * 10n ** BigInt(digits) : unscaled / 10n ** BigInt(-digits);
  const exact = digits >= 0 || shifted * 10n ** BigInt(-digits) === unscaled;
  if (!exact) return new Faulty(`the amount has more digits than ${unit} has`);
  return shifted >= 0n && shifted <= MOST ? shifted : new Faulty(`the amount counts no ${unit}`);
}

/** Longer texts are no keys. */
const MOST_KEY = 1_024;

/** `1` and `"1"` are one key: who can choose the spelling must not get a second pot by it. */
export function keyOfValue(value: CelValue): string | Faulty {
  const text = textOf(value);
  if (text === undefined) return new Faulty(`a key of the budget is a ${kindOf(value)}, which names nothing`);
  if (text === "") return new Faulty("a key of the budget is an empty text");
  return text.length > MOST_KEY ? new Faulty("a key of the budget is too long") : text;
}

function textOf(value: CelValue): string | undefined {
  switch (typeof value) {
    case "string":
      return value.normalize("NFC");
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    default:
      if (value instanceof Double) return Number.isFinite(value.value) ? String(value.value + 0) : undefined;
      if (value instanceof Uint) return String(value.value);
      return value instanceof Decimal ? formatDecimal(value) : undefined;
  }
}

/** What the result says was really used; undefined where it says nothing that counts. Total. */
export function amountIn(result: unknown, path: readonly string[], unit: string): bigint | undefined {
  try {
    let value = typeof result === "string" ? (JSON.parse(result) as unknown) : result;
    for (const step of path) {
      if (typeof value !== "object" || value === null) return undefined;
      value = Object.getOwnPropertyDescriptor(value, step)?.value;
    }
    return amountOf(value, unit);
  } catch {
    // A text that is no JSON, an object that throws when it is read.
    return undefined;
  }
}
