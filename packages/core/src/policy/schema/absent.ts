/**
 * A null where an optional property is meant: models and frameworks write it for "nothing".
 *
 * Where the schema has no null there, the property is taken out before anything is judged or run. Where it has, the tool
 * gets it, and conditions read it as absent.
 */
import type { Json, JsonObject } from "../../value/json.ts";
import { fitsSchema } from "./compile.ts";
import type { Schema, SchemaNode } from "./types.ts";

/** `meaningless`: only nulls that the schema has no place for. `all`: every null at an optional property. */
export type Absent = "meaningless" | "all";

/** The same object when nothing is to be taken out. */
export function withoutNulls(args: JsonObject, schema: Schema, which: Absent): JsonObject {
  return walk(args, schema, which, 0) as JsonObject;
}

function walk(value: Json, schema: Schema, which: Absent, level: number): Json {
  if (typeof value !== "object" || value === null || typeof schema === "boolean" || level > 64) return value;
  const inner = isList(value) ? list(value, schema, which, level) : map(value as JsonObject, schema, which, level);
  const { combined } = schema;
  if (combined === null) return inner;
  const parts = combined.ref === null ? combined.allOf : [...combined.allOf, combined.ref.target];
  return parts.reduce<Json>((reduced, part) => walk(reduced, part, which, level + 1), inner);
}

function list(items: readonly Json[], { list: shape }: SchemaNode, which: Absent, level: number): Json {
  if (shape === null) return items;
  const walked = items.map((item, index) => walk(item, shape.prefix[index] ?? shape.items ?? true, which, level + 1));
  return walked.some((item, index) => item !== items[index]) ? Object.freeze(walked) : items;
}

function map(value: JsonObject, { object }: SchemaNode, which: Absent, level: number): Json {
  if (object === null) return value;
  let changed = false;
  const kept: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) {
    const schema = object.properties.get(key);
    const optional = schema !== undefined && !object.required.has(key);
    if (item === null && optional && (which === "all" || !fitsSchema(schema, null))) changed = true;
    else {
      const walked = schema === undefined ? item : walk(item, schema, which, level + 1);
      changed ||= walked !== item;
      kept[key] = walked;
    }
  }
  return changed ? Object.freeze(kept) : value;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
