/** Arguments that a tool's schema asks for besides the ones that a claim is about. Guesses; whether they fit is evaluated. */
import type { Json, JsonObject } from "../../value/json.ts";
import type { FormatName } from "../schema/formats.ts";
import type { ListShape, NumberBounds, ObjectShape, Schema, SchemaNode, TextBounds } from "../schema/types.ts";
import { sampleOf } from "./sample.ts";

/** How far references and nesting are followed. */
const MOST_LEVELS = 8;

/** The plainest value that fits; undefined where none is found. */
export function schemaSample(schema: Schema, level = 0): Json | undefined {
  if (typeof schema === "boolean") return schema ? "x" : undefined;
  if (level > MOST_LEVELS) return undefined;
  if (schema.allowed !== null) return schema.allowed[0];
  const { combined } = schema;
  if (combined?.ref) return schemaSample(combined.ref.target, level + 1);
  for (const one of [...(combined?.anyOf ?? []), ...(combined?.oneOf ?? []), ...(combined?.allOf ?? [])]) {
    const sample = schemaSample(one, level + 1);
    if (sample !== undefined && sample !== null) return sample;
  }
  return ofType(schema, level);
}

function ofType({ types, text, number, list, object }: SchemaNode, level: number): Json | undefined {
  const may = (type: Parameters<NonNullable<typeof types>["has"]>[0]) => types === null || types.has(type);
  if (object !== null && may("object")) return withRequired({}, object, level);
  if (list !== null && may("array")) return listSample(list, level);
  if (number !== null && (may("integer") || may("number"))) return numberSample(number);
  if (may("string")) return textSample(text);
  if (may("integer") || may("number")) return 1;
  if (may("boolean")) return true;
  if (may("array")) return [];
  return may("object") ? {} : null;
}

function numberSample({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: NumberBounds): number {
  const step = multipleOf ?? 1;
  const low = minimum ?? (exclusiveMinimum === null ? null : exclusiveMinimum + step);
  const high = maximum ?? (exclusiveMaximum === null ? null : exclusiveMaximum - step);
  const near = low === null || low <= step ? (high === null || high >= step ? step : high) : low;
  return Math.ceil(near / step) * step;
}

const FORMATTED: Partial<Readonly<Record<FormatName, string>>> = {
  email: "x@example.com",
  uri: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
  date: "2000-01-01",
  "date-time": "2000-01-01T00:00:00Z",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
};

function textSample(text: TextBounds | null): string | undefined {
  if (text === null) return "x";
  if (text.format !== null && FORMATTED[text.format] !== undefined) return FORMATTED[text.format];
  if (text.pattern !== null) return sampleOf(text.pattern.text)[0];
  return "x".repeat(Math.max(text.minLength ?? 0, text.maxLength === 0 ? 0 : 1));
}

function listSample({ prefix, items, minItems }: ListShape, level: number): Json | undefined {
  const count = Math.max(minItems ?? 0, prefix.length);
  const list = Array.from({ length: count }, (_, index) => schemaSample(prefix[index] ?? items ?? true, level + 1));
  return list.every((item) => item !== undefined) ? list : undefined;
}

/** `map` with what the shape requires and `without` does not name; members that are maps and lists are filled likewise. */
function withRequired(map: JsonObject, shape: ObjectShape, level: number, without?: Absent): JsonObject {
  const filled: Record<string, Json> = {};
  for (const [name, value] of Object.entries(map)) {
    filled[name] = fitted(value, shape.properties.get(name) ?? true, level + 1, without?.below(name));
  }
  for (const name of shape.required) {
    if (Object.hasOwn(filled, name) || without?.names(name)) continue;
    const sample = schemaSample(shape.properties.get(name) ?? true, level + 1);
    if (sample !== undefined) filled[name] = sample;
  }
  return filled;
}

/** The same value, filled where it is a map or a list of stand-ins. */
function fitted(value: Json, schema: Schema, level: number, without?: Absent): Json {
  if (typeof schema === "boolean" || level > MOST_LEVELS) return value;
  const { combined, object, list } = schema;
  if (combined?.ref) return fitted(value, combined.ref.target, level + 1, without);
  if (Array.isArray(value) && list?.items) {
    const item = list.items;
    return value.map((one) => (one === "x" ? (schemaSample(item, level + 1) ?? one) : one));
  }
  return isMap(value) && object !== null ? withRequired(value, object, level, without) : value;
}

/** Paths that are left out on purpose. */
class Absent {
  readonly #paths: readonly (readonly string[])[];

  constructor(paths: readonly (readonly string[])[]) {
    this.#paths = paths;
  }

  names(field: string): boolean {
    return this.#paths.some((path) => path.length === 1 && path[0] === field);
  }

  below(field: string): Absent {
    return new Absent(this.#paths.filter((path) => path[0] === field).map((path) => path.slice(1)));
  }
}

/** `args` with what the schema requires besides, without what is to be absent. */
export function fittedArgs(args: JsonObject, schema: Schema, absent: readonly (readonly string[])[]): JsonObject {
  const filled = fitted(args, schema, 0, new Absent(absent));
  return isMap(filled) ? filled : args;
}

function isMap(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
