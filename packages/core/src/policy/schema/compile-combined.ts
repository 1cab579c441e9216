/** Several schemas for one value, and values that are listed. */
import { canonicalJson, type Json } from "../../value/json.ts";

import type { Combined } from "./types.ts";
import type { Check, Compiler } from "./validation.ts";

/** `enum` and `const`. Numbers are equal by value, objects whatever the order of their keys. */
export function checkAllowed(allowed: readonly Json[]): Check {
  const plain = new Set<Json>(allowed.filter((value) => typeof value !== "object"));
  const structured = new Set(allowed.filter((value) => typeof value === "object").map((value) => canonicalJson(value)));
  const shown = allowed.map((value) => canonicalJson(value)).join(", ");
  const message = shown.length > 200 ? "must be one of the values of the schema" : `must be ${oneOf(allowed, shown)}`;
  return (value, path, run) => {
    const fits = typeof value === "object" ? structured.has(canonicalJson(value)) : plain.has(value);
    return fits || run.miss(path, message);
  };
}

function oneOf(allowed: readonly Json[], shown: string): string {
  return allowed.length === 1 ? shown : `one of ${shown}`;
}

/** Every schema that holds adds the properties that it has judged to `seen`; one that does not hold adds none. */
export function checkCombined(combined: Combined, compiler: Compiler): Check {
  const { allOf, anyOf, oneOf: exactlyOne, not, ref } = combined;
  const checks: Check[] = allOf.map((schema) => compiler.shared(schema));
  if (ref !== null) checks.push(compiler.shared(ref.target));
  if (anyOf.length > 0)
    checks.push(
      checkAlternatives(
        anyOf.map((schema) => compiler.shared(schema)),
        false,
      ),
    );
  if (exactlyOne.length > 0)
    checks.push(
      checkAlternatives(
        exactlyOne.map((schema) => compiler.shared(schema)),
        true,
      ),
    );
  if (not !== null) checks.push(checkNot(compiler.shared(not)));
  if (combined.if !== null) checks.push(checkIf(combined.if, compiler));
  return (value, path, run, seen) => {
    for (const check of checks) if (!check(value, path, run, seen)) return false;
    return true;
  };
}

function checkAlternatives(alternatives: readonly Check[], exactlyOne: boolean): Check {
  const count = alternatives.length;
  const message = `must fit ${exactlyOne ? "exactly one" : "at least one"} of the ${count} alternatives of the schema`;
  return (value, path, run, seen) => {
    let matches = 0;
    for (const check of alternatives) {
      const judged = seen === null ? null : new Set<string>();
      if (!run.silently(check, value, judged)) continue;
      matches++;
      for (const key of judged ?? []) seen?.add(key);
      // Where properties are asked for, each alternative that holds has its say.
      if (!exactlyOne && seen === null) return true;
    }
    if (!run.spend(0)) return false;
    return (exactlyOne ? matches === 1 : matches > 0) || run.miss(path, message);
  };
}

/** Out of work is a miss here as everywhere: what was not judged must not count as "does not hold". */
function checkNot(check: Check): Check {
  return (value, path, run) => {
    const holds = run.silently(check, value, null);
    return (!holds && run.spend(0)) || run.miss(path, "must not be what the schema excludes");
  };
}

function checkIf(choice: NonNullable<Combined["if"]>, compiler: Compiler): Check {
  const when = compiler.shared(choice.when);
  const then = compiler.shared(choice.then);
  const otherwise = compiler.shared(choice.else);
  return (value, path, run, seen) => {
    const judged = seen === null ? null : new Set<string>();
    const holds = run.silently(when, value, judged);
    if (!run.spend(0)) return false;
    if (!holds) return otherwise(value, path, run, seen);
    for (const key of judged ?? []) seen?.add(key);
    return then(value, path, run, seen);
  };
}
