/** Decimal texts ↔ integers at a fixed scale. No number with a fraction exists anywhere between. */

/** What 64 bits hold, signed: the width of a database's integer. */
export const MOST = 2n ** 63n - 1n;

const DECIMAL = /^(0|[1-9]\d{0,18})(?:\.(\d{1,18}))?$/;

/**
 * `"12.50"` at scale 6 → 12500000n. Undefined for what is no plain decimal of at most `scale` digits after the point: signs,
 * exponents, spaces, `1,000`, leading zeros, more digits than the scale keeps, more than 64 bits.
 */
export function parseDecimal(text: string, scale: number): bigint | undefined {
  const parts = DECIMAL.exec(text);
  if (parts === null) return undefined;
  const [, whole = "", fraction = ""] = parts;
  // Digits that would be lost are refused, never rounded; zeros are no digits.
  const digits = fraction.replace(/0+$/, "");
  if (digits.length > scale) return undefined;
  const value = BigInt(whole) * 10n ** BigInt(scale) + BigInt(digits.padEnd(scale, "0") || "0");
  return value > MOST ? undefined : value;
}

/** 12500000n at scale 6 → `"12.5"`: the shortest text that `parseDecimal` reads back. */
export function formatDecimal(value: bigint, scale: number): string {
  const size = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const whole = size.slice(0, size.length - scale);
  const fraction = size.slice(size.length - scale).replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}
