/** The types that functions take and give. */
import { nearest } from "../nearest.ts";
import { type CompiledPattern, compilePattern } from "../regex/match.ts";
import type { Call, Expr } from "./ast.ts";
import type { Checker } from "./check.ts";
import { ZONED } from "./functions/calendar.ts";
import { formOf, type Overload } from "./functions/overload.ts";
import { functionNames, overloadsOf, RESERVED_FUNCTIONS, resolveCall } from "./functions/table.ts";
import { Fault } from "./issues.ts";
import { MACRO_NAMES } from "./macros.ts";
import { zoneAt } from "./time.ts";
import { type CelType, DYN, kindOfType, withArticle } from "./types.ts";

export function checkCall(call: Call, checker: Checker): CelType {
  const resolved = resolveCall(call, (name) => checker.isVariable(name));
  const args: readonly Expr[] = resolved.method && call.target !== null ? [call.target, ...call.args] : call.args;
  const types = args.map((arg) => checker.visit(arg));
  const name = { start: call.nameStart, end: call.nameStart + call.name.length };
  const overloads = overloadsOf(resolved.name);
  if (overloads.length === 0 && RESERVED_FUNCTIONS.has(resolved.name)) {
    checker.report(name, "not-available", `\`${call.name}\` is not available in this version`);
    return DYN;
  }
  if (overloads.length === 0) {
    const suggestion = nearest(call.name, [...functionNames(), ...MACRO_NAMES]);
    const hint = suggestion === undefined ? "" : `: did you mean \`${suggestion}\`?`;
    checker.report(name, "unknown-function", `unknown function \`${call.name}\`${hint}`, suggestion);
    return DYN;
  }
  const fitting = overloads.filter((overload) => overload.method === resolved.method && fits(overload, types));
  if (fitting.length === 0) {
    checker.report(name, "wrong-type", misuse(call.name, overloads, resolved.method, types));
    return DYN;
  }
  if (resolved.method || call.args.length > 1) checkZone(call, checker);
  if (resolved.name === "matches") checkPattern(args, checker);
  const [first, ...others] = fitting;
  return first !== undefined && others.every((other) => other.result.kind === first.result.kind) ? first.result : DYN;
}

/** True unless a known type contradicts a parameter. */
export function fits(overload: Overload, types: readonly CelType[]): boolean {
  if (overload.params.length !== types.length) return false;
  return overload.params.every((param, index) => {
    const kind = kindOfType(types[index] ?? DYN);
    return param === "dyn" || kind === null || kind === param;
  });
}

function misuse(name: string, overloads: readonly Overload[], asMethod: boolean, types: readonly CelType[]): string {
  const forms = overloads.filter((overload) => overload.method === asMethod);
  if (forms.length === 0) return `\`${name}\` is written \`${[...new Set(overloads.map(formOf))].join("` or `")}\``;
  const given = types.map((type) => withArticle(type.kind)).join(", ");
  const known = given === "" || types.every((type) => type.kind === "dyn") ? "" : `, and was given ${given}`;
  return `\`${name}\` takes \`${[...new Set(forms.map(formOf))].join("` or `")}\`${known}`;
}

function checkZone(call: Call, checker: Checker): void {
  const zone = call.args.at(-1);
  if (!ZONED.has(call.name) || zone?.kind !== "literal" || typeof zone.value !== "string") return;
  const distance = zoneAt(zone.value, 0, checker.zones, 0);
  if (distance instanceof Fault) checker.report(zone, "not-available", distance.message);
}

/** The pattern that a literal holds; null for everything else. */
export function patternOf(expr: Expr): CompiledPattern | null {
  return expr.kind === "literal" && typeof expr.value === "string" ? compilePattern(expr.value) : null;
}

function checkPattern([, pattern]: readonly Expr[], checker: Checker): void {
  if (pattern === undefined) return;
  const compiled = patternOf(pattern);
  if (compiled === null) {
    checker.report(pattern, "invalid-pattern", 'a pattern must be a literal, as in `matches(r"^ORD-[0-9]{6}$")`');
  } else if (!compiled.ok) {
    const { offset, message } = compiled.issue;
    checker.report(pattern, "invalid-pattern", `${message} (character ${offset + 1} of the pattern)`);
  }
}
