/** What calls of models cost, in whole millionths of a dollar, and how many tokens an uncounted input has at most. */
import { MOST } from "../../value/decimal.ts";

/** So many tokens at one price. */
export interface TokenCost {
  readonly tokens: bigint;
  /** Millionths of a dollar for a million tokens. */
  readonly microsPerMillion: bigint;
}

const MILLION = 1_000_000n;

/** Tokens of an input that was not counted: at most three for four bytes of UTF-8, rounded up. Undefined for no size. */
export function inputTokenBound(utf8Bytes: number): bigint | undefined {
  return Number.isSafeInteger(utf8Bytes) && utf8Bytes >= 0 ? (BigInt(utf8Bytes) * 3n + 3n) / 4n : undefined;
}

/** The sum, rounded up once to a whole millionth. Undefined for counts and prices that are none: it is never zero then. */
export function modelCost(costs: readonly TokenCost[]): bigint | undefined {
  if (costs.some(({ tokens, microsPerMillion }) => tokens < 0n || microsPerMillion < 0n)) return undefined;
  const exact = costs.reduce((sum, { tokens, microsPerMillion }) => sum + tokens * microsPerMillion, 0n);
  const micros = (exact + MILLION - 1n) / MILLION;
  return micros > MOST ? undefined : micros;
}
