/** An upper bound on what one model call costs, known before it is made. Millionths of a dollar, whole ones. */
import { MOST } from "../../decimal.ts";

/** Per million tokens, in millionths of a dollar: the same number as millionths of a dollar a token, times a million. */
export interface ModelPrice {
  readonly inputMicrosPerMillion: bigint;
  readonly outputMicrosPerMillion: bigint;
  /** Of the price table: stands in the record of the call. */
  readonly version: string;
}

const MILLION = 1_000_000n;

/** Tokens of an input that was not counted: at most three for four bytes of UTF-8, rounded up. */
export function inputTokenBound(utf8Bytes: number): bigint | undefined {
  return Number.isSafeInteger(utf8Bytes) && utf8Bytes >= 0 ? (BigInt(utf8Bytes) * 3n + 3n) / 4n : undefined;
}

/** Undefined without a price or a bound on the output: the policy says what then, deny by default, and it is never zero. */
export function spendBound(
  price: ModelPrice | undefined,
  utf8Bytes: number,
  maxOutputTokens: number | undefined,
): bigint | undefined {
  const input = inputTokenBound(utf8Bytes);
  if (price === undefined || input === undefined) return undefined;
  if (maxOutputTokens === undefined || !Number.isSafeInteger(maxOutputTokens) || maxOutputTokens < 0) return undefined;
  return cost(price, input, BigInt(maxOutputTokens));
}

/** What was used, rounded up to a whole millionth. Undefined for counts that are none. */
export function cost(price: ModelPrice, inputTokens: bigint, outputTokens: bigint): bigint | undefined {
  const { inputMicrosPerMillion, outputMicrosPerMillion } = price;
  if ([inputTokens, outputTokens, inputMicrosPerMillion, outputMicrosPerMillion].some((one) => one < 0n))
    return undefined;
  const exact = inputTokens * inputMicrosPerMillion + outputTokens * outputMicrosPerMillion;
  const micros = (exact + MILLION - 1n) / MILLION;
  return micros > MOST ? undefined : micros;
}
