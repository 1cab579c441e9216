/** Times as a clock on a wall shows them. */
import { Fault } from "../issues.ts";
import { civilAt, epochMsOf, parseTimestamp, zoneAt } from "../time.ts";
import type { Zones } from "../types.ts";
import { type Outcome, Timestamp } from "../values.ts";

const LOCAL = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?)?$/;
const DAY_MS = 86_400_000;

/** `2026-05-01 09:30` in a zone → its moment. A day alone is its midnight; a time that is skipped or comes twice is an error. */
export function localTime(text: string, zone: string, zones: Zones | undefined, offset: number): Outcome {
  const [whole, day = "", minutes = "00:00", seconds = ":00"] = text.length <= 40 ? (LOCAL.exec(text) ?? []) : [];
  if (whole === undefined) {
    return new Fault(
      "`time` needs a local time such as `2026-05-01T09:30`; with an offset in it use `timestamp(…)`",
      offset,
    );
  }
  const asUtc = parseTimestamp(`${day}T${minutes}${seconds}Z`, offset);
  if (!(asUtc instanceof Timestamp)) return asUtc;
  const found = new Map<number, Timestamp>();
  // Whatever the zone does around this time, its distance a day before or a day after is the one that holds.
  for (const near of [-DAY_MS, DAY_MS]) {
    const distance = zoneAt(zone, epochMsOf(asUtc) + near, zones, offset);
    if (distance instanceof Fault) return distance;
    const moment = new Timestamp(asUtc.nanos - BigInt(distance) * 1_000_000_000n);
    if (zoneAt(zone, epochMsOf(moment), zones, offset) === distance) found.set(distance, moment);
  }
  const [only, ...others] = found.values();
  if (only !== undefined && others.length === 0) return only;
  return new Fault("`time` of a local time that the zone's clocks skip or show twice", offset);
}

/** The day on which a moment falls in a zone, as `2026-05-01`. */
export function localDay(time: Timestamp, zone: string, zones: Zones | undefined, offset: number): Outcome {
  const distance = zoneAt(zone, epochMsOf(time), zones, offset);
  if (distance instanceof Fault) return distance;
  const { year, month, day } = civilAt(time, distance);
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
