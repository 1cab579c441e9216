/** Parts of timestamps and durations. A zone is `UTC`, a fixed distance from it, or a name that the calendar from outside knows. */
import { Fault } from "../issues.ts";
import { type Civil, civilAt, epochMsOf, zoneAt } from "../time.ts";
import { INT } from "../types.ts";
import { costing, method, type Overload } from "./overload.ts";

const PARTS: Readonly<Record<string, (civil: Civil) => number>> = {
  getFullYear: (civil) => civil.year,
  getMonth: (civil) => civil.month - 1,
  getDate: (civil) => civil.day,
  getDayOfMonth: (civil) => civil.day - 1,
  getDayOfWeek: (civil) => civil.dayOfWeek,
  getDayOfYear: (civil) => civil.dayOfYear,
  getHours: (civil) => civil.hour,
  getMinutes: (civil) => civil.minute,
  getSeconds: (civil) => civil.second,
  getMilliseconds: (civil) => civil.millisecond,
};

/** Names of the functions whose last argument may be a zone. */
export const ZONED: ReadonlySet<string> = new Set([...Object.keys(PARTS), "time", "day"]);

/** Asking the calendar takes about as long as so many steps. */
export const ZONE_STEPS = 50;

const NANOS: Readonly<Record<string, bigint>> = {
  getHours: 3_600_000_000_000n,
  getMinutes: 60_000_000_000n,
  getSeconds: 1_000_000_000n,
};

export const CALENDAR_FUNCTIONS: readonly Overload[] = [
  ...Object.entries(PARTS).flatMap(([name, part]) => [
    method(name, ["timestamp"], INT, ([time]) => part(civilAt(time, 0))),
    costing(
      ZONE_STEPS,
      method(name, ["timestamp", "string"], INT, ([time, zone], offset, zones) => {
        const distance = zoneAt(zone, epochMsOf(time), zones, offset);
        return distance instanceof Fault ? distance : part(civilAt(time, distance));
      }),
    ),
  ]),
  // Whole hours, minutes and seconds of the span; the milliseconds within its last second.
  ...Object.entries(NANOS).map(([name, unit]) =>
    method(name, ["duration"], INT, ([span]) => Number(span.nanos / unit)),
  ),
  method("getMilliseconds", ["duration"], INT, ([span]) => Number((span.nanos / 1_000_000n) % 1000n)),
];
