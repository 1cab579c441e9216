/** Paths into arguments (`customer.id`): reading, and copies with one value written or taken out. Named members only. */
import type { Json, JsonObject } from "../value/json.ts";

export type ArgumentPath = readonly string[];

const PROTOTYPE_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** `args.customer.id` and `customer.id` are one path; null where a step would reach an object's prototype. */
export function argumentPath(written: string): ArgumentPath | null {
  const path = written.replace(/^args\./, "").split(".");
  return path.some((step) => PROTOTYPE_KEYS.has(step)) ? null : path;
}

/** One is the other, or stands above it. */
export function pathsMeet(a: ArgumentPath, b: ArgumentPath): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  return short.every((step, index) => step === long[index]);
}

/** Undefined where there is nothing. */
export function valueAt(args: JsonObject, path: ArgumentPath): Json | undefined {
  let value: Json | undefined = args;
  for (const step of path) {
    if (!isMap(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}

/** A frozen copy with this value there. Absent maps on the way are made; null where something else stands in the way. */
export function withValue(args: JsonObject, path: ArgumentPath, value: Json): JsonObject | null {
  const [step, ...rest] = path;
  if (step === undefined) return null;
  if (rest.length === 0) return Object.freeze({ ...args, [step]: value });
  const inner = (Object.hasOwn(args, step) ? args[step] : null) ?? {};
  const changed = isMap(inner) ? withValue(inner, rest, value) : null;
  return changed === null ? null : Object.freeze({ ...args, [step]: changed });
}

/** A frozen copy without what is there; the same object where there is nothing. */
export function withoutValue(args: JsonObject, path: ArgumentPath): JsonObject {
  const [step, ...rest] = path;
  if (step === undefined || !Object.hasOwn(args, step)) return args;
  if (rest.length === 0) {
    return Object.freeze(Object.fromEntries(Object.entries(args).filter(([key]) => key !== step)));
  }
  const inner = args[step];
  const changed = isMap(inner) ? withoutValue(inner, rest) : inner;
  return changed === undefined || changed === inner ? args : Object.freeze({ ...args, [step]: changed });
}

export function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
