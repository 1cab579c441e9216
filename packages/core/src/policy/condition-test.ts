/** A condition as a question; compiled when it is first asked. */
import { type CelFault, type CelProgram, type CelVariables, compileCel, type Expr } from "./cel/index.ts";
import type { CelEnv } from "./cel/types.ts";

export type Test = (variables: CelVariables) => boolean | CelFault;

/** Of ten thousand conditions a process asks few: the others cost nothing but their trees. */
export function conditionTest(expr: Expr, env: CelEnv): Test {
  let program: CelProgram | undefined;
  return (variables) => {
    program ??= compileCel(expr, env);
    return program.tryBool(variables);
  };
}
