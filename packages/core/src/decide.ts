/** A person's answer to an approval request, from whatever channel: one function, five answers, one compare-and-set. */
import {
  type ApprovalDecision,
  type ApprovalRecord,
  type ApprovalRefusal,
  type Approver,
  stepApproval,
} from "./approval.ts";
import { normalize, type ToolCall } from "./call.ts";
import { lockedChanges } from "./edit.ts";
import { invariant } from "./errors.ts";
import { type CallRecord, stepCall } from "./lifecycle.ts";
import { LIMITS } from "./limits.ts";
import type { EntryDraft } from "./log/entry.ts";
import type { Clock, Hash, Random, Store } from "./ports.ts";
import { part } from "./record.ts";

export interface DecisionRequest {
  readonly approval: string;
  /** The version that the person was looking at; absent means whatever is current. */
  readonly version?: number;
  readonly verdict: "approve" | "deny";
  readonly by: Approver;
  readonly note?: string;
  /** All arguments as the approver wants them; absent means as proposed. */
  readonly args?: unknown;
}

export type DecisionAnswer =
  | { readonly status: "applied"; readonly approval: ApprovalRecord }
  | {
      readonly status: "refused";
      readonly reason: ApprovalRefusal | "missing" | "malformed" | "not-editable";
      /** For the person, one line. */
      readonly message: string;
      readonly approval?: ApprovalRecord;
    };

export interface DecisionPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly hash: Hash;
  readonly random: Random;
}

/**
 * Decides an approval and its call in one transaction. The gate that waits evaluates the approved arguments again before
 * it claims the call: an approval never turns a deny into anything.
 * @throws SafeRunError when the store cannot record it; then nothing was decided.
 */
export async function decideApproval(ports: DecisionPorts, request: DecisionRequest): Promise<DecisionAnswer> {
  const { store, clock } = ports;
  for (let tries = 0; tries < 3; tries++) {
    const approval = await store.approval(request.approval);
    if (approval === undefined)
      return { status: "refused", reason: "missing", message: `no approval \`${request.approval}\`` };
    const call = await store.call(approval.call);
    invariant(call, "an approval has a call");

    const version = approvedCall(approval, request, ports.hash);
    if ("refused" in version) return { status: "refused", reason: version.refused, message: version.message, approval };
    // A clock that went back makes no decision older than its question.
    const now = Math.max(clock.now(), approval.createdAt);
    const decision: ApprovalDecision = {
      verdict: request.verdict,
      by: request.by,
      at: now,
      note: request.note ?? null,
      digest: version.call.digest,
      bytes: version.call.bytes,
      edited: version.call.digest !== approval.digest,
      validUntil: now + LIMITS.approvalValidMs,
    };
    const decided = stepApproval(approval, {
      type: "decide",
      version: request.version ?? approval.version,
      decision,
      now,
    });
    if (!decided.ok)
      return { status: "refused", reason: decided.reason, message: refusalText(decided.reason, approval), approval };
    const { digest, bytes } = decision;
    const step = stepCall(
      call,
      request.verdict === "approve" ? { type: "approve", digest, bytes, now } : { type: "deny", now },
    );
    if (!step.ok) return { status: "refused", reason: "expired", message: "the call is over", approval };
    const result = await store.commit({
      calls: [{ row: step.call, expect: call.version }],
      approvals: [{ row: decided.approval, expect: approval.version }],
      entries: [decidedEntry(call, decided.approval, decision, ports.random)],
    });
    if (result.ok) return { status: "applied", approval: decided.approval };
  }
  return { status: "refused", reason: "already-decided", message: "somebody else decided at the same moment" };
}

type Version =
  | { readonly call: ToolCall }
  | { readonly refused: "malformed" | "not-editable"; readonly message: string };

/** The call as the approver wants it: as proposed, or edited within the editable paths. */
function approvedCall(approval: ApprovalRecord, request: DecisionRequest, hash: Hash): Version {
  const { tool, agent, environment } = approval;
  const proposed: unknown = JSON.parse(approval.bytes);
  const edits = request.verdict === "approve" && request.args !== undefined;
  const normalized = normalize({ tool, agent, environment, args: edits ? request.args : proposed }, hash);
  if (!normalized.ok)
    return { refused: "malformed", message: `${normalized.malformed.path}: ${normalized.malformed.message}` };
  const locked = lockedChanges(approval, normalized.call.args);
  if (locked.length > 0) {
    const allowed =
      approval.editable.length === 0
        ? "nothing in this call may be edited"
        : `only ${approval.editable.join(", ")} may be edited`;
    return { refused: "not-editable", message: `${locked.join(", ")} may not be changed; ${allowed}` };
  }
  return { call: normalized.call };
}

function decidedEntry(
  call: CallRecord,
  approval: ApprovalRecord,
  decision: ApprovalDecision,
  random: Random,
): EntryDraft {
  const { by, note, edited, digest, validUntil } = decision;
  const parts = [
    part("actor", { by, note, edited, digest, validUntil }, random),
    part("arguments", JSON.parse(decision.bytes), random),
  ];
  const verdict = decision.verdict === "approve" ? "allow" : "deny";
  return { type: "approval.decided", run: call.run, call: call.id, approval: approval.id, verdict, parts };
}

function refusalText(reason: ApprovalRefusal, approval: ApprovalRecord): string {
  switch (reason) {
    case "already-decided":
      return `already ${approval.state}${approval.decision === null ? "" : ` by ${approval.decision.by.id}`}`;
    case "stale-version":
      return "the request has changed since it was shown; look at it again";
    case "expired":
      return "the time for this approval is over, and the call was not run";
    case "mismatch":
      return "the arguments are not the ones of this approval";
    case "not-due":
    case "not-approved":
      return "the approval is not in a state in which this is possible";
  }
}
