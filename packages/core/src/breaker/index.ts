export * from "./error-class.ts";
export * from "./loop/agent.ts";
export type { Spending } from "./loop/conduct.ts";
export { type Finding, ruleOf, severest } from "./loop/finding.ts";
export * from "./loop/fingerprint.ts";
export { type Act, newRun, type OpenCall, type RunHistory } from "./loop/history.ts";
export * from "./loop/settings.ts";
export * from "./loop/step.ts";
export * from "./tool.ts";
