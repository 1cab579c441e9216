/** Values as the public tests write them (`cel.expr.Value` in JSON) ↔ values of the engine. */
import { Fault } from "../../packages/core/src/policy/cel/issues.ts";
import { parseDuration, parseTimestamp } from "../../packages/core/src/policy/cel/time.ts";
import {
  adopt,
  CelMap,
  CelTypeValue,
  type CelValue,
  Double,
  Duration,
  intOf,
  isList,
  kindOf,
  type MapKey,
  mapKey,
  Timestamp,
  Uint,
} from "../../packages/core/src/policy/cel/values.ts";

/** One key such as `int64Value`, and what stands under it. */
export type TestValue = Readonly<Record<string, unknown>>;

/** Null where the value is a protocol buffer message or enum, which conditions do not have. */
export function fromTest(value: TestValue): CelValue | null | undefined {
  const [[kind, content] = ["nullValue", null]] = Object.entries(value);
  switch (kind) {
    case "nullValue":
      return null;
    case "boolValue":
    case "stringValue":
      return content as boolean | string;
    case "int64Value":
      return intOf(BigInt(content as string)) ?? undefined;
    case "uint64Value":
      return new Uint(BigInt(content as string));
    case "doubleValue":
      return new Double(Number(content));
    case "bytesValue":
      return Uint8Array.from(Buffer.from(content as string, "base64"));
    case "typeValue":
      return new CelTypeValue(content as string);
    case "listValue":
      return listOf((content as { values?: readonly TestValue[] }).values ?? []);
    case "mapValue":
      return mapOf((content as { entries?: readonly TestEntry[] }).entries ?? []);
    case "objectValue":
      return messageOf(content as { "@type"?: string; value?: unknown });
    default:
      return undefined;
  }
}

interface TestEntry {
  readonly key: TestValue;
  readonly value: TestValue;
}

function listOf(values: readonly TestValue[]): CelValue | undefined {
  const items = values.map(fromTest);
  return items.includes(undefined) ? undefined : items;
}

function mapOf(entries: readonly TestEntry[]): CelValue | undefined {
  const map = new Map<MapKey, { key: CelValue; value: CelValue }>();
  for (const entry of entries) {
    const key = fromTest(entry.key);
    const value = fromTest(entry.value);
    const form = key === undefined ? undefined : mapKey(key);
    if (key === undefined || value === undefined || form === undefined) return undefined;
    map.set(form, { key, value });
  }
  return new CelMap(map);
}

/** Times are values of the language; every other message is none. */
function messageOf({ "@type": type, value }: { "@type"?: string; value?: unknown }): CelValue | undefined {
  const parse = type?.endsWith("google.protobuf.Timestamp")
    ? parseTimestamp
    : type?.endsWith("google.protobuf.Duration")
      ? parseDuration
      : undefined;
  const parsed = parse?.(String(value), 0);
  return parsed instanceof Fault ? undefined : parsed;
}

/** A text that two values share exactly when they are the same value of the same kind: `1`, `1u` and `1.0` differ. */
export function canonical(value: CelValue): string {
  if (isList(value)) return `[${value.map((item) => canonical(adopted(item))).join(", ")}]`;
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Double) return `double ${Object.is(value.value, -0) ? "-0" : value.value}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("hex")}`;
  if (value instanceof Timestamp || value instanceof Duration) return `${value.kind} ${value.nanos}`;
  if (value instanceof CelTypeValue) return `type ${value.name}`;
  if (value instanceof CelMap) {
    const entries = [...value.entries.values()].map((entry) => `${canonical(entry.key)}: ${canonical(entry.value)}`);
    return `{${entries.sort().join(", ")}}`;
  }
  if (kindOf(value) !== "map") return kindOf(value);
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${canonical(adopted(item))}`);
  return `{${entries.sort().join(", ")}}`;
}

function adopted(raw: unknown): CelValue {
  const value = adopt(raw, 0);
  if (value instanceof Fault) throw new Error(value.message);
  return value;
}
