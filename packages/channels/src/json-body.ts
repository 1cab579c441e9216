/** A body that should be JSON, and careful steps into what it holds. */
import { type Json, type JsonObject, JsonTextProblem, parseJson } from "@saferun/core";

/** Undefined for anything but one strict JSON value in UTF-8. */
export function jsonOf(body: Uint8Array | string): Json | undefined {
  try {
    return parseJson(typeof body === "string" ? body : new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    if (error instanceof JsonTextProblem || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The value below these keys, own properties only. */
export function at(value: Json | undefined, ...keys: readonly string[]): Json | undefined {
  let node = value;
  for (const key of keys) node = isMap(node) && Object.hasOwn(node, key) ? node[key] : undefined;
  return node;
}

export function textAt(value: Json | undefined, ...keys: readonly string[]): string | undefined {
  const found = at(value, ...keys);
  return typeof found === "string" ? found : undefined;
}

export function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
