/** The condition language: CEL in SafeRun's profile. Text → `parseCel` → `checkCel` → `compileCel` → `evaluate`. */
export type { Expr } from "./ast.ts";
export { checkCel } from "./check.ts";
export { explainCel } from "./explain.ts";
export { CelError, Fault as CelFault } from "./issues.ts";
export { parseCel } from "./parser.ts";
export { printCel } from "./print.ts";
export { type CelProgram, type CelVariables, compileCel } from "./program.ts";
export { toJson } from "./to-json.ts";
export type { CelEnv } from "./types.ts";
export { CelOptional, type CelValue, Double } from "./values.ts";
