/** Properties: what each must be, which must be there, and that no other is. */
import type { Json, JsonObject } from "../../value/json.ts";
import { checkPattern } from "./compile-values.ts";

import { sameValue } from "./reference.ts";
import type { ObjectShape, Schema } from "./types.ts";
import { below, type Check, type Compiler, type Validation } from "./validation.ts";

export const NO_PROPERTIES: ObjectShape = {
  properties: new Map(),
  required: new Set(),
  patterns: [],
  additional: null,
  names: null,
  minProperties: null,
  maxProperties: null,
};

const UNKNOWN = "is not an argument of this tool";

/** Whether a schema describes objects at all: only then are properties that it does not name unknown. */
export function speaksOfObjects(schema: Schema, above: ReadonlySet<Schema> = new Set()): boolean {
  if (typeof schema === "boolean" || above.has(schema)) return false;
  const { types, object } = schema;
  if (types?.has("object") || (object !== null && (object.properties.size > 0 || object.patterns.length > 0)))
    return true;
  const path = new Set([...above, schema]);
  return sameValue(schema).some((part) => speaksOfObjects(part, path));
}

/** What no part of the schema has judged is unknown, as with `unevaluatedProperties: false`. */
export function closing(check: Check): Check {
  return (value, path, run) => {
    const seen = new Set<string>();
    if (!check(value, path, run, seen)) return false;
    if (!isObject(value)) return true;
    let fits = true;
    for (const key of Object.keys(value)) if (!seen.has(key)) fits = unknown(key, path, run);
    return fits;
  };
}

/** `closed`: a property that nothing here judges is a miss. Else those that are judged are told to `seen`. */
export function checkObject(shape: ObjectShape, closed: boolean, compiler: Compiler): Check {
  const properties = new Map([...shape.properties].map(([key, schema]) => [key, compiler.at(schema)]));
  const required = [...shape.required];
  const others = checkOthers(shape, closed, compiler);
  const counts = checkCounts(shape);
  return (value, path, run, seen) => {
    if (!isObject(value)) return true;
    let fits = counts === null || counts(value, path, run, null);
    for (const key of Object.keys(value)) {
      const check = properties.get(key);
      const item = value[key] ?? null;
      if (check !== undefined) {
        seen?.add(key);
        if (!check(item, run.issues === null ? "" : below(path, key), run, null)) fits = false;
      }
      if (others !== null && !others(key, item, check !== undefined, path, run, seen)) fits = false;
      if (!fits && run.issues === null) return false;
    }
    for (const key of required) {
      if (!Object.hasOwn(value, key)) fits = run.issues === null ? false : run.miss(below(path, key), "is required");
    }
    return fits;
  };
}

type OtherCheck = (
  key: string,
  item: Json,
  named: boolean,
  path: string,
  run: Validation,
  seen: Set<string> | null,
) => boolean;

/** Everything about a property but `properties`; null where there is nothing to do. */
function checkOthers(shape: ObjectShape, closed: boolean, compiler: Compiler): OtherCheck | null {
  const { additional } = shape;
  const patterns = shape.patterns.map(({ pattern, schema }) => ({
    matches: checkPattern(pattern),
    check: compiler.at(schema),
  }));
  const names = shape.names === null ? null : compiler.at(shape.names);
  const rest = additional === null ? null : compiler.at(additional);
  if (patterns.length === 0 && names === null && rest === null) {
    return closed ? (key, _item, named, path, run) => named || unknown(key, path, run) : null;
  }
  return (key, item, named, path, run, seen) => {
    const at = run.issues === null ? "" : below(path, key);
    let judged = named;
    let fits = names === null || names(key, at, run, null);
    for (const { matches, check } of patterns) {
      // A name that takes too much work to look at counts as judged and as a miss.
      if (run.silently(matches, key, null)) {
        judged = true;
        if (!check(item, at, run, null)) fits = false;
      } else if (!run.spend(0)) fits = false;
    }
    if (!judged && additional === false) fits = unknown(key, path, run);
    else if (!judged && rest !== null) {
      judged = true;
      if (!rest(item, at, run, null)) fits = false;
    }
    if (judged) seen?.add(key);
    else if (closed) fits = unknown(key, path, run);
    return fits;
  };
}

function checkCounts({ minProperties, maxProperties }: ObjectShape): Check | null {
  if (minProperties === null && maxProperties === null) return null;
  const least = minProperties ?? 0;
  const most = maxProperties ?? Number.POSITIVE_INFINITY;
  return (value, path, run) => {
    const count = isObject(value) ? Object.keys(value).length : 0;
    if (count < least) return run.miss(path, `must have at least ${least} properties`);
    return count <= most || run.miss(path, `must have at most ${most} properties`);
  };
}

function unknown(key: string, path: string, run: Validation): false {
  return run.issues === null ? false : run.miss(below(path, key), UNKNOWN);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
