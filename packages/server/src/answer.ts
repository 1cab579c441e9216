/** The five answers to a decision, the same on every channel (calls.md, Channels). */
import type { ApprovalRecord, DecisionAnswer } from "@saferun/core";
import { printable } from "@saferun/core";

import { stateText } from "./wire/approval-status.ts";

export const ANSWERS = ["applied", "already_decided", "stale_version", "expired", "not_allowed"] as const;
export type AnswerWord = (typeof ANSWERS)[number];

export interface Answer {
  readonly answer: AnswerWord;
  /** One line for the person. */
  readonly message: string;
  readonly approval: ApprovalRecord | undefined;
}

function hint(message: string): string {
  return message.startsWith("this asks for the role") ? "; `SAFERUN_ROLES` says which roles this account has" : "";
}

/** Undefined: there is no such approval, so that there is nothing to answer. */
export function answerOf(answer: DecisionAnswer): Answer | undefined {
  if (answer.status === "applied") {
    return { answer: "applied", message: `applied: ${appliedText(answer.approval)}`, approval: answer.approval };
  }
  if (answer.status === "recorded")
    return { answer: "applied", message: `applied: ${printable(answer.message)}`, approval: answer.approval };
  const { approval, message } = answer;
  switch (answer.reason) {
    case "missing":
      return undefined;
    case "already-decided":
      return { answer: "already_decided", message: approval ? decidedText(approval) : message, approval };
    case "stale-version":
      return { answer: "stale_version", message: `stale version: ${message}`, approval };
    case "expired":
      return { answer: "expired", message: `expired: ${overText(approval) ?? message}`, approval };
    case "already-voted":
      return { answer: "already_decided", message: printable(message), approval };
    case "not-allowed":
      return { answer: "not_allowed", message: `not allowed: ${printable(message)}${hint(message)}`, approval };
    case "malformed":
    case "not-editable":
    case "not-grantable":
    case "suspended":
    case "mismatch":
    case "not-due":
    case "not-approved":
      return { answer: "not_allowed", message: `not allowed: ${printable(message)}`, approval };
  }
}

/** Who it was, with what is known of them. */
export function approverText(by: { readonly id: string; readonly verified: boolean }): string {
  return `${printable(by.id)}${by.verified ? "" : ", not verified"}`;
}

/** A call that ended otherwise, or that policies denied after the answer, took its approval with it: no time ran out. */
function overText(approval: ApprovalRecord | undefined): string | undefined {
  if (approval?.state !== "withdrawn") return undefined;
  return "the call ended without this approval, and waits no more";
}

function appliedText(approval: ApprovalRecord): string {
  const { decision } = approval;
  if (decision === null) return stateText(approval.state);
  const done = decision.verdict === "deny" ? "denied" : decision.edited ? "approved as edited" : "approved";
  return `${done} by ${approverText(decision.by)}`;
}

function decidedText(approval: ApprovalRecord): string {
  const { decision } = approval;
  if (decision === null) return `already decided: ${stateText(approval.state)}`;
  return `already decided by ${approverText(decision.by)}: ${stateText(approval.state)}`;
}
