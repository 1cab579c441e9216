/** Is a number a multiple of another one, in decimal digits: `0.1` divides `0.3`, which doubles deny. */

/** Exact for every pair of finite numbers, as JSON writes them. */
export function isMultiple(value: number, divisor: number): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor)) return value % divisor === 0;
  const a = parts(value);
  const b = parts(divisor);
  const exponent = Math.min(a.exponent, b.exponent);
  return (a.digits * 10n ** BigInt(a.exponent - exponent)) % (b.digits * 10n ** BigInt(b.exponent - exponent)) === 0n;
}

/** `1.25e-7` → 125 × 10^-9. */
function parts(value: number): { readonly digits: bigint; readonly exponent: number } {
  const [mantissa = "0", exponent = "0"] = String(value).split("e");
  const point = mantissa.indexOf(".");
  const places = point < 0 ? 0 : mantissa.length - point - 1;
  return { digits: BigInt(mantissa.replace(".", "")), exponent: Number(exponent) - places };
}
