/** JSON as its single values, each with the path that people know it by. */
import type { Json } from "./json.ts";

export interface Leaf {
  /** `amount`, `to[0].mail`, `["odd key"].x`. */
  readonly path: string;
  readonly value: Json;
}

/** Every value with its path, empty lists and maps included: together they are all of them. */
export function leavesOf(value: Json, path = ""): readonly Leaf[] {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  const children = Array.isArray(value)
    ? (value as readonly Json[]).map((item, index): [string, Json] => [memberPath(path, index), item])
    : Object.entries(value).map(([key, item]): [string, Json] => [memberPath(path, key), item]);
  return children.length === 0 ? [{ path, value }] : children.flatMap(([at, item]) => leavesOf(item, at));
}

const PLAIN_KEY = /^[\p{L}_$][\p{L}\p{N}_$-]*$/u;

/** The path of a list's item, or of a map's member: a key that could be read as another path stands in brackets. */
export function memberPath(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  if (!PLAIN_KEY.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}
