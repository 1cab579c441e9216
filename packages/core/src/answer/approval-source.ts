/**
 * How a channel gets from the question that `onPause` was given to the stored approval behind it.
 *
 * A question is plain data for people and code; a channel also needs the version that it shows, and a way to record the
 * answer of a person whom it knows. Both stand under one symbol, out of the way of whoever prints or copies a question.
 */
import type { ApprovalRecord } from "../approval/approval.ts";
import type { DecisionPorts } from "./decide.ts";

export const APPROVAL_SOURCE: unique symbol = Symbol.for("saferun.approval-source/v1");

export interface ApprovalSource {
  readonly approval: ApprovalRecord;
  /** Where the answer is recorded. Whoever holds them can decide: they never leave the process. */
  readonly ports: DecisionPorts;
}
