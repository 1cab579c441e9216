/**
 * What of the runtime can change a decision: its calendar of time zones and its tables of characters. The log names them
 * beside the revision, because the same policies on another runtime may decide otherwise.
 */
import type { Json } from "./json.ts";

/** Versions as the runtime names them: `2025b`, `77.1`, `16.0`. Empty where it does not say. */
export interface RuntimeStamp {
  readonly calendar: string;
  readonly icu: string;
  readonly unicode: string;
}

/** `unicode` stands for characters and for names of hosts, which ICU reads. */
export type RuntimeTable = "calendar" | "unicode";

/** The part of `policy.activated` that holds the stamp. */
export const STAMP_PART = "runtime";

/** Undefined for what is no stamp. */
export function parseStamp(value: Json | undefined): RuntimeStamp | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { calendar, icu, unicode } = value as { readonly [Key in keyof RuntimeStamp]?: Json };
  if (typeof calendar !== "string" || typeof icu !== "string" || typeof unicode !== "string") return undefined;
  return { calendar, icu, unicode };
}

/** Tables in which two runtimes differ. */
export function otherTables(one: RuntimeStamp, other: RuntimeStamp): readonly RuntimeTable[] {
  const calendar = one.calendar !== other.calendar;
  const unicode = one.icu !== other.icu || one.unicode !== other.unicode;
  return [...(calendar ? (["calendar"] as const) : []), ...(unicode ? (["unicode"] as const) : [])];
}
