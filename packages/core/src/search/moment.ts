/** The times that a query can name: so long ago, the start of a day in UTC, a moment. */
import { epochMsOf, parseTimestamp } from "../policy/cel/time.ts";
import { Timestamp } from "../policy/cel/values.ts";

const AGO = /^(\d{1,9})(s|m|h|d|w)$/;
const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `7d`, `2026-11-22`, `2026-11-22T08:40:00Z` → ms since 1970; undefined for any other text. */
export function momentOf(text: string, now: number): number | undefined {
  const [, count, unit = ""] = AGO.exec(text) ?? [];
  if (count !== undefined) return Math.max(0, now - Number(count) * (UNITS[unit] ?? 0));
  const found = parseTimestamp(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text, 0);
  return found instanceof Timestamp ? Math.max(0, epochMsOf(found)) : undefined;
}
