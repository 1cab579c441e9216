/**
 * The life of an approval as a pure state machine (calls.md, Approvals).
 *
 * An approval is bound to one call digest, consumed once, and answers exactly the pause reasons that its approvers saw.
 * The store writes the next row under compare-and-set on `version`: of two decisions one wins, whatever the channel.
 */
import { type ArgumentUnits, fixedUnits } from "../argument-units.ts";
import type { PauseReason } from "../decision.ts";
import type { EditField } from "../edit-field.ts";
import { unreachable } from "../errors.ts";
import { KEPT_WHOLE, type Keeping, keepsRows, keptInRow } from "../keeping.ts";
import { maskedAt } from "../redaction/mask.ts";
import { canonicalJson, type Json } from "../value/json.ts";
import {
  type Approver,
  type Edit,
  type GrantOffer,
  type GrantTerms,
  missingOf,
  refusalOf,
  samePerson,
  type Vote,
} from "./quorum.ts";

export type ApprovalState =
  | "pending"
  /** Nobody can approve it while it is: a stop, or a clock that jumped. Its deadline stands, and afterwards it is asked again. */
  | "suspended"
  | "approved"
  | "denied"
  | "expired"
  | "withdrawn"
  | "consumed";

export interface ApprovalRecord {
  readonly id: string;
  /** Compare-and-set: grows by one with every write. */
  readonly version: number;
  /** The version since which the question reads as it does now: an answer to an older one is stale. */
  readonly since: number;
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
  /** JSON pointers into the arguments: what the record masks. The exact ones stand here until it is closed. */
  readonly masked?: readonly string[];
  /** How the record keeps its arguments. Absent: whole. */
  readonly keep?: Keeping;
  /** Principals for whom the call is: the run's, and the owner of the agent. */
  readonly requesters: readonly string[];
  /** An approver's version, once there is one: what the next approver is asked about. */
  readonly edit: Edit | null;
  /** What the tool's schema says of `editable` paths; one that is missing here is known by its value alone. */
  readonly form?: readonly EditField[];
  /** What the arguments count, as the policies said of them when it was asked; an edit may make some of it unknown. */
  readonly units?: ArgumentUnits;
  /** Rows of `sticky` that a person's no stands in; absent: it stands for this call alone. */
  readonly sticky?: readonly string[];
  /** Where a grant stands that is given with it; absent: none can be. */
  readonly scope?: string;
  /** What people may permit beside the call; absent: nothing. */
  readonly grantOffer?: GrantOffer;
  /** Who has agreed to the version as it stands. */
  readonly votes: readonly Vote[];
  /** Levels of `after` that were asked, over all reasons. */
  readonly escalated: number;
  readonly createdAt: number;
  /** Silence until then denies. */
  readonly deadline: number;
  /** Set by the decision. */
  readonly decision: ApprovalDecision | null;
}

/** An approval in a list: bounded, whatever its arguments are. Its row says the rest. */
export interface ApprovalSummary
  extends Pick<
    ApprovalRecord,
    "id" | "version" | "state" | "call" | "run" | "tool" | "agent" | "environment" | "createdAt" | "deadline"
  > {
  /** Of the decision; null where there is none. */
  readonly decidedAt: number | null;
  readonly validUntil: number | null;
  /** The beginning of the arguments' canonical JSON: `SUMMARY_CHARACTERS` code points at most. */
  readonly preview: string;
  /** Whether that is all of them. */
  readonly whole: boolean;
}

export const SUMMARY_CHARACTERS = 200;

export function approvalSummary(approval: ApprovalRecord): ApprovalSummary {
  const { id, version, state, call, run, tool, agent, environment, createdAt, deadline, decision, bytes } = approval;
  // A code point has two units at most.
  const preview = [...bytes.slice(0, 2 * SUMMARY_CHARACTERS + 1)].slice(0, SUMMARY_CHARACTERS).join("");
  return {
    ...{ id, version, state, call, run, tool, agent, environment, createdAt, deadline },
    decidedAt: decision?.at ?? null,
    validUntil: decision?.validUntil ?? null,
    preview,
    whole: preview.length === bytes.length,
  };
}

