/**
 * The life of an approval as a pure state machine (calls.md, Approvals).
 *
 * An approval is bound to one call digest, consumed once, and answers exactly the pause reasons that its approver saw.
 * The store writes the next row under compare-and-set on `version`: of two decisions one wins, whatever the channel.
 */
import type { PauseReason } from "./decision.ts";
import { unreachable } from "./errors.ts";

export type ApprovalState = "pending" | "approved" | "denied" | "expired" | "withdrawn" | "consumed";

export interface Approver {
  /** `local:NAME` for the account behind a CLI or dashboard of the embedded gate. */
  readonly id: string;
  /** `cli`, `dashboard`, `code`, later the channels. */
  readonly via: string;
  /** False where nobody proved who it is; said wherever the name is shown. */
  readonly verified: boolean;
}

export interface ApprovalRecord {
  readonly id: string;
  /** Compare-and-set; also the version that a card or page shows, so that a stale one is refused. */
  readonly version: number;
  readonly state: ApprovalState;
  readonly call: string;
  readonly run: string;
  readonly tool: string;
  readonly agent: string;
  readonly environment: string;
  /** Digest of the call that is asked about, as proposed or as the policies changed it, and its canonical arguments. */
  readonly digest: string;
  readonly bytes: string;
  readonly reasons: readonly PauseReason[];
  /** Paths that every reason lets the approver change. */
  readonly editable: readonly string[];
  readonly createdAt: number;
  /** Silence until then denies. */
  readonly deadline: number;
  /** Set by the decision. */
  readonly decision: ApprovalDecision | null;
}

export interface ApprovalDecision {
  readonly verdict: "approve" | "deny";
  readonly by: Approver;
  readonly at: number;
  readonly note: string | null;
  /** The arguments that were approved, with their digest: as proposed, or as edited. */
  readonly digest: string;
  readonly bytes: string;
  readonly edited: boolean;
  /** An approval that is not used by then is void. */
  readonly validUntil: number;
}

export type ApprovalEvent =
  | { readonly type: "decide"; readonly version: number; readonly decision: ApprovalDecision; readonly now: number }
  | { readonly type: "expire"; readonly now: number }
  /** Nobody wants the call any more: its signal was aborted, or its arguments now need another question. */
  | { readonly type: "withdraw"; readonly now: number }
  /** Used up by the claim of its call. */
  | { readonly type: "consume"; readonly digest: string; readonly now: number };

/** The answers that every channel must be able to show. */
export type ApprovalRefusal = "already-decided" | "stale-version" | "expired" | "not-due" | "not-approved" | "mismatch";

export type ApprovalStep =
  | { readonly ok: true; readonly approval: ApprovalRecord }
  | { readonly ok: false; readonly reason: ApprovalRefusal };

/** Pure and total: the next row, or why this event has no effect on this state. */
export function stepApproval(approval: ApprovalRecord, event: ApprovalEvent): ApprovalStep {
  switch (event.type) {
    case "decide":
      return decide(approval, event);
    case "expire":
      if (approval.state === "pending") {
        return event.now < approval.deadline ? refuse("not-due") : next(approval, { state: "expired" });
      }
      if (approval.state === "approved" && approval.decision !== null) {
        return event.now < approval.decision.validUntil ? refuse("not-due") : next(approval, { state: "expired" });
      }
      return refuse("already-decided");
    case "withdraw":
      if (approval.state !== "pending" && approval.state !== "approved") return refuse("already-decided");
      return next(approval, { state: "withdrawn" });
    case "consume":
      if (approval.state !== "approved" || approval.decision === null) return refuse("not-approved");
      if (event.now >= approval.decision.validUntil) return refuse("expired");
      if (event.digest !== approval.decision.digest) return refuse("mismatch");
      return next(approval, { state: "consumed" });
    default:
      return unreachable(event);
  }
}

function decide(approval: ApprovalRecord, event: Extract<ApprovalEvent, { type: "decide" }>): ApprovalStep {
  if (approval.state === "expired" || approval.state === "withdrawn") return refuse("expired");
  if (approval.state !== "pending") return refuse("already-decided");
  if (event.now >= approval.deadline) return refuse("expired");
  if (event.version !== approval.version) return refuse("stale-version");
  const { decision } = event;
  if (!decision.edited && decision.digest !== approval.digest) return refuse("mismatch");
  return next(approval, { state: decision.verdict === "approve" ? "approved" : "denied", decision });
}

function next(approval: ApprovalRecord, change: Partial<ApprovalRecord>): ApprovalStep {
  return { ok: true, approval: Object.freeze({ ...approval, ...change, version: approval.version + 1 }) };
}

function refuse(reason: ApprovalRefusal): ApprovalStep {
  return { ok: false, reason };
}
