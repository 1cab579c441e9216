/** Which pot a call's money is in: decided when it is reserved, by the store's clock, and never changed after. */
import type { BudgetWindow } from "../../budget.ts";
import { unreachable } from "../../errors.ts";

/** Seconds east of UTC in a zone (`Europe/Zurich`) at a moment; undefined for a zone that is not known. */
export type ZoneOffset = (zone: string, epochMs: number) => number | undefined;

export interface WindowNow {
  /** The same for all calls that share the pot. */
  readonly key: string;
  /** Only what was reserved after this counts, ms; null: all of the pot. */
  readonly since: number | null;
}

const DAY_MS = 86_400_000;

/** Undefined where it cannot be said, which denies: an unknown zone, a length that is none, a clock that is none. */
export function windowAt(window: BudgetWindow, now: number, run: string, zones: ZoneOffset): WindowNow | undefined {
  if (!Number.isSafeInteger(now)) return undefined;
  switch (window.kind) {
    case "run":
      return { key: `run ${run}`, since: null };
    case "ever":
      return { key: "ever", since: null };
    case "fixed":
      if (!isLength(window.ms)) return undefined;
      return { key: `fixed ${window.ms} ${Math.floor(now / window.ms)}`, since: null };
    case "sliding":
      return isLength(window.ms) ? { key: `sliding ${window.ms}`, since: now - window.ms } : undefined;
    case "calendar": {
      const label = calendarLabel(window.unit, window.zone, now, zones);
      return label === undefined ? undefined : { key: `${window.unit} ${window.zone} ${label}`, since: null };
    }
    default:
      return unreachable(window);
  }
}

/**
 * The local date names the day, however many hours the clocks give it; 23 and 25 are as good as 24. An hour that the clocks
 * repeat is two hours, told apart by the distance from UTC.
 */
function calendarLabel(
  unit: "hour" | "day" | "week" | "month",
  zone: string,
  now: number,
  zones: ZoneOffset,
): string | undefined {
  const offset = zones(zone, now);
  if (offset === undefined || !Number.isSafeInteger(offset)) return undefined;
  const local = now + offset * 1_000;
  const day = Math.floor(local / DAY_MS);
  switch (unit) {
    case "hour":
      return `${dateOf(day)}T${pad(Math.floor((local - day * DAY_MS) / 3_600_000), 2)} ${offset}`;
    case "day":
      return dateOf(day);
    case "week":
      // Weeks begin on Monday, as in ISO 8601; 1970-01-01 was a Thursday.
      return dateOf(day - ((((day + 3) % 7) + 7) % 7));
    case "month":
      return dateOf(day).slice(0, -3);
    default:
      return unreachable(unit);
  }
}

/** `2026-11-22` for days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
function dateOf(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return `${pad(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

function isLength(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms > 0;
}
