export { type AuditFault, audit, usedOf } from "./budget/audit.ts";
export {
  changePots,
  expireHold,
  type Hold,
  type HoldPart,
  type HoldStep,
  lockOrder,
  type Mark,
  type ModelHold,
  type Pot,
  type PotChange,
  type Proof,
  potId,
  type Reservation,
  raiseLimit,
  reserve,
  type Shortage,
  settle,
  voidHold,
} from "./budget/hold.ts";
export { inputTokenBound, modelCost, type TokenCost } from "./budget/model-spend.ts";
export { type WindowNow, windowAt, type ZoneOffset } from "./budget/window.ts";
export { errorClass, type Failure, failureOf, healthOf, isOfHealth } from "./error-class.ts";
export { HEALTH } from "./health.ts";
export {
  type Breaker,
  type BreakerEvent,
  type BreakerRefusal,
  type BreakerStep,
  breakerId,
  CLOSED as CLOSED_BREAKER,
  type Probe,
  stepBreaker,
  type Trip,
  type TripCause,
} from "./latch.ts";
export type { Act } from "./loop/acts.ts";
export { type AgentEvent, type AgentHistory, type AgentStep, newAgent, stepAgent } from "./loop/agent.ts";
export type { Spending } from "./loop/conduct.ts";
export { type Finding, findingDigest, ruleOf, severest } from "./loop/finding.ts";
export { type CallKeys, callKeys, type Fingerprint, type ResultKeys, resultKeys } from "./loop/fingerprint.ts";
export { newRun, type OpenCall, type RunHistory } from "./loop/history.ts";
export { type RunEvent, type RunStep, recheckRun, stepRun } from "./loop/step.ts";
export { type Actor, mayReset, mayStop, RESET_ROLE } from "./person.ts";
export * from "./protect/motion.ts";
export * from "./protect/objection.ts";
export { protect } from "./protect/protect.ts";
export {
  agentRowId,
  breakerRowId,
  decodeHold,
  decodePot,
  parseBreakerRowId,
  type RunRow,
  type StopBoard,
} from "./protect/rows.ts";
export {
  coversCall,
  liftStop,
  mayStart,
  PERMIT_MS,
  placeStop,
  REFRESH_MS,
  type Stop,
  type StopPermit,
  type StoppableCall,
  type StopScope,
  type StopStep,
  stopRule,
} from "./stop.ts";