/** One person's answer; for the version as it stands, or for one of their own. */
export interface ApprovalAnswer {
  readonly verdict: "approve" | "deny";
  readonly by: Approver;
  readonly at: number;
  readonly note: string | null;
  /** The arguments that are meant, with their digest: as proposed, or as edited. */
  readonly digest: string;
  readonly bytes: string;
  /** They differ from the proposed ones. */
  readonly edited: boolean;
  /** An approval that is not used by then is void. */
  readonly validUntil: number;
  /** How far the clock was behind the record then: if it is further behind later, it has gone back since. */
  readonly clockBehindMs: number;
  /** What is permitted beside the call, where everybody who agrees says the same. */
  readonly grant?: GrantTerms;
}

/** The answer that decided; of several people's it is the last one. */
export type ApprovalDecision = ApprovalAnswer;

export type ApprovalEvent =
  | { readonly type: "decide"; readonly version: number; readonly decision: ApprovalAnswer; readonly now: number }
  | { readonly type: "escalate"; readonly now: number }
  | { readonly type: "suspend"; readonly now: number }
  /** Asked again: what was said before counts no more. */
  | { readonly type: "resume"; readonly now: number }
  | { readonly type: "expire"; readonly now: number }
  /** Nobody wants the call any more: its signal was aborted, or its arguments now need another question. */
  | { readonly type: "withdraw"; readonly now: number }
  /** Used up by the claim of its call. */
  | { readonly type: "consume"; readonly digest: string; readonly now: number };

/** The answers that every channel must be able to show. */
export type ApprovalRefusal =
  | "already-decided"
  | "already-voted"
  | "stale-version"
  | "expired"
  | "suspended"
  | "not-allowed"
  | "not-due"
  | "not-approved"
  | "mismatch";

export type ApprovalStep =
  | { readonly ok: true; readonly approval: ApprovalRecord }
  | { readonly ok: false; readonly reason: ApprovalRefusal };

/** Pure and total: the next row, or why this event has no effect on this state. */
export function stepApproval(approval: ApprovalRecord, event: ApprovalEvent): ApprovalStep {
  const { state } = approval;
  const open = state === "pending" || state === "suspended";
  switch (event.type) {
    case "decide":
      return decide(approval, event);
    case "escalate":
      if (state !== "pending") return refuse(isOver(state) ? "already-decided" : "suspended");
      if (event.now >= approval.deadline) return refuse("expired");
      return dueLevels(approval, event.now) > approval.escalated
        ? next(approval, { escalated: dueLevels(approval, event.now) })
        : refuse("not-due");
    case "suspend":
      if (state !== "pending" && state !== "approved") return refuse("already-decided");
      return next(approval, { ...ASKED_ANEW, state: "suspended" });
    case "resume":
      if (state !== "suspended") return refuse("already-decided");
      if (event.now >= approval.deadline) return refuse("expired");
      return next(approval, { ...ASKED_ANEW, state: "pending", since: approval.version + 1 });
    case "expire":
      if (open) return event.now < approval.deadline ? refuse("not-due") : next(approval, { state: "expired" });
      if (state === "approved" && approval.decision !== null)
        return event.now < approval.decision.validUntil ? refuse("not-due") : next(approval, { state: "expired" });
      return refuse("already-decided");
    case "withdraw":
      if (!open && state !== "approved") return refuse("already-decided");
      return next(approval, { state: "withdrawn" });
    case "consume":
      if (state !== "approved" || approval.decision === null) return refuse("not-approved");
      if (event.now >= approval.decision.validUntil) return refuse("expired");
      if (event.digest !== approval.decision.digest) return refuse("mismatch");
      return next(approval, { state: "consumed" });
    default:
      return unreachable(event);
  }
}

/** Nothing that was said stands any more. */
const ASKED_ANEW = { votes: [], edit: null, decision: null } as const;

