export * from "./approval.ts";
export * from "./breaker/index.ts";
export * from "./bytes.ts";
export * from "./call.ts";
export * from "./decide.ts";
export * from "./decision.ts";
export { changedPaths, covers } from "./edit.ts";
export * from "./errors.ts";
export * from "./gate.ts";
export * from "./json.ts";
export * from "./json-parse.ts";
export * from "./lifecycle.ts";
export * from "./limits.ts";
export * from "./log/append.ts";
export * from "./log/checkpoint.ts";
export * from "./log/entry.ts";
export type { LogFault } from "./log/fault.ts";
export * from "./log/header.ts";
export * from "./log/part.ts";
export * from "./log/proof.ts";
export * from "./log/tree.ts";
export * from "./log/verify.ts";
export * from "./model.ts";
export { analyse } from "./policy/analyse/analyse.ts";
export { ANALYSIS_CODES, type AnalysisCode } from "./policy/analyse/codes.ts";
export { diffPolicies, gainOf, type PolicyDiff, type PolicyDifference } from "./policy/analyse/diff.ts";
export {
  type BinaryOperator as CelOperator,
  childrenOf as celChildren,
  type MacroName as CelMacro,
} from "./policy/cel/ast.ts";
export { Double as CelDouble, type Expr as CelExpr, parseCel, printCel } from "./policy/cel/index.ts";
export type { Zones } from "./policy/cel/types.ts";
export { type CheckOptions, type CheckResult, checkPolicies } from "./policy/check.ts";
export { compilePolicies } from "./policy/compile.ts";
export { POLICY_FORMAT, type PolicyFile } from "./policy/format.ts";
export type { PolicyIssue } from "./policy/issue.ts";
export type { PolicyDocument, PolicyModel } from "./policy/model.ts";
export type { OpaqueContext, OpaqueTest } from "./policy/opaque.ts";
export * from "./policy/policy-set.ts";
export * from "./policy/reference.ts";
export * from "./policy/run-tests.ts";
export { type Field, PATTERNS, type Shape } from "./policy/shape.ts";
export * from "./policy/tree.ts";
export * from "./ports.ts";
export * from "./recover.ts";
export * from "./run.ts";
