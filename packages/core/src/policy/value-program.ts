/** An expression that gives a value for an argument, ready to be asked: JSON, nothing, or why there is none. */
import type { Json } from "../value/json.ts";
import {
  type CelEnv,
  CelError,
  CelOptional,
  type CelProgram,
  type CelValue,
  compileCel,
  Double,
  toJson,
} from "./cel/index.ts";
import type { ExpressionModel } from "./model.ts";
import type { Variables } from "./variables.ts";

/** Frozen JSON; null stands for "no value", which the JSON null is not. */
export type GivenValue = { readonly value: Json } | null;

export type ValueProgram = (variables: Variables) => GivenValue;

/** Compiled when first asked for. Any error is "no value": the callers deny. */
export function valueProgram(expression: ExpressionModel, env: CelEnv): ValueProgram {
  let program: CelProgram | undefined;
  return (variables) => {
    try {
      program ??= compileCel(expression.expr, env);
      return given(program.evaluate(variables));
    } catch (error) {
      if (error instanceof CelError) return null;
      throw error;
    }
  };
}

/** What JSON cannot carry exactly is no value; times and exact decimals are sent as text. */
function given(result: CelValue): GivenValue {
  if (result instanceof CelOptional) return result.value === undefined ? null : given(result.value);
  if (typeof result === "bigint" || result instanceof Uint8Array) return null;
  if (result instanceof Double && !Number.isFinite(result.value)) return null;
  return { value: frozen(toJson(result)) };
}

function frozen(value: Json): Json {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) frozen(item);
  return Object.freeze(value);
}
