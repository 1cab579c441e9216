/** Rows of the store as JSON for programs: snake_case, moments in ISO 8601. The only place where names are converted. */
import {
  type ApprovalRecord,
  changedPaths,
  editablePaths,
  editFieldJson,
  type Json,
  type JsonObject,
  missingOf,
  type RunSummary,
} from "@saferun/core";
import { approvalStatus } from "./approvals/status.ts";
import { iso } from "./output/time.ts";
import type { CallStep, RunStep } from "./runs/steps.ts";

export function approvalJson(approval: ApprovalRecord, now: number): JsonObject {
  const args = parsed(approval.bytes);
  const { decision } = approval;
  return {
    id: approval.id,
    version: approval.version,
    state: approvalStatus(approval, now),
    call: approval.call,
    run: approval.run,
    tool: approval.tool,
    agent: approval.agent,
    environment: approval.environment,
    digest: approval.digest,
    args,
    reasons: approval.reasons.map((reason) => ({
      id: reason.id,
      reason: reason.reason,
      route: reason.approval.route,
      roles: reason.approval.roles,
      need: reason.approval.need,
      show: reason.approval.show,
    })),
    editable: approval.editable,
    /** The editable paths that these arguments have: `lines[].amount` → `lines[0].amount`, … */
    editable_paths: editablePaths(args, approval.editable),
    /** What the tool's schema says of them. */
    fields: (approval.form ?? []).map(editFieldJson),
    /** What an approver made of the arguments, for the next one to agree to. */
    edit: approval.edit === null ? null : { by: approval.edit.by.id, args: parsed(approval.edit.bytes) },
    votes: approval.votes.map(({ by, at }) => ({ by: by.id, via: by.via, verified: by.verified, at: iso(at) })),
    missing: approval.decision === null ? missingOf(approval).map((one) => ({ ...one })) : [],
    created_at: iso(approval.createdAt),
    deadline: iso(approval.deadline),
    decision:
      decision === null
        ? null
        : {
            verdict: decision.verdict,
            by: decision.by.id,
            via: decision.by.via,
            verified: decision.by.verified,
            at: iso(decision.at),
            note: decision.note,
            edited: decision.edited,
            args: parsed(decision.bytes),
            changed: changedPaths(args, parsed(decision.bytes)),
            valid_until: iso(decision.validUntil),
          },
  };
}

export function runJson(run: RunSummary): JsonObject {
  return {
    id: run.id,
    agent: run.agent,
    environment: run.environment,
    entries: run.entries,
    started_at: iso(run.startedAt),
    last_at: iso(run.lastAt),
  };
}

export function stepJson(step: RunStep): JsonObject {
  return step.kind === "call" ? callJson(step) : { kind: step.kind, at: iso(step.at), seq: step.seq, ...step.content };
}

function callJson(step: CallStep): JsonObject {
  return {
    kind: "call",
    at: iso(step.at),
    seq: step.seq,
    call: step.call,
    tool: step.tool,
    verdict: step.verdict,
    rules: step.rules,
    revision: step.revision,
    reason: step.reason,
    args: step.args,
    ran: step.ran,
    edited: step.edited,
    approval: step.approval,
    outcome: step.outcome,
    result: step.result,
    waited_ms: step.waitedMs,
    executed_ms: step.executedMs,
    events: step.events.map((event) => ({ seq: event.seq, at: iso(event.at), type: event.type })),
  };
}

/** Bytes that the gate wrote itself. */
export function parsed(bytes: string): Json {
  return JSON.parse(bytes) as Json;
}
