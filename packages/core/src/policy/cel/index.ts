/** The condition language: CEL in SafeRun's profile. Text → `parseCel` → `checkCel` → `compileCel` → `evaluate`. */
export type { Expr } from "./ast.ts";
export { type CheckedCel, checkCel } from "./check.ts";
export { type ExplainedPart, explainCel } from "./explain.ts";
export { CelError, type CelIssue, type CelIssueCode, Fault as CelFault } from "./issues.ts";
export { type ParsedCel, parseCel } from "./parser.ts";
export { printCel } from "./print.ts";
export { type CelProgram, type CelVariables, compileCel } from "./program.ts";
export { toJson } from "./to-json.ts";
export type { CelEnv, CelType } from "./types.ts";
export { CelMap, CelOptional, CelTypeValue, type CelValue, Double, Duration, Timestamp, Uint } from "./values.ts";
