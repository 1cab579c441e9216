/** Amounts as people read them, exact: no number with a fraction stands between. */
import { printable } from "./printable.ts";
import { isKnownUnit } from "./unit.ts";

/** Dollars of millionths: `$0.0123`, at least to the cent. */
export function dollarsText(usdMicros: string): string {
  return moneyText(usdMicros, 6, "usd");
}

/** Digits that a unit's text leaves out before its point. */
const SHIFTS: Readonly<Record<string, number>> = { "": 0, _cents: 2, _micros: 6 };

/** `49500` of `usd_cents` → `$495.00`, of `eur_cents` → `495.00 EUR`, of `emails` → `49,500 emails`. */
export function amountText(amount: string, unit: string): string {
  const [, currency = "", step = ""] = /^([a-z]{3})(_cents|_micros)?$/.exec(unit) ?? [];
  if (currency !== "" && isKnownUnit(unit)) return moneyText(amount, SHIFTS[step] ?? 0, currency);
  return `${/^\d+$/.test(amount) ? grouped(amount) : amount} ${printable(unit)}`;
}

/** Digits before the point are grouped; at least two stand behind it. */
function moneyText(amount: string, shift: number, currency: string): string {
  const [whole = "", fraction = ""] = amount.split(".");
  const digits = whole.padStart(shift + 1, "0");
  const cents = `${digits.slice(digits.length - shift)}${fraction}`.replace(/0+$/, "").padEnd(2, "0");
  const text = `${grouped(digits.slice(0, digits.length - shift))}.${cents}`;
  return currency === "usd" ? `$${text}` : `${text} ${currency.toUpperCase()}`;
}

function grouped(digits: string): string {
  return String(BigInt(digits)).replace(/\B(?=(?:\d{3})+$)/g, ",");
}
