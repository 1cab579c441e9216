/** Amounts as people read them and write them, exact: every digit is moved as text, and none is ever rounded. */
import type { Json } from "./json.ts";
import { printable } from "./printable.ts";
import { type Currency, currencyOf, isKnownUnit } from "./unit.ts";

/** Longer ones are shown as they are. */
const MOST_DIGITS = 64;
const PLAIN = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?$/;

/**
 * A whole number or plain decimal of the unit: `450000` of `usd_cents` → `$4,500.00`, `"49.90"` of `chf` → `49.90 CHF`,
 * `500` of `emails` → `500 emails`. Undefined for anything else, which is shown as it stands.
 */
export function knownAmount(amount: Json | bigint | undefined, unit: string): string | undefined {
  const text = decimalText(amount);
  const currency = currencyOf(unit);
  if (text === undefined) return undefined;
  return currency === undefined ? countText(text, unit) : moneyText(text, currency);
}

/** The same of a text that is a plain decimal, as the books have them. */
export function amountText(amount: string, unit: string): string {
  return knownAmount(amount, unit) ?? `${printable(amount)} ${printable(unit)}`;
}

/** Dollars of millionths: `$0.0123`, at least to the cent. */
export function dollarsText(usdMicros: string): string {
  return amountText(usdMicros, "usd_micros");
}

/** How an amount of the unit is typed, for the person who types it: `in cents: 45000 is $450.00`. One line. */
export function unitHint(unit: string, amount: Json | undefined): string {
  const currency = currencyOf(unit);
  if (currency === undefined) return `in ${printable(unit)}`;
  const { code, shift } = currency;
  const steps = shift === 0 ? code : shift === 2 ? "cents" : "millionths";
  // Nothing that is none is explained by an example that is one.
  const example = knownAmount(amount, unit);
  if (example !== undefined) return `in ${steps}: ${String(amount)} is ${example}`;
  return shift === 0 ? `in ${code}` : `in ${steps} of ${code}`;
}

/** What a person wrote who took the unit for its currency: `$450`, `450.00`, `1,200.50 CHF`. */
const AS_MONEY = /^(-?)(?:[$€£¥]|[A-Za-z]{3})? ?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,6}))?(?: ?(?:[$€£¥]|[A-Za-z]{3}))?$/;

/**
 * Where a text reads as money and the unit counts smaller steps: what to type for it. Nothing is converted, since `450.00`
 * and `450` may both be meant. Undefined for everything that is no such text.
 */
export function meantAmount(text: string, unit: string): string | undefined {
  const currency = currencyOf(unit);
  const [, sign = "", written = "", fraction = ""] = AS_MONEY.exec(text.trim()) ?? [];
  if (currency === undefined || currency.shift === 0 || written === "" || /^-?\d+$/.test(text.trim())) return undefined;
  const { shift } = currency;
  const behind = fraction.replace(/0+$/, "");
  if (behind.length > shift) return undefined;
  const digits = `${written.replaceAll(",", "")}${behind.padEnd(shift, "0")}`.replace(/^0+(?=\d)/, "");
  const steps = `${digits === "0" ? "" : sign}${digits}`;
  return `type ${steps} for ${amountText(steps, unit)}`;
}

/** As canonical JSON would say it; undefined for what is no number, or not a plainly written one. */
function decimalText(amount: Json | bigint | undefined): string | undefined {
  if (typeof amount !== "number" && typeof amount !== "bigint" && typeof amount !== "string") return undefined;
  const text = typeof amount === "number" && Object.is(amount, -0) ? "0" : String(amount);
  return text.length <= MOST_DIGITS && PLAIN.test(text) ? text : undefined;
}

function moneyText(text: string, { code, shift, digits }: Currency): string {
  const [, sign = "", whole = "", fraction = ""] = PLAIN.exec(text) ?? [];
  const padded = whole.padStart(shift + 1, "0");
  const point = padded.length - shift;
  const behind = `${padded.slice(point)}${fraction}`.replace(/0+$/, "").padEnd(digits, "0");
  const amount = `${grouped(padded.slice(0, point))}${behind === "" ? "" : `.${behind}`}`;
  return code === "USD" ? `${sign}$${amount}` : `${sign}${amount} ${code}`;
}

function countText(text: string, unit: string): string {
  const [, sign = "", whole = "", fraction] = PLAIN.exec(text) ?? [];
  const amount = `${sign}${grouped(whole)}${fraction === undefined ? "" : `.${fraction}`}`;
  const one = amount === "1" && isKnownUnit(unit);
  return `${amount} ${printable(one ? unit.replace(/s$/, "") : unit)}`;
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(?:\d{3})+$)/g, ",");
}
