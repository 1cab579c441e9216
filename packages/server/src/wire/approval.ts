/** Approvals as JSON for programs: snake_case, moments in ISO 8601. */
import { type ApprovalRecord, changedPaths, editablePaths, editFieldJson, type Json, missingOf } from "@saferun/core";
import type { z } from "zod";
import { type Approval, EditField } from "../schemas/approvals.ts";
import { approvalStatus } from "./approval-status.ts";
import { iso } from "./moment.ts";

export function approvalJson(approval: ApprovalRecord, now: number): z.infer<typeof Approval> {
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
      roles: [...reason.approval.roles],
      need: reason.approval.need,
      show: [...reason.approval.show],
    })),
    editable: [...approval.editable],
    /** The editable paths that these arguments have: `lines[].amount` → `lines[0].amount`, … */
    editable_paths: [...editablePaths(args, approval.editable)],
    /** What the tool's schema says of them. */
    fields: (approval.form ?? []).map((field) => EditField.parse(editFieldJson(field))),
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
            changed: [...changedPaths(args, parsed(decision.bytes))],
            valid_until: iso(decision.validUntil),
          },
  };
}

/** Bytes that the gate wrote itself. */
export function parsed(bytes: string): Json {
  return JSON.parse(bytes) as Json;
}
