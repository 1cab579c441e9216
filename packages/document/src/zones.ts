/** Time zones by name, from the calendar of the runtime. */
import type { Zones } from "@saferun/core";

/** Formats that are kept: the zones there are, and room for spellings in other letter cases. */
const MOST_KEPT = 1_000;
/** Before and behind these years the calendar of the runtime is another one. */
const FIRST = Date.parse("0001-01-01T00:00:00Z");
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const kept = new Map<string, Intl.DateTimeFormat>();

/** Seconds east of UTC in an IANA zone such as `Europe/Zurich` at a moment; undefined for an unknown zone. */
export const intlZones: Zones = (zone, epochMs) => {
  const format = formatOf(zone);
  if (format === undefined || !(epochMs >= FIRST && epochMs <= LAST)) return undefined;
  const parts = new Map(format.formatToParts(epochMs).map(({ type, value }) => [type, value]));
  const field = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  const year = parts.get("era") === "BC" ? 1 - field("year") : field("year");
  const local = new Date(0);
  // Not `Date.UTC`, which reads the years 0 to 99 as 1900 to 1999.
  local.setUTCFullYear(year, field("month") - 1, field("day"));
  local.setUTCHours(field("hour"), field("minute"), field("second"));
  const distance = local.getTime() / 1000 - Math.floor(epochMs / 1000);
  return Number.isFinite(distance) ? distance : undefined;
};

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  const known = kept.get(zone);
  if (known !== undefined) return known;
  try {
    const format = new Intl.DateTimeFormat("en-US-u-ca-iso8601-nu-latn", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(zone, format);
    return format;
  } catch {
    return undefined;
  }
}
