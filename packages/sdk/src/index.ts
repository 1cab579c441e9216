export { SafeRunError } from "@saferun/core";
export { budget, cel, opaque, type Policy, policy, rule, tool, toYaml } from "@saferun/document";
export { type DeniedCall, type EditNote, isDenied } from "./denied.ts";
export type { ModelOptions, WrapOptions } from "./options.ts";
export type { PausedAnswer, PausedCall } from "./paused-call.ts";
export type { PriceEntry, PriceTable } from "./prices.ts";
export type { RedactOptions } from "./redacting.ts";
export type { RunFacts } from "./run-facts.ts";
export { type CurrentCall, type Gated, type GatedFunction, saferun } from "./saferun.ts";