function decide(approval: ApprovalRecord, event: Extract<ApprovalEvent, { type: "decide" }>): ApprovalStep {
  const { decision, now, version } = event;
  if (approval.state === "expired" || approval.state === "withdrawn") return refuse("expired");
  if (isOver(approval.state)) return refuse("already-decided");
  if (now >= approval.deadline) return refuse("expired");
  if (version < approval.since || version > approval.version) return refuse("stale-version");
  if (refusalOf(approval, decision.by) !== undefined) return refuse("not-allowed");
  if (decision.verdict === "deny") return next(approval, { state: "denied", decision });
  if (approval.state === "suspended") return refuse("suspended");
  return vote(approval, decision);
}

/** A yes, for the version as it stands or for one of the approver's own, which then is the one to agree to. */
function vote(approval: ApprovalRecord, answer: ApprovalAnswer): ApprovalStep {
  const { by, at, note, digest, bytes, grant } = answer;
  const said: Vote = { by, at, note, ...(grant === undefined ? {} : { grant }) };
  if (answer.edited !== (digest !== approval.digest)) return refuse("mismatch");
  const edits = digest !== versionOf(approval).digest;
  if (!edits && approval.votes.some((earlier) => samePerson(earlier.by.id, by.id))) return refuse("already-voted");
  const change = edits
    ? { edit: { by, digest, bytes }, votes: [said], since: approval.version + 1 }
    : { votes: [...approval.votes, said] };
  const enough = missingOf({ ...approval, ...change }).length === 0;
  return next(approval, enough ? { ...change, state: "approved", decision: answer } : change);
}

/** The arguments that the next approver is asked about: as proposed, or as the latest approver edited them. */
export function versionOf(approval: Pick<ApprovalRecord, "digest" | "bytes" | "edit">): {
  readonly digest: string;
  readonly bytes: string;
} {
  const { digest, bytes } = approval.edit ?? approval;
  return { digest, bytes };
}

export interface Level {
  /** Ms since 1970. */
  readonly at: number;
  readonly to: readonly string[];
}

/** Who is asked when, beyond the first ones: the levels of all reasons' routes, soonest first. */
export function levelsOf({ reasons, createdAt }: Pick<ApprovalRecord, "reasons" | "createdAt">): readonly Level[] {
  const routes = new Map(reasons.map(({ approval }) => [approval.route, approval]));
  return [...routes.values()]
    .flatMap(({ after = [] }) => after.map(({ afterMs, to }) => ({ at: createdAt + afterMs, to })))
    .sort((left, right) => left.at - right.at);
}

function dueLevels(approval: ApprovalRecord, now: number): number {
  return levelsOf(approval).filter(({ at }) => at <= now).length;
}

function isOver(state: ApprovalState): boolean {
  return state !== "pending" && state !== "suspended";
}

/** True where nobody runs or edits the arguments any more. */
export function isClosed(state: ApprovalState): boolean {
  return isOver(state) && state !== "approved";
}

/** The row with its arguments changed, wherever it holds them. */
export function withArguments(approval: ApprovalRecord, change: (args: Json) => Json): ApprovalRecord {
  const inBytes = (bytes: string): string => canonicalJson(change(JSON.parse(bytes) as Json));
  const { bytes, edit, decision } = approval;
  return {
    ...approval,
    bytes: inBytes(bytes),
    edit: edit === null ? null : { ...edit, bytes: inBytes(edit.bytes) },
    decision: decision === null ? null : { ...decision, bytes: inBytes(decision.bytes) },
  };
}

function next(approval: ApprovalRecord, change: Partial<ApprovalRecord>): ApprovalStep {
  const row = { ...approval, ...change, version: approval.version + 1 };
  const { state, masked = [], keep = KEPT_WHOLE } = row;
  if ((masked.length === 0 && keepsRows(keep)) || !isClosed(state)) return { ok: true, approval: Object.freeze(row) };
  const kept = withoutToldUnits(withArguments(row, (args) => keptInRow(maskedAt(args, masked), keep)));
  return { ok: true, approval: Object.freeze(kept) };
}

/** Masked values all look alike, so that nothing can be told by them any more. */
function withoutToldUnits({ units, ...row }: ApprovalRecord): ApprovalRecord {
  return units === undefined ? row : { ...row, units: fixedUnits(units) };
}

function refuse(reason: ApprovalRefusal): ApprovalStep {
  return { ok: false, reason };
}
