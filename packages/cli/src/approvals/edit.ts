/** An approver's edit: one value at a path of the arguments. */
import { changedPaths, type Json, type JsonObject, JsonTextProblem, parseJson } from "@saferun/core";
import { usage } from "../exit.ts";
import { printable } from "../output/printable.ts";
import { leaf } from "../output/tree.ts";

/**
 * `path=value` applied to a copy. Where a text stands now the value is that text as typed; elsewhere it is JSON.
 * @throws CommandError (usage) when the path does not exist in the arguments or the value is no JSON.
 */
export function withSetting(args: Json, setting: string): Json {
  const at = setting.indexOf("=");
  if (at <= 0) throw usage(`\`--set ${printable(setting)}\` is not \`path=value\``);
  const path = setting.slice(0, at);
  return withValue(args, path, typedValue(valueAt(args, path), setting.slice(at + 1), path));
}

/** What a person typed, as the type of what stood there before. */
export function typedValue(before: Json | undefined, typed: string, path: string): Json {
  if (typeof before === "string") return typed;
  try {
    return parseJson(typed);
  } catch (error) {
    if (!(error instanceof JsonTextProblem)) throw error;
    if (before === undefined) return typed;
    throw usage(`the value for \`${printable(path)}\` must be JSON, as ${leaf(before)} is; put texts in double quotes`);
  }
}

export function valueAt(args: Json, path: string): Json | undefined {
  let node: Json | undefined = args;
  for (const segment of segmentsOf(path)) node = child(node, segment);
  return node;
}

/** A copy with one value set; all parents must exist. */
export function withValue(args: Json, path: string, value: Json): Json {
  return set(args, segmentsOf(path), value, path);
}

function set(node: Json, segments: readonly (string | number)[], value: Json, path: string): Json {
  const [segment, ...rest] = segments;
  if (segment === undefined) return value;
  const inner = child(node, segment);
  if (inner === undefined && rest.length > 0) throw usage(`the arguments have nothing at \`${printable(path)}\``);
  const next = set(inner ?? null, rest, value, path);
  if (typeof segment === "number" && Array.isArray(node) && segment < node.length) return node.with(segment, next);
  if (typeof segment === "string" && isMap(node)) return { ...node, [segment]: next };
  throw usage(`the arguments have nothing at \`${printable(path)}\``);
}

/** Every editable path that exists in these arguments: `lines[].amount` → `lines[0].amount`, `lines[1].amount`. */
export function editablePaths(args: Json, editable: readonly string[]): string[] {
  return editable.flatMap((path) => expand(args, path.split("[]"), ""));
}

function expand(args: Json, pieces: readonly string[], before: string): string[] {
  const [piece = "", ...rest] = pieces;
  const path = before + piece;
  if (rest.length === 0) return [path];
  const list = valueAt(args, path);
  return Array.isArray(list) ? list.flatMap((_, index) => expand(args, rest, `${path}[${index}]`)) : [];
}

export interface Difference {
  readonly path: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

export function differences(before: Json, after: Json): Difference[] {
  return changedPaths(before, after).map((path) => ({
    path,
    before: valueAt(before, path),
    after: valueAt(after, path),
  }));
}

/** `lines[0].amount` → `lines`, 0, `amount`. */
function segmentsOf(path: string): (string | number)[] {
  return path
    .split(/\.|(?=\[)/)
    .filter((segment) => segment !== "")
    .map((segment) => {
      const index = /^\[(\d+)\]$/.exec(segment)?.[1];
      return index === undefined ? segment : Number(index);
    });
}

function child(node: Json | undefined, segment: string | number): Json | undefined {
  if (typeof segment === "number") return Array.isArray(node) ? (node[segment] as Json | undefined) : undefined;
  return isMap(node) && Object.hasOwn(node, segment) ? node[segment] : undefined;
}

function isMap(node: Json | undefined): node is JsonObject {
  return typeof node === "object" && node !== null && !Array.isArray(node);
}
