/** Values inside of arguments by paths such as `lines[0].amount`: what an approver's edit reads and writes, on any channel. */
import type { Json, JsonObject } from "../value/json.ts";

/** Undefined where there is nothing. */
export function editedValue(args: Json, path: string): Json | undefined {
  let node: Json | undefined = args;
  for (const segment of segmentsOf(path)) node = child(node, segment);
  return node;
}

/** A copy with this value there; undefined where the path leads through something that is not there. */
export function withEditedValue(args: Json, path: string, value: Json): Json | undefined {
  return set(args, segmentsOf(path), value);
}

/** Every editable path that these arguments have: `lines[].amount` → `lines[0].amount`, `lines[1].amount`. */
export function editablePaths(args: Json, editable: readonly string[]): string[] {
  return editable.flatMap((path) => expand(args, path.split("[]"), ""));
}

function expand(args: Json, pieces: readonly string[], before: string): string[] {
  const [piece = "", ...rest] = pieces;
  const path = before + piece;
  if (rest.length === 0) return [path];
  const list = editedValue(args, path);
  return Array.isArray(list) ? list.flatMap((_, index) => expand(args, rest, `${path}[${index}]`)) : [];
}

type Segment = string | number;

const SEGMENT = /\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]|[^.[\]]+/g;

/** `lines[0].amount` → `lines`, 0, `amount`; a key that reads like a path stands in quotes: `to["a.b"]`. */
function segmentsOf(path: string): Segment[] {
  return [...path.matchAll(SEGMENT)].map(([segment, quoted, index]) => {
    if (quoted !== undefined) return String(JSON.parse(quoted));
    return index === undefined ? segment : Number(index);
  });
}

function set(node: Json, [segment, ...rest]: readonly Segment[], value: Json): Json | undefined {
  if (segment === undefined) return value;
  const inner = child(node, segment);
  if (inner === undefined && rest.length > 0) return undefined;
  const next = set(inner ?? null, rest, value);
  if (next === undefined) return undefined;
  if (typeof segment === "number" && Array.isArray(node) && segment < node.length) return node.with(segment, next);
  return typeof segment === "string" && isMap(node) ? { ...node, [segment]: next } : undefined;
}

function child(node: Json | undefined, segment: Segment): Json | undefined {
  if (typeof segment === "number") return Array.isArray(node) ? (node[segment] as Json | undefined) : undefined;
  return isMap(node) && Object.hasOwn(node, segment) ? node[segment] : undefined;
}

function isMap(node: Json | undefined): node is JsonObject {
  return typeof node === "object" && node !== null && !Array.isArray(node);
}
