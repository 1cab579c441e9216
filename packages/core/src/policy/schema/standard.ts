/** Standard Schema (`~standard`), as many validation libraries offer it, as a validator of arguments. */
import type { JsonObject } from "../../json.ts";
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
 * Synchronous only: a promise is a refusal, because evaluation never waits. What the library makes of the arguments
 * (defaults, coercions) is not used: the tool gets what was judged. Its messages may quote values, so only paths are kept.
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
        return "value" in result ? [] : [{ path: "", message: "could not be judged by the tool's validator" }];
      }
      const issues: readonly unknown[] = Array.isArray(result.issues) ? result.issues : [];
      const paths = [...new Set(issues.map(pathOf))];
      return (paths.length > 0 ? paths : [""]).map((path) => ({ path, message: "does not fit the tool's own schema" }));
    },
  });
}

function pathOf(issue: unknown): string {
  if (typeof issue !== "object" || issue === null || !("path" in issue) || !Array.isArray(issue.path)) return "";
  return issue.path.reduce<string>((path, segment: unknown) => {
    const key = typeof segment === "object" && segment !== null && "key" in segment ? segment.key : segment;
    return typeof key === "number" ? `${path}[${key}]` : below(path, String(key));
  }, "");
}
