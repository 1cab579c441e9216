/** All functions of the language, by name. */
import type { Call } from "../ast.ts";
import { CALENDAR_FUNCTIONS } from "./calendar.ts";
import { CONVERSIONS } from "./conversions.ts";
import { OPTIONAL_FUNCTIONS } from "./optionals.ts";
import type { Overload } from "./overload.ts";
import { TEXT_FUNCTIONS } from "./text.ts";
import { TYPED_FUNCTIONS } from "./typed.ts";

const TABLE: ReadonlyMap<string, readonly Overload[]> = byName([
  ...TEXT_FUNCTIONS,
  ...CONVERSIONS,
  ...CALENDAR_FUNCTIONS,
  ...OPTIONAL_FUNCTIONS,
  ...TYPED_FUNCTIONS,
]);

function byName(overloads: readonly Overload[]): Map<string, Overload[]> {
  const table = new Map<string, Overload[]>();
  for (const overload of overloads) {
    const same = table.get(overload.name);
    if (same === undefined) table.set(overload.name, [overload]);
    else same.push(overload);
  }
  return table;
}

/** Functions of features to come. */
export const RESERVED_FUNCTIONS: ReadonlySet<string> = new Set(["record", "records", "grounded", "origin"]);

/** Namespaces that look like a receiver: `optional.of(x)`. */
const NAMESPACES: ReadonlySet<string> = new Set(["optional"]);

/** A call with its namespace resolved: the function's full name, and its arguments with the receiver first. */
export function resolveCall(call: Call, isVariable: (name: string) => boolean): { name: string; method: boolean } {
  const { target } = call;
  if (target === null) return { name: call.name, method: false };
  if (target.kind === "identifier" && NAMESPACES.has(target.name) && !isVariable(target.name)) {
    return { name: `${target.name}.${call.name}`, method: false };
  }
  return { name: call.name, method: true };
}

export function overloadsOf(name: string): readonly Overload[] {
  return TABLE.get(name) ?? [];
}

export function functionNames(): Iterable<string> {
  return TABLE.keys();
}
