/** Standard Schema (`~standard`), as many validation libraries offer it, as a validator of arguments. */
import type { JsonObject } from "../../value/json.ts";
import type { ArgumentIssue, ArgumentValidator } from "./types.ts";
import { below } from "./validation.ts";

export interface StandardSchema {
  readonly "~standard": { readonly validate: (value: unknown) => unknown };
}

export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const { "~standard": standard } = value as { readonly "~standard"?: { readonly validate?: unknown } };
  return typeof standard === "object" && standard !== null && typeof standard.validate === "function";
}

/**
 * Synchronous only: a promise is a refusal, because evaluation never waits. So is anything that is no answer, and so are
 * arguments that the library would give back otherwise than they are (defaults filled in, unknown ones stripped, texts
 * trimmed): the tool gets what was judged, which must not differ in silence from what its schema makes of it.
 * Its messages may quote values, so only paths are kept.
 */
export function standardValidator(schema: StandardSchema): ArgumentValidator {
  return Object.freeze({
    validate(args: JsonObject): readonly ArgumentIssue[] {
      const result: unknown = schema["~standard"].validate(args);
      if (typeof result !== "object" || result === null || "then" in result) {
        // Its rejection has nowhere to go; the refusal below says enough.
        Promise.resolve(result).catch(() => undefined);
        return [{ path: "", message: "could not be judged: the tool's validator gives no answer at once" }];
      }
      if (!("issues" in result) || result.issues === undefined) {
        if (!("value" in result)) return [{ path: "", message: "could not be judged by the tool's validator" }];
        const path = difference(args, result.value, "");
        return path === null ? [] : [{ path, message: OTHERWISE }];
      }
      const issues: readonly unknown[] = Array.isArray(result.issues) ? result.issues : [];
      const paths = [...new Set(issues.map(pathOf))];
      return (paths.length > 0 ? paths : [""]).map((path) => ({ path, message: "does not fit the tool's own schema" }));
    },
  });
}

const OTHERWISE =
  "must be written as the tool's own schema gives it back: with its defaults, and without what it strips or rewrites";

/** Where the two differ first, as a path; null where they are the same JSON. A property that is undefined is none. */
function difference(args: unknown, made: unknown, path: string): string | null {
  if (args === made) return null;
  if (typeof args !== "object" || typeof made !== "object" || args === null || made === null) return path;
  if (Array.isArray(args) !== Array.isArray(made)) return path;
  if (Array.isArray(args) && Array.isArray(made)) {
    if (args.length !== made.length) return path;
    return first(args.keys(), (index) => difference(args[index], made[index], `${path}[${index}]`));
  }
  const before = args as Readonly<Record<string, unknown>>;
  const after = made as Readonly<Record<string, unknown>>;
  const kept = Object.keys(after).filter((key) => after[key] !== undefined);
  const keys = new Set([...Object.keys(before), ...kept]);
  return first(keys, (key) => {
    const at = below(path, key);
    return Object.hasOwn(before, key) && Object.hasOwn(after, key) ? difference(before[key], after[key], at) : at;
  });
}

function first<Key>(keys: Iterable<Key>, find: (key: Key) => string | null): string | null {
  for (const key of keys) {
    const found = find(key);
    if (found !== null) return found;
  }
  return null;
}

function pathOf(issue: unknown): string {
  if (typeof issue !== "object" || issue === null || !("path" in issue) || !Array.isArray(issue.path)) return "";
  return issue.path.reduce<string>((path, segment: unknown) => {
    const key = typeof segment === "object" && segment !== null && "key" in segment ? segment.key : segment;
    return typeof key === "number" ? `${path}[${key}]` : below(path, String(key));
  }, "");
}
