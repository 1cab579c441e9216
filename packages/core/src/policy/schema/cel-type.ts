/** What conditions may rely on: the types of arguments that fit a schema, and which of them may be absent. */
import type { Json } from "../../value/json.ts";
import { BOOL, type CelType, DOUBLE, DYN, INT, STRING } from "../cel/types.ts";
import { sameValue } from "./reference.ts";
import type { JsonType, ObjectShape, Schema, SchemaNode } from "./types.ts";

/** How far references are followed: a recursive schema has no finite type. */
export const MOST_LEVELS = 12;

/** Sound: whatever fits the schema has this type. Where alternatives differ it is `dyn`. */
export function celTypeOf(schema: Schema, level = 0): CelType {
  if (typeof schema === "boolean" || level > MOST_LEVELS) return DYN;
  const ref = onlyReference(schema);
  if (ref !== null) return celTypeOf(ref, level + 1);
  const kinds = new Set(kindsOf(schema));
  const [kind] = kinds;
  if (kinds.size === 2 && kinds.has("integer") && kinds.has("number")) return DOUBLE;
  if (kinds.size !== 1 || kind === undefined) return DYN;
  switch (kind) {
    case "string":
      return STRING;
    case "integer":
      return INT;
    case "number":
      return DOUBLE;
    case "boolean":
      return BOOL;
    case "null":
      return { kind: "null" };
    case "array":
      return { kind: "list", item: itemOf(schema, level) };
    case "object":
      return objectOf(schema, level);
  }
}

/**
 * The type of a property: where it may be absent, a null reads as absent (the `absent` of this folder), so that only the
 * other kinds of value are left.
 */
function propertyType(schema: Schema, optional: boolean, level: number): CelType {
  return celTypeOf(optional ? withoutNull(schema) : schema, level + 1);
}

function withoutNull(schema: Schema): Schema {
  if (typeof schema === "boolean") return schema;
  const alternatives = onlyAlternatives(schema);
  if (alternatives !== null) {
    const others = alternatives.filter((one) => typeof one === "boolean" || [...kindsOf(one)].join() !== "null");
    const [only] = others;
    return others.length === 1 && only !== undefined ? only : schema;
  }
  if (schema.types === null || !schema.types.has("null")) return schema;
  const types = new Set([...schema.types].filter((type) => type !== "null"));
  return { ...schema, types };
}

/** `{ anyOf: [...] }` and nothing else. */
export function onlyAlternatives(node: SchemaNode): readonly Schema[] | null {
  const { combined } = node;
  if (combined === null || saysMore(node)) return null;
  const parts = sameValue(node);
  return parts.length > 0 && parts.length === combined.anyOf.length + combined.oneOf.length ? parts : null;
}

/** `{ $ref: ... }` and nothing else. */
export function onlyReference(node: SchemaNode): Schema | null {
  const ref = node.combined?.ref ?? null;
  return ref !== null && !saysMore(node) && sameValue(node).length === 1 ? ref.target : null;
}

function saysMore({ types, allowed, number, text, list, object }: SchemaNode): boolean {
  return [types, allowed, number, text, list, object].some((part) => part !== null);
}

export function kindsOf(node: SchemaNode): Iterable<JsonType> {
  if (node.types !== null) return node.types;
  return node.allowed === null ? [] : new Set(node.allowed.map(kindOf));
}

function kindOf(value: Json): JsonType {
  if (value === null) return "null";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "string" || type === "boolean" ? type : "object";
}

function itemOf({ list, combined }: SchemaNode, level: number): CelType {
  if (list === null || list.items === null || list.prefix.length > 0 || combined !== null) return DYN;
  return celTypeOf(list.items, level + 1);
}

function objectOf(node: SchemaNode, level: number): CelType {
  const { object, combined } = node;
  if (object === null) return { kind: "object", fields: {}, open: combined !== null };
  const { properties, additional, patterns } = object;
  if (properties.size === 0 && patterns.length === 0 && combined === null && isSchema(additional)) {
    return { kind: "map", value: celTypeOf(additional, level + 1) };
  }
  const open = combined !== null || patterns.length > 0 || (additional !== null && additional !== false);
  const fields = [...properties].map(
    ([name, schema]) => [name, propertyType(schema, !object.required.has(name), level)] as const,
  );
  return { kind: "object", fields: Object.fromEntries(fields), open };
}

function isSchema(additional: Schema | null): additional is SchemaNode {
  return additional !== null && typeof additional !== "boolean";
}

/**
 * The prefixes of a path that the schema lets be absent: of `["customer", "id"]`, `["customer"]` where `customer` is not
 * required. What it does not name is not listed.
 */
export function optionalPrefixes(schema: Schema, path: readonly string[]): readonly (readonly string[])[] {
  const found: (readonly string[])[] = [];
  let at: Schema = schema;
  for (const [index, field] of path.entries()) {
    const shape: ObjectShape | null = objectAt(at);
    const next = shape?.properties.get(field);
    if (shape === null || next === undefined) break;
    if (!shape.required.has(field)) found.push(path.slice(0, index + 1));
    at = next;
  }
  return found;
}

/** The schema of a path, through references; null where nothing is said of it. */
export function schemaAt(schema: Schema, path: readonly string[]): Schema | null {
  let at: Schema = schema;
  for (const field of path) {
    const next: Schema | undefined = objectAt(at)?.properties.get(field);
    if (next === undefined) return null;
    at = next;
  }
  return at;
}

function objectAt(schema: Schema): ObjectShape | null {
  let at = schema;
  for (let level = 0; level <= MOST_LEVELS; level++) {
    if (typeof at === "boolean") return null;
    const ref = onlyReference(at);
    if (ref === null) return at.object;
    at = ref;
  }
  return null;
}
