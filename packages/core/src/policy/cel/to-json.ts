import type { Json } from "../../value/json.ts";
import { entryOf } from "./compare.ts";
import { formatDecimal } from "./decimal.ts";
import { Fault } from "./issues.ts";
import { formatDuration, formatTimestamp } from "./time.ts";
import {
  adopt,
  CelMap,
  CelOptional,
  CelTypeValue,
  type CelValue,
  Decimal,
  Double,
  Duration,
  isList,
  keysOf,
  Timestamp,
  Uint,
} from "./values.ts";

/** A value for people and records. What JSON has no exact form for becomes text: large integers, decimals, NaN, times, bytes in hex. */
export function toJson(value: CelValue): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string" || typeof value === "number")
    return value;
  if (typeof value === "bigint") return String(value);
  if (isList(value)) return value.map(rawToJson);
  if (value instanceof Double) return Number.isFinite(value.value) ? value.value : String(value.value);
  if (value instanceof Uint)
    return Number.isSafeInteger(Number(value.value)) ? Number(value.value) : String(value.value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof Decimal) return formatDecimal(value);
  if (value instanceof CelTypeValue) return value.name;
  if (value instanceof CelOptional) return value.value === undefined ? null : toJson(value.value);
  if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return mapToJson(value);
}

function rawToJson(raw: unknown): Json {
  const value = adopt(raw, 0);
  return value instanceof Fault ? null : toJson(value);
}

function mapToJson(map: Parameters<typeof keysOf>[0]): Json {
  const out: Record<string, Json> = {};
  for (const key of keysOf(map)) {
    const name = map instanceof CelMap ? String(toJson(key)) : String(key);
    // Not by assignment: the key `__proto__` would set the prototype.
    Object.defineProperty(out, name, { value: rawToJson(entryOf(map, key)), enumerable: true });
  }
  return out;
}
