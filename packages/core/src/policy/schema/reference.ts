/** `$ref` inside of one document: where it leads, and whether it ever gets anywhere. */
import type { Json, JsonObject } from "../../value/json.ts";
import type { Schema } from "./types.ts";

/** The value at a JSON pointer such as `#/$defs/money`; undefined where there is none. */
export function resolvePointer(document: Json, pointer: string): Json | undefined {
  let value: Json | undefined = document;
  for (const step of pointer === "#" ? [] : pointer.slice(2).split("/")) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as JsonObject)[key];
  }
  return value;
}

/**
 * The pointer of a reference that leads back to itself without a step into the value: judging it would never end. A
 * reference below `properties` or `items` is fine, because a value's nesting is bounded.
 */
export function endlessReference(roots: readonly Schema[]): string | undefined {
  const state = new Map<Schema, "open" | "done">();
  const visit = (schema: Schema): string | undefined => {
    if (typeof schema === "boolean" || schema.combined === null || state.get(schema) === "done") return undefined;
    state.set(schema, "open");
    const { ref } = schema.combined;
    if (ref !== null && state.get(ref.target) === "open") return ref.pointer;
    for (const part of sameValue(schema)) {
      const found = visit(part);
      if (found !== undefined) return found;
    }
    state.set(schema, "done");
    return undefined;
  };
  for (const root of roots) {
    const found = visit(root);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The schemas that judge the same value as this one. */
export function sameValue(schema: Schema): readonly Schema[] {
  if (typeof schema === "boolean" || schema.combined === null) return [];
  const { allOf, anyOf, oneOf, not, if: choice, ref } = schema.combined;
  return [
    ...allOf,
    ...anyOf,
    ...oneOf,
    ...(not === null ? [] : [not]),
    ...(choice === null ? [] : [choice.when, choice.then, choice.else]),
    ...(ref === null ? [] : [ref.target]),
  ];
}
