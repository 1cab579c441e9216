/** Function calls: the overload is chosen by the kinds of the arguments at run time, from those that the types leave open. */
import { type Activation, costOf, OUT_OF_STEPS } from "./activation.ts";
import type { Call, Expr } from "./ast.ts";
import { fits, patternOf } from "./check-call.ts";
import type { Compiler, Evaluate } from "./compile.ts";
import { compileMatches } from "./compile-matches.ts";
import type { Overload } from "./functions/overload.ts";
import { overloadsOf, resolveCall } from "./functions/table.ts";
import { Fault } from "./issues.ts";
import { withArticle, type Zones } from "./types.ts";
import { type CelValue, kindOf, type Outcome } from "./values.ts";

export function compileCall(call: Call, compiler: Compiler): Evaluate {
  const resolved = resolveCall(call, (name) => compiler.isVariable(name));
  const args: readonly Expr[] = resolved.method && call.target !== null ? [call.target, ...call.args] : call.args;
  const types = args.map((arg) => compiler.typeOf(arg));
  const overloads = overloadsOf(resolved.name).filter(
    (overload) => overload.method === resolved.method && fits(overload, types),
  );
  const operands = args.map((arg) => compiler.compile(arg));
  const [text, pattern] = args;
  if (resolved.name === "matches" && text !== undefined && pattern !== undefined && args.length === 2) {
    const compiled = patternOf(pattern);
    if (compiled?.ok) return compileMatches(compiled.pattern, compiler.compile(text), call.nameStart);
  }
  const offset = call.nameStart;
  const { zones } = compiler.env;
  if (overloads.length === 0) {
    const unknown = new Fault(`no function \`${call.name}\` for these arguments`, offset);
    return () => unknown;
  }
  const [only, another] = overloads;
  const [first, second, third] = operands;
  if (
    only !== undefined &&
    another === undefined &&
    first !== undefined &&
    second !== undefined &&
    third === undefined
  ) {
    return compilePair(only, first, second, call, zones);
  }
  return (activation) => {
    const values: CelValue[] = [];
    for (const operand of operands) {
      const value = operand(activation);
      if (value instanceof Fault) return value;
      values.push(value);
    }
    const overload = overloads.find((candidate) => accepts(candidate, values));
    if (overload === undefined) return misfit(call.name, values, offset);
    return invoke(overload, values, activation, offset, zones);
  };
}

/** `text.contains(part)` and its like: nothing to choose. */
function compilePair(
  overload: Overload,
  first: Evaluate,
  second: Evaluate,
  call: Call,
  zones: Zones | undefined,
): Evaluate {
  return (activation) => {
    const a = first(activation);
    if (a instanceof Fault) return a;
    const b = second(activation);
    if (b instanceof Fault) return b;
    const values = [a, b];
    if (!accepts(overload, values)) return misfit(call.name, values, call.nameStart);
    return invoke(overload, values, activation, call.nameStart, zones);
  };
}

function accepts({ params }: Overload, values: readonly CelValue[]): boolean {
  for (let index = 0; index < params.length; index++) {
    const param = params[index];
    if (param !== "dyn" && param !== kindOf(values[index] ?? null)) return false;
  }
  return true;
}

/** Work that grows with a value is paid for by its size, before for what is read and after for what was made. */
function invoke(
  overload: Overload,
  values: readonly CelValue[],
  activation: Activation,
  offset: number,
  zones: Zones | undefined,
): Outcome {
  let cost = overload.steps;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? null;
    if (overload.loops || !Array.isArray(value)) cost += overload.passes * costOf(value);
  }
  if (!activation.spend(cost)) return new Fault(OUT_OF_STEPS, offset);
  const result = overload.invoke(values, offset, zones);
  if (typeof result === "boolean" || result instanceof Fault || activation.spend(costOf(result))) return result;
  return new Fault(OUT_OF_STEPS, offset);
}

function misfit(name: string, values: readonly CelValue[], offset: number): Fault {
  const kinds = values.map((value) => withArticle(kindOf(value))).join(", ");
  return new Fault(`\`${name}\` does not take ${kinds}`, offset);
}
