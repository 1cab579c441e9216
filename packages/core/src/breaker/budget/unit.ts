/** The one registry of units, and what counts as an amount of one. */
import { MOST, parseDecimal } from "./decimal.ts";

/** Digits after the point of a unit's decimal text. `usd` is what people write, `usd_micros` what is counted. */
const SCALES: ReadonlyMap<string, number> = new Map([
  ["usd_micros", 0],
  ["usd", 6],
  ["emails", 0],
  ["rows", 0],
  ["calls", 0],
  ["tokens", 0],
]);

/** Units that nobody registered are whole things. */
export function scaleOf(unit: string): number {
  return SCALES.get(unit) ?? 0;
}

/**
 * An integer ≥ 0 in the unit's smallest step, from what an expression, a price or the wire gives: an integer is already
 * counted in it, a text is a decimal. Undefined for anything else, a missing value included: it denies, and is never zero.
 */
export function amountOf(value: unknown, unit: string): bigint | undefined {
  switch (typeof value) {
    case "bigint":
      return value >= 0n && value <= MOST ? value : undefined;
    case "number":
      return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;
    case "string":
      return parseDecimal(value, scaleOf(unit));
    default:
      return undefined;
  }
}
