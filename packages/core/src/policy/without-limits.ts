/** What a policy set says of limits where nothing is declared. */
import { NO_UNITS } from "../argument-units.ts";
import type { ApprovalTerms } from "../decision.ts";
import { LOOP_DEFAULTS } from "../detectors.ts";
import { KEPT_WHOLE } from "../keeping.ts";
import { LIMITS } from "../limits.ts";
import { UNDECLARED_TOOL } from "../traits.ts";
import type { PolicySet } from "./policy-set.ts";

/** The route `default` where no file declares it. */
const DEFAULT_TERMS: ApprovalTerms = Object.freeze({
  route: "default",
  to: Object.freeze(["dashboard"]),
  roles: Object.freeze(["approver"]),
  need: 1,
  withinMs: LIMITS.approvalWithinMs,
  show: Object.freeze([]),
  editable: Object.freeze([]),
});

/** No budgets, the detectors' defaults, and tools of which nothing is known. */
export const WITHOUT_LIMITS: Pick<
  PolicySet,
  | "observes"
  | "readsHistory"
  | "editFields"
  | "units"
  | "traits"
  | "keeping"
  | "conversationSeal"
  | "indexed"
  | "detectors"
  | "budgets"
  | "modelBudgets"
  | "approval"
> = Object.freeze({
  observes: () => false,
  readsHistory: () => false,
  editFields: () => [],
  units: () => NO_UNITS,
  traits: () => UNDECLARED_TOOL,
  keeping: () => KEPT_WHOLE,
  conversationSeal: () => null,
  indexed: Object.freeze([]),
  detectors: () => LOOP_DEFAULTS,
  budgets: () => [],
  modelBudgets: () => [],
  approval: DEFAULT_TERMS,
});
