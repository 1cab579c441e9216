/**
 * The life of a gated call as a pure state machine (calls.md, States).
 *
 * The row that the store keeps is `CallRecord`; `stepCall` is the only place that says which state may follow which.
 * The store writes the next row under compare-and-set on `version`, so that of two racing steps one wins.
 */
import type { ToolCall } from "./call.ts";
import { unreachable } from "./errors.ts";
import { KEPT_WHOLE, type Keeping, keepsRows, keptInRow } from "./keeping.ts";
import { LIMITS } from "./limits.ts";
import { canonicalJson, type Json } from "./value/json.ts";

/** `proposed` and `decided` are never at rest: the transaction that proposes a call also decides it. */
export type CallState =
  | "pending"
  | "approved"
  | "executing"
  | "succeeded"
  | "failed"
  | "unknown"
  | "denied"
  | "expired";

export type Outcome = "succeeded" | "failed" | "unknown";

export interface CallRecord {
  readonly id: string;
  /** Compare-and-set: grows by one with every write. */
  readonly version: number;
  readonly state: CallState;
  readonly run: string;
  /** The run at the top of its tree. */
  readonly root: string;
  /** The caller's own key, unique within its run; the same key with another digest is an error. */
  readonly key: string | null;
  readonly tool: string;
  readonly agent: string;
  readonly environment: string;
  /** Digest of the call as the agent proposed it; never changes. */
  readonly proposed: string;
  /** Digest of the call as it would be executed now: as proposed, as the policies changed it, or after an approver's edit. */
  readonly digest: string;
  /** Canonical arguments, exact; null once the call is final. */
  readonly bytes: string | null;
  /** Policy revision of the latest decision. */
  readonly revision: string;
  readonly approval: string | null;
  /** How the record keeps its content. Absent: whole. */
  readonly keep?: Keeping;
  /** The writer that executes it; null before. */
  readonly owner: string | null;
  /** Grows with each claim: a report with an older fence is refused. */
  readonly fence: number;
  /** Ms; after this an executing call's outcome is unknown. */
  readonly leaseUntil: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type CallEvent =
  | { readonly type: "approve"; readonly digest: string; readonly bytes: string; readonly now: number }
  /** The call as it stands now needs another question: back to waiting, for another approval. */
  | {
      readonly type: "ask";
      readonly approval: string;
      readonly revision: string;
      /** The call that is asked about. */
      readonly digest: string;
      readonly bytes: string;
      readonly now: number;
    }
  | { readonly type: "deny"; readonly now: number }
  | { readonly type: "expire"; readonly now: number }
  /** The claim: durable before the tool is contacted. */
  | {
      readonly type: "claim";
      readonly owner: string;
      readonly leaseUntil: number;
      readonly revision: string;
      readonly now: number;
    }
  | { readonly type: "finish"; readonly outcome: Outcome; readonly fence: number; readonly now: number }
  /** The lease is over, or the owner is known to be dead. Never back to approved: the tool may have acted. */
  | { readonly type: "lose"; readonly now: number }
  /** A person, or the tool's own look-up, knows what became of it. */
  | { readonly type: "reconcile"; readonly ran: boolean; readonly now: number };

export type CallStep =
  | { readonly ok: true; readonly call: CallRecord }
  | {
      readonly ok: false;
      readonly reason: "final" | "not-pending" | "not-claimable" | "not-executing" | "stale-fence" | "not-unknown";
    };

export const FINAL_STATES: readonly CallState[] = ["succeeded", "failed", "denied", "expired"];

/** A call that waits for its first decision; version 1, not stored before. */
export function proposedCall(of: {
  readonly id: string;
  readonly run: string;
  readonly root: string;
  readonly key: string | null;
  /** Digest of what the agent wrote. */
  readonly proposed: string;
  /** What would run. */
  readonly call: ToolCall;
  readonly keep: Keeping;
  readonly revision: string;
  readonly now: number;
}): CallRecord {
  const { id, run, root, key, proposed, call, keep, revision, now } = of;
  const { tool, agent, environment, digest, bytes } = call;
  const named = { id, version: 1, state: "pending", run, root, key, tool, agent, environment } as const;
  const judged = { proposed, digest, bytes, revision, approval: null } as const;
  return Object.freeze({
    ...named,
    ...judged,
    ...(keep === KEPT_WHOLE ? {} : { keep }),
    owner: null,
    fence: 0,
    leaseUntil: null,
    createdAt: now,
    updatedAt: now,
  });
}

/** The claim by this writer, for as long as a lease lasts. */
export function claimEvent(owner: string, revision: string, now: number): CallEvent {
  return { type: "claim", owner, leaseUntil: now + LIMITS.leaseMs, revision, now };
}

/** Pure and total: the next row, or why this event has no effect on this state. */
export function stepCall(call: CallRecord, event: CallEvent): CallStep {
  switch (event.type) {
    case "approve":
      if (call.state !== "pending") return refuse(call, "not-pending");
      return next(call, event.now, { state: "approved", digest: event.digest, bytes: event.bytes });
    case "ask":
      if (call.state !== "pending" && call.state !== "approved") return refuse(call, "not-pending");
      return next(call, event.now, {
        state: "pending",
        approval: event.approval,
        revision: event.revision,
        digest: event.digest,
        bytes: event.bytes,
      });
    case "deny":
      // A policy may still refuse an approved call when it is used; after the claim nobody can.
      if (call.state !== "pending" && call.state !== "approved") return refuse(call, "not-pending");
      return next(call, event.now, { state: "denied", bytes: null });
    case "expire":
      if (call.state !== "pending" && call.state !== "approved") return refuse(call, "not-pending");
      return next(call, event.now, { state: "expired", bytes: null });
    case "claim":
      if (call.state !== "approved") return refuse(call, "not-claimable");
      return next(call, event.now, {
        state: "executing",
        owner: event.owner,
        fence: call.fence + 1,
        leaseUntil: event.leaseUntil,
        revision: event.revision,
      });
    case "finish":
      // After the lease is over the same owner may still report, with the same fence (calls.md, States).
      if (call.state !== "executing" && call.state !== "unknown") return refuse(call, "not-executing");
      if (event.fence !== call.fence) return { ok: false, reason: "stale-fence" };
      return next(call, event.now, {
        state: event.outcome,
        leaseUntil: null,
        bytes: event.outcome === "unknown" ? call.bytes : null,
      });
    case "lose":
      if (call.state !== "executing") return refuse(call, "not-executing");
      return next(call, event.now, { state: "unknown", leaseUntil: null });
    case "reconcile":
      if (call.state !== "unknown") return refuse(call, "not-unknown");
      return next(call, event.now, { state: event.ran ? "succeeded" : "failed", bytes: null });
    default:
      return unreachable(event);
  }
}

function next(call: CallRecord, now: number, change: Partial<CallRecord>): CallStep {
  const row = { ...call, ...change, version: call.version + 1, updatedAt: now };
  const { state, keep = KEPT_WHOLE, bytes } = row;
  if (state !== "unknown" || keepsRows(keep) || bytes === null) return { ok: true, call: Object.freeze(row) };
  // Nothing runs it again: what a person finds out about it needs no exact arguments.
  const kept = canonicalJson(keptInRow(JSON.parse(bytes) as Json, keep));
  return { ok: true, call: Object.freeze({ ...row, bytes: kept }) };
}

type Refused = Exclude<Extract<CallStep, { ok: false }>["reason"], "final" | "stale-fence">;

function refuse(call: CallRecord, reason: Refused): CallStep {
  return { ok: false, reason: FINAL_STATES.includes(call.state) ? "final" : reason };
}
