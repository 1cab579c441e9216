/** Dollars of millionths, exact: `$0.0123`, at least to the cent. */
export function dollarsText(usdMicros: string): string {
  const micros = BigInt(usdMicros);
  const whole = (micros / 1_000_000n).toLocaleString("en-US");
  const rest = String(micros % 1_000_000n).padStart(6, "0");
  return `$${whole}.${rest.replace(/0{1,4}$/, "")}`;
}
