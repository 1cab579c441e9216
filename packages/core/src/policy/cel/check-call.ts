/** The types that functions take and give. */
import type { Call, Expr } from "./ast.ts";
import type { Checker } from "./check.ts";
import { ZONED } from "./functions/calendar.ts";
import type { Overload } from "./functions/overload.ts";
import { functionNames, overloadsOf, resolveCall } from "./functions/table.ts";
import { nearest } from "./issues.ts";
import { MACRO_NAMES } from "./macros.ts";
import { ZONE_ADVICE, zoneSeconds } from "./time.ts";
import { type CelType, DYN, kindOfType, withArticle } from "./types.ts";

export function checkCall(call: Call, checker: Checker): CelType {
  const resolved = resolveCall(call, (name) => checker.isVariable(name));
  const args: readonly Expr[] = resolved.method && call.target !== null ? [call.target, ...call.args] : call.args;
  const types = args.map((arg) => checker.visit(arg));
  const name = { start: call.nameStart, end: call.nameStart + call.name.length };
  const overloads = overloadsOf(resolved.name);
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
  checkZone(call, checker);
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
  if (forms.length === 0) return `\`${name}\` is written \`${[...new Set(overloads.map(form))].join("` or `")}\``;
  const given = types.map((type) => withArticle(type.kind)).join(", ");
  const known = given === "" || types.every((type) => type.kind === "dyn") ? "" : `, and was given ${given}`;
  return `\`${name}\` takes \`${[...new Set(forms.map(form))].join("` or `")}\`${known}`;
}

function form(overload: Overload): string {
  const params = overload.params.map((param) => (param === "dyn" ? "value" : param));
  if (!overload.method) return `${overload.name}(${params.join(", ")})`;
  return `${params[0] ?? "value"}.${overload.name}(${params.slice(1).join(", ")})`;
}

function checkZone(call: Call, checker: Checker): void {
  const [zone] = call.args;
  if (!ZONED.has(call.name) || zone?.kind !== "literal" || typeof zone.value !== "string") return;
  if (zoneSeconds(zone.value) === null) checker.report(zone, "not-available", ZONE_ADVICE);
}
