/** Declared paths over JSON values: what they pick, and a value without what they name. */
import type { Json, JsonObject } from "../value/json.ts";

type Step = string;

const ITEMS = "[]";
const VALUES = "*";

/** `to[]` → `to`, `[]`; `$.cursor` → `cursor`; `$` → nothing: the whole. */
function stepsOf(path: string): readonly Step[] {
  const steps = path.replaceAll(ITEMS, `.${ITEMS}`).split(".");
  return steps.filter((step) => step !== "" && step !== "$");
}

/** Every value that `path` names, in the value's own order. */
export function pick(value: Json, path: string): readonly Json[] {
  let found: readonly Json[] = [value];
  for (const step of stepsOf(path)) found = found.flatMap((one) => below(one, step));
  return found;
}

function below(value: Json, step: Step): readonly Json[] {
  if (isList(value)) return step === ITEMS ? value : [];
  if (value === null || typeof value !== "object" || step === ITEMS) return [];
  if (step === VALUES) return Object.values(value);
  const own = Object.getOwnPropertyDescriptor(value, step);
  return own === undefined ? [] : [own.value as Json];
}

/** A copy of `value` without what the paths name; items of lists become null, so that their number stays. */
export function without(value: JsonObject, paths: readonly string[]): JsonObject {
  let left: Json = value;
  for (const path of paths) {
    const steps = stepsOf(path);
    if (steps.length > 0) left = drop(left, steps, 0);
  }
  return left as JsonObject;
}

function drop(value: Json, steps: readonly Step[], at: number): Json {
  const step = steps[at];
  const last = at === steps.length - 1;
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) {
    if (step !== ITEMS) return value;
    return value.map((item) => (last ? null : drop(item, steps, at + 1)));
  }
  const entries = Object.entries(value).flatMap(([key, inner]): [string, Json][] => {
    if (step !== VALUES && step !== key) return [[key, inner]];
    return last ? [] : [[key, drop(inner, steps, at + 1)]];
  });
  return Object.fromEntries(entries);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
