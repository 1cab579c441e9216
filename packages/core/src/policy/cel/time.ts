/** Timestamps and durations: text forms, ranges, and the proleptic Gregorian calendar without a `Date`. */
import { Fault } from "./issues.ts";
import type { Zones } from "./types.ts";
import { Duration, type Outcome, Timestamp } from "./values.ts";

const SECOND = 1_000_000_000n;
const DAY_SECONDS = 86_400;
/** 0001-01-01T00:00:00Z and the last nanosecond of 9999. */
const MIN_TIME = -62_135_596_800n * SECOND;
const MAX_TIME = 253_402_300_800n * SECOND - 1n;
/** What 64 bits hold, as in other implementations: about 292 years. */
const MAX_DURATION = 2n ** 63n - 1n;

export function timestamp(nanos: bigint, offset: number): Outcome {
  return nanos < MIN_TIME || nanos > MAX_TIME
    ? new Fault("a timestamp outside the years 1 to 9999", offset)
    : new Timestamp(nanos);
}

export function duration(nanos: bigint, offset: number): Outcome {
  return nanos < -MAX_DURATION || nanos > MAX_DURATION
    ? new Fault("a duration over 292 years", offset)
    : new Duration(nanos);
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** RFC 3339, such as `2026-05-01T09:30:00Z`. */
export function parseTimestamp(text: string, offset: number): Outcome {
  const parts = text.length <= 40 ? RFC3339.exec(text) : null;
  if (parts === null) return new Fault("not a timestamp: write it like `2026-05-01T09:30:00Z`", offset);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
  const zoneHour = Number(parts[9] ?? 0);
  const zoneMinute = Number(parts[10] ?? 0);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
    return new Fault("a timestamp with a day that does not exist", offset);
  }
  if (hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) {
    return new Fault("a timestamp with a time of day that does not exist", offset);
  }
  const zone = (parts[8] === "-" ? -1 : 1) * (zoneHour * 3600 + zoneMinute * 60);
  const seconds = daysFromCivil(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second - zone;
  return timestamp(BigInt(seconds) * SECOND + BigInt((parts[7] ?? "").padEnd(9, "0")), offset);
}

const DURATION = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s|us|µs|μs|ns)/;
const UNITS: Readonly<Record<string, bigint>> = {
  h: 3600n * SECOND,
  m: 60n * SECOND,
  s: SECOND,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ns: 1n,
};

/** A sum of decimal numbers with units: `90s`, `1h30m`, `-1.5s`. */
export function parseDuration(text: string, offset: number): Outcome {
  const problem = new Fault("not a duration: write it like `90s`, `1h30m` or `500ms`", offset);
  if (text.length > 64) return problem;
  const negative = text.startsWith("-");
  let rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return new Duration(0n);
  if (rest === "") return problem;
  let nanos = 0n;
  while (rest !== "") {
    const [piece] = /^[+-]/.test(rest) ? [] : (DURATION.exec(rest) ?? []);
    if (piece === undefined) return problem;
    const unitStart = piece.search(/[a-zµμ]/);
    const [whole = "", fraction = ""] = piece.slice(0, unitStart).split(".");
    const unit = UNITS[piece.slice(unitStart)] ?? 0n;
    nanos += BigInt(whole === "" ? 0 : whole) * unit;
    if (fraction !== "") nanos += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
    rest = rest.slice(piece.length);
  }
  return duration(negative ? -nanos : nanos, offset);
}

export function formatTimestamp({ nanos }: Timestamp): string {
  const seconds = floorDivide(nanos, SECOND);
  const fields = civil(Number(seconds));
  const fraction = fractionText(nanos - seconds * SECOND);
  const date = `${pad(fields.year, 4)}-${pad(fields.month, 2)}-${pad(fields.day, 2)}`;
  return `${date}T${pad(fields.hour, 2)}:${pad(fields.minute, 2)}:${pad(fields.second, 2)}${fraction}Z`;
}

export function formatDuration({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos;
  return `${nanos < 0n ? "-" : ""}${size / SECOND}${fractionText(size % SECOND)}s`;
}

function fractionText(nanos: bigint): string {
  return nanos === 0n ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

/** Milliseconds since 1970, rounded down. */
export function epochMsOf(time: Timestamp): number {
  return Number(floorDivide(time.nanos, 1_000_000n));
}

/** Seconds since 1970, rounded down. */
export function secondsOf(time: Timestamp): bigint {
  return floorDivide(time.nanos, SECOND);
}

export interface Civil {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  /** 0 is Sunday. */
  readonly dayOfWeek: number;
  /** 0 to 365. */
  readonly dayOfYear: number;
}

/** The calendar fields of a moment at a fixed distance from UTC, in seconds. */
export function civilAt(time: Timestamp, zoneSeconds: number): Civil {
  const seconds = secondsOf(time);
  const fields = civil(Number(seconds) + zoneSeconds);
  return { ...fields, millisecond: Number((time.nanos - seconds * SECOND) / 1_000_000n) };
}

const NO_CALENDAR = "time zones by name are not available here: write `UTC` or a fixed distance such as `+01:00`";
const NO_ZONE = "unknown time zone: write a name such as `Europe/Zurich`, `UTC`, or a fixed distance such as `+01:00`";

/** Letters, digits and `_+-` between slashes: what a calendar may be asked for. */
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,3}$/;

/** Seconds east of UTC in a zone at a moment, or why that is not known. */
export function zoneAt(zone: string, epochMs: number, zones: Zones | undefined, offset: number): number | Fault {
  const fixed = zoneSeconds(zone);
  if (fixed !== null) return fixed;
  if (zones === undefined) return new Fault(NO_CALENDAR, offset);
  const distance = zone.length <= 64 && ZONE_NAME.test(zone) ? zones(zone, epochMs) : undefined;
  return distance !== undefined && Math.abs(distance) < DAY_SECONDS ? distance : new Fault(NO_ZONE, offset);
}

/** `UTC`, `+01:00`, `-08:00`, `02:00` → seconds from UTC; null for anything else, also for zone names. */
function zoneSeconds(text: string): number | null {
  if (text === "UTC" || text === "Z") return 0;
  const parts = text.length <= 6 ? /^([+-]?)(\d\d):(\d\d)$/.exec(text) : null;
  if (parts === null) return null;
  const [hours = 0, minutes = 0] = parts.slice(2).map(Number);
  if (hours > 23 || minutes > 59) return null;
  return (parts[1] === "-" ? -1 : 1) * (hours * 3600 + minutes * 60);
}

function civil(seconds: number): Civil {
  const days = Math.floor(seconds / DAY_SECONDS);
  const rest = seconds - days * DAY_SECONDS;
  const date = civilFromDays(days);
  return {
    ...date,
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    millisecond: 0,
    dayOfWeek: (((days + 4) % 7) + 7) % 7,
    dayOfYear: days - daysFromCivil(date.year, 1, 1),
  };
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

// Both conversions count eras of 400 years (146,097 days) whose years begin in March, so that a leap day is a year's last.

function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
