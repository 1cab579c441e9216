/** A compiled condition: the edge at which errors become throws. */
import { Activation } from "./activation.ts";
import type { Expr } from "./ast.ts";
import { Compiler, type Evaluate } from "./compile.ts";
import { required } from "./compile-logical.ts";
import { CelError, Fault } from "./issues.ts";
import type { CelEnv } from "./types.ts";
import type { CelValue, Outcome } from "./values.ts";

export type CelVariables = Readonly<Record<string, unknown>>;

export interface CelProgram {
  /** @throws CelError on any error of the evaluation, and on nothing else. */
  evaluate(vars: CelVariables): CelValue;
  /** @throws CelError also where the value is neither true nor false. */
  evaluateBool(vars: CelVariables): boolean;
  /** The same without a throw, for paths on which an error is an expected answer. */
  tryBool(vars: CelVariables): boolean | Fault;
}

/** Compiles what was parsed. It need not have passed `checkCel`: what that refuses is an error when it is evaluated. */
export function compileCel(expr: Expr, env: CelEnv): CelProgram {
  const compiler = new Compiler(expr, env);
  const root = compiler.compile(expr);
  const slots = compiler.slots;
  return Object.freeze({
    evaluate: (vars: CelVariables) => {
      const value = run(root, vars, slots);
      if (value instanceof Fault) throw new CelError(value.message, value.offset);
      return value;
    },
    evaluateBool: (vars: CelVariables) => {
      const value = run(root, vars, slots);
      if (typeof value === "boolean") return value;
      const fault = required(value, "when", expr.start);
      throw new CelError(fault.message, fault.offset);
    },
    tryBool: (vars: CelVariables) => {
      const value = run(root, vars, slots);
      return typeof value === "boolean" ? value : required(value, "when", expr.start);
    },
  });
}

const NO_LOCALS: CelValue[] = [];

/** Total, whatever the variables hold: a getter or proxy that throws, or values nested too deep for the stack, are errors. */
function run(root: Evaluate, vars: CelVariables, slots: number): Outcome {
  try {
    return root(new Activation(vars, slots === 0 ? NO_LOCALS : new Array<CelValue>(slots).fill(null)));
  } catch {
    return new Fault("a value that cannot be read", 0);
  }
}
