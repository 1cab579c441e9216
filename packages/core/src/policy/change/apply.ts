/** Changes of the rules that matched, applied once to one snapshot: clamp, drop, set, redact, whatever the file order. */
import type { Json, JsonObject } from "../../value/json.ts";
import { type ArgumentPath, valueAt, withoutValue, withValue } from "../argument-path.ts";
import type { CelEnv } from "../cel/index.ts";
import type { ChangeModel } from "../model.ts";
import { type ValueProgram, valueProgram } from "../value-program.ts";
import type { Variables } from "../variables.ts";
import { RedactionProblem, redacted } from "./redact.ts";

/** A change with the rule that asks for it. */
export type CompiledChange = { readonly rule: string; readonly path: ArgumentPath } & (
  | Pick<Extract<ChangeModel, { kind: "clamp" }>, "kind" | "min" | "max" | "missing">
  | { readonly kind: "drop" }
  | { readonly kind: "set"; readonly to: ValueProgram }
  | Pick<Extract<ChangeModel, { kind: "redact" }>, "kind" | "kinds" | "match" | "with">
);

export type Changed = { readonly args: JsonObject } | { readonly failed: readonly string[] };

export function compileChanges(rule: string, changes: readonly ChangeModel[], env: CelEnv): readonly CompiledChange[] {
  return changes.map((change) =>
    change.kind === "set" ? { ...change, rule, to: valueProgram(change.to, env) } : { ...change, rule },
  );
}

/** The snapshot is `variables`, with `args` as judged. `failed`: ids of the rules whose change could not be made. */
export function applyChanges(changes: readonly CompiledChange[], args: JsonObject, variables: Variables): Changed {
  const failed = new Set<string>();
  let result = args;
  const attempt = (rules: readonly string[], next: JsonObject | null): void => {
    if (next === null) for (const rule of rules) failed.add(rule);
    else result = next;
  };
  for (const clamp of clampsOf(changes)) attempt(clamp.rules, clamped(result, clamp));
  for (const change of changes) if (change.kind === "drop") result = withoutValue(result, change.path);
  for (const change of changes) {
    if (change.kind !== "set") continue;
    const given = change.to(variables);
    attempt([change.rule], given === null ? null : withValue(result, change.path, given.value));
  }
  for (const change of changes) if (change.kind === "redact") attempt([change.rule], redact(result, change));
  return failed.size > 0 ? { failed: [...failed].sort() } : { args: result };
}

/** All clamps of one argument, as one: they meet at the tightest. */
interface Clamp {
  readonly rules: readonly string[];
  readonly path: ArgumentPath;
  readonly min: number;
  readonly max: number;
  readonly missing: "set" | "error";
}

function clampsOf(changes: readonly CompiledChange[]): Iterable<Clamp> {
  const clamps = new Map<string, Clamp>();
  for (const change of changes) {
    if (change.kind !== "clamp") continue;
    const key = change.path.join(".");
    const known = clamps.get(key);
    clamps.set(key, {
      rules: [...(known?.rules ?? []), change.rule],
      path: change.path,
      min: Math.max(known?.min ?? Number.NEGATIVE_INFINITY, change.min ?? Number.NEGATIVE_INFINITY),
      max: Math.min(known?.max ?? Number.POSITIVE_INFINITY, change.max ?? Number.POSITIVE_INFINITY),
      missing: known?.missing === "error" ? "error" : change.missing,
    });
  }
  return clamps.values();
}

/** Null where there is no number to clamp, or no number within all bounds. */
function clamped(args: JsonObject, { path, min, max, missing }: Clamp): JsonObject | null {
  if (min > max) return null;
  const value = valueAt(args, path);
  if (value === undefined) {
    return missing === "error" ? null : withValue(args, path, Number.isFinite(max) ? max : min);
  }
  if (typeof value !== "number") return null;
  const within = Math.min(Math.max(value, min), max);
  return within === value ? args : withValue(args, path, within);
}

function redact(args: JsonObject, change: Extract<CompiledChange, { kind: "redact" }>): JsonObject | null {
  const value = valueAt(args, change.path);
  if (value === undefined) return args;
  try {
    const clean: Json = redacted(value, change);
    return clean === value ? args : withValue(args, change.path, clean);
  } catch (error) {
    if (error instanceof RedactionProblem) return null;
    throw error;
  }
}
