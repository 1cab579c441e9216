/** Approvals as JSON for programs: snake_case, moments in ISO 8601. */
import {
  type ApprovalRecord,
  type ApprovalSummary,
  approvalState,
  changedPaths,
  editablePaths,
  editFieldJson,
  fieldsOf,
  formFieldJson,
  GRANT_DEFAULT,
  GRANT_WINDOWS,
  type GrantTerms,
  givenGrant,
  grantText,
  type Json,
  missingOf,
  offerText,
  shownAmounts,
} from "@saferun/core";
import type { z } from "zod";
import type * as schema from "../schemas/approvals.ts";
import { iso } from "./moment.ts";

/** In a list: bounded, whatever the arguments are; `approvalJson` says the rest. */
export function summaryJson(approval: ApprovalSummary, now: number): z.infer<typeof schema.ApprovalSummary> {
  const { id, version, call, run, tool, agent, environment, preview, whole, createdAt, deadline, decidedAt } = approval;
  return {
    ...{ id, version, state: approvalState(approval, now), call, run, tool, agent, environment },
    arguments: whole ? preview : `${preview}…`,
    created_at: iso(createdAt),
    deadline: iso(deadline),
    decided_at: decidedAt === null ? null : iso(decidedAt),
  };
}

export function approvalJson(approval: ApprovalRecord, now: number): z.infer<typeof schema.Approval> {
  const args = parsed(approval.bytes);
  const { decision } = approval;
  const given = givenGrant(approval);
  return {
    id: approval.id,
    version: approval.version,
    state: approvalState(approval, now),
    call: approval.call,
    run: approval.run,
    tool: approval.tool,
    agent: approval.agent,
    environment: approval.environment,
    digest: approval.digest,
    args,
    /** What arguments count, as the policies said of `args`; by path, list items without their places. */
    units: unitsJson(approval),
    /** The amounts of what is asked about now, as people are shown them. */
    amounts: shownAmounts(approval).map((amount) => ({ ...amount })),
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
    fields: (approval.form ?? []).map((field) => editFieldJson(field) as z.infer<typeof schema.EditField>),
    /** The edit form, filled with what is asked about now. */
    form: fieldsOf(approval).map(formFieldJson),
    /** What an approver made of the arguments, for the next one to agree to. */
    edit: approval.edit === null ? null : { by: approval.edit.by.id, args: parsed(approval.edit.bytes) },
    votes: approval.votes.map(({ by, at, grant }) => ({
      ...{ by: by.id, via: by.via, verified: by.verified, at: iso(at) },
      grant: grant === undefined ? null : grantJson(grant),
    })),
    /** What may be permitted beside the call; null: nothing. */
    grant_offer: offerJson(approval),
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
            grant: given === undefined ? null : grantJson(given),
            permitted: given === undefined ? null : grantText(decision.bytes, given, approval.grantOffer),
          },
  };
}

function unitsJson({ units = {} }: ApprovalRecord): z.infer<typeof schema.Approval>["units"] {
  return Object.fromEntries(
    Object.entries(units).map(([path, { unit, from = [] }]) => [path, { unit, from: [...from] }]),
  );
}

function offerJson(approval: ApprovalRecord): z.infer<typeof schema.Approval>["grant_offer"] {
  const { grantOffer: offer } = approval;
  if (offer === undefined) return null;
  const { same, free, amount = null } = offer;
  return {
    same: [...same],
    free: [...free],
    amount,
    for: Object.keys(GRANT_WINDOWS),
    default: { ...GRANT_DEFAULT },
    text: offerText(offer),
  };
}

function grantJson({ same, forMs, count, sum }: GrantTerms): z.infer<typeof schema.Grant> {
  return { same: [...same], for_ms: forMs, count, sum: sum === undefined ? null : { ...sum } };
}

/** Bytes that the gate wrote itself. */
export function parsed(bytes: string): Json {
  return JSON.parse(bytes) as Json;
}
