/** The one registry of units, and what counts as an amount of one. */
import { MOST, parseDecimal } from "./decimal.ts";

/** Currencies whose hundredth is a coin, and ones without such. */
const IN_HUNDREDTHS =
  "aed aud bgn brl cad chf cny cop czk dkk eur gbp hkd huf idr ils inr mxn myr nok nzd pen php pln ron sar sek sgd thb try twd uah usd zar";
const WHOLE = "clp isk jpy krw vnd";

/** Digits after the point of a unit's decimal text: `usd` is what people write, `usd_micros` and `usd_cents` are whole. */
const SCALES: ReadonlyMap<string, number> = new Map([
  ...["calls", "emails", "messages", "rows", "files", "bytes", "seconds", "tokens"].map((unit) => [unit, 0] as const),
  ...`${IN_HUNDREDTHS} ${WHOLE}`.split(" ").flatMap((code) => [[code, 6] as const, [`${code}_micros`, 0] as const]),
  ...IN_HUNDREDTHS.split(" ").map((code) => [`${code}_cents`, 0] as const),
]);

export const KNOWN_UNITS: readonly string[] = [...SCALES.keys()];

/** Units that nobody registered are whole things. */
export function scaleOf(unit: string): number {
  return SCALES.get(unit) ?? 0;
}

export function isKnownUnit(unit: string): boolean {
  return SCALES.has(unit);
}

/** What a unit counts, where that is money. */
export interface Currency {
  /** `USD`. */
  readonly code: string;
  /** Digits of an amount in the unit that stand behind the point of an amount in the currency. */
  readonly shift: number;
  /** Digits behind the point that people write at least. */
  readonly digits: number;
}

/** Undefined for a unit that counts things, and for one that is not registered. */
export function currencyOf(unit: string): Currency | undefined {
  const [, code = "", step = ""] = /^([a-z]{3})(_cents|_micros)?$/.exec(unit) ?? [];
  if (code === "" || !isKnownUnit(unit)) return undefined;
  const shift = step === "_cents" ? 2 : step === "_micros" ? 6 : 0;
  return { code: code.toUpperCase(), shift, digits: isKnownUnit(`${code}_cents`) ? 2 : 0 };
}

/**
 * An integer ≥ 0 in the unit's smallest step, from what an expression, a price or the wire gives: a bigint is already
 * counted in it, a number counts whole units, a text is a decimal. Undefined for anything else, a missing value included:
 * it denies, and is never zero.
 */
export function amountOf(value: unknown, unit: string): bigint | undefined {
  switch (typeof value) {
    case "bigint":
      return inRange(value);
    case "number":
      return Number.isSafeInteger(value) ? inRange(BigInt(value) * 10n ** BigInt(scaleOf(unit))) : undefined;
    case "string":
      return parseDecimal(value, scaleOf(unit));
    default:
      return undefined;
  }
}

function inRange(value: bigint): bigint | undefined {
  return value >= 0n && value <= MOST ? value : undefined;
}
