/** Exact decimal numbers: an amount of money is a count of its smallest digit, whatever a double would make of it. */
import { Fault } from "./issues.ts";
import { type CelValue, Decimal, type Outcome, Uint } from "./values.ts";

/** Digits of a decimal, and digits after its point. Sums and products stay within them, or are errors. */
const MAX_DIGITS = 60;
const MAX_SCALE = 30;

const WRITTEN = /^-?(?:0|[1-9]\d{0,29})(?:\.\d{1,18})?$/;

/** `49.90`, `-3`: digits as a person writes them, in one spelling. No sign `+`, no separators, no exponent. */
export function parseDecimal(text: string, offset: number): Outcome {
  if (text.length > 64 || !WRITTEN.test(text) || /^-0(?:\.0+)?$/.test(text)) {
    return new Fault("`dec` of a text that is no plain decimal number: write it like `1234.50`", offset);
  }
  return fromDigits(text);
}

/** The shortest decimal that reads back as this double: what canonical JSON sends. */
export function decimalOfDouble(value: number, offset: number): Outcome {
  const [digits = "", exponent = "0"] = String(value).split("e");
  if (!Number.isFinite(value)) return new Fault("`dec` of a value that is not a number", offset);
  const { unscaled, scale } = fromDigits(digits);
  const shifted = scale - Number(exponent);
  return shifted >= 0
    ? bounded(unscaled, shifted, offset)
    : bounded(shifted < -MAX_DIGITS ? 10n ** BigInt(MAX_DIGITS + 1) : unscaled * 10n ** BigInt(-shifted), 0, offset);
}

function fromDigits(text: string): Decimal {
  const point = text.indexOf(".");
  if (point < 0) return new Decimal(BigInt(text), 0);
  return new Decimal(BigInt(text.slice(0, point) + text.slice(point + 1)), text.length - point - 1);
}

/** A decimal or an integer as a decimal; undefined for every other kind, doubles among them. */
export function decimalOf(value: CelValue): Decimal | undefined {
  if (value instanceof Decimal) return value;
  if (typeof value === "number" || typeof value === "bigint") return new Decimal(BigInt(value), 0);
  return value instanceof Uint ? new Decimal(value.value, 0) : undefined;
}

/** Negative, zero or positive. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const x = atScale(a, scale);
  const y = atScale(b, scale);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function addDecimals(a: Decimal, b: Decimal, offset: number): Outcome {
  const scale = Math.max(a.scale, b.scale);
  return bounded(atScale(a, scale) + atScale(b, scale), scale, offset);
}

export function subtractDecimals(a: Decimal, b: Decimal, offset: number): Outcome {
  return addDecimals(a, new Decimal(-b.unscaled, b.scale), offset);
}

export function multiplyDecimals(a: Decimal, b: Decimal, offset: number): Outcome {
  return bounded(a.unscaled * b.unscaled, a.scale + b.scale, offset);
}

export function formatDecimal({ unscaled, scale }: Decimal): string {
  const negative = unscaled < 0n;
  const digits = String(negative ? -unscaled : unscaled).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  return `${negative ? "-" : ""}${whole}${scale === 0 ? "" : `.${digits.slice(digits.length - scale)}`}`;
}

function atScale({ unscaled, scale }: Decimal, wanted: number): bigint {
  return unscaled * 10n ** BigInt(wanted - scale);
}

function bounded(unscaled: bigint, scale: number, offset: number): Outcome {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).length;
  return digits > MAX_DIGITS || scale > MAX_SCALE
    ? new Fault(`a decimal of more than ${MAX_DIGITS} digits, or ${MAX_SCALE} after the point`, offset)
    : new Decimal(unscaled, scale);
}
