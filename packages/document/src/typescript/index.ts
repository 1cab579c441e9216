export { type Budget, type BudgetOptions, budget } from "./budget.ts";
export { cel } from "./builder.ts";
export { type Opaque, type OpaqueOptions, opaque } from "./condition.ts";
export type * from "./expressions.ts";
export { Policy, type PolicyOptions, policy } from "./policy.ts";
export { type Rule, type RuleOptions, rule, type When } from "./rule.ts";
export type { ArgsOfSchema, ArgsSchema, FromJsonSchema, StandardSchema } from "./schema-types.ts";
export { toYaml } from "./to-yaml.ts";
export { type ArgsOfScope, type ToolDefinition, type ToolOptions, type ToolScope, tool } from "./tool.ts";
