/**
 * A person's answer to an approval request, from whatever channel: one function, five answers (and a sixth where more
 * people must agree), one compare-and-set.
 */
import {
  type ApprovalAnswer,
  type ApprovalRecord,
  type ApprovalRefusal,
  stepApproval,
  versionOf,
} from "../approval/approval.ts";
import { type Approver, type GrantTerms, type Missing, missingOf, refusalOf } from "../approval/quorum.ts";
import { normalize, type ToolCall } from "../call.ts";
import { lockedChanges } from "../edit.ts";
import { invariant } from "../errors.ts";
import { releaseMotion } from "../gate/call-protection.ts";
import { part } from "../gate/record.ts";
import { type StoreTime, storeTime } from "../gate/store-time.ts";
import { type CallRecord, stepCall } from "../lifecycle.ts";
import { LIMITS } from "../limits.ts";
import type { EntryDraft } from "../log/entry.ts";
import type { Clock, Hash, Random, Store, Transaction } from "../ports.ts";
import { maskedAt } from "../redaction/mask.ts";
import { withMaskedPaths } from "../redaction/masked-paths.ts";
import type { Json } from "../value/json.ts";
import { grantFault, grantRow } from "./grant.ts";
import { stickyRows } from "./sticky.ts";

export interface DecisionRequest {
  readonly approval: string;
  /** The version that the person was looking at; absent means whatever is current. */
  readonly version?: number;
  readonly verdict: "approve" | "deny";
  readonly by: Approver;
  readonly note?: string;
  /** All arguments as the approver wants them; absent means as they stand: proposed, or edited by the approver before. */
  readonly args?: unknown;
  /** With `approve`: the like is permitted too, for a while. */
  readonly grant?: GrantTerms;
}

export type DecisionAnswer =
  | { readonly status: "applied"; readonly approval: ApprovalRecord }
  /** This person's yes is recorded, and the call waits for more people. */
  | {
      readonly status: "recorded";
      readonly approval: ApprovalRecord;
      /** Not empty. */
      readonly missing: readonly Missing[];
      /** For the person, one line. */
      readonly message: string;
    }
  | {
      readonly status: "refused";
      readonly reason: ApprovalRefusal | "missing" | "malformed" | "not-editable" | "not-grantable" | "foreseen";
      /** For the person, one line. */
      readonly message: string;
      readonly approval?: ApprovalRecord;
    };

export interface DecisionPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly hash: Hash;
  readonly random: Random;
  /**
   * Why the policies of now would not let the edited call run, in one line; undefined where nothing speaks against it or
   * nothing is known. The gate that waits judges the call again before it runs, whatever this says.
   */
  readonly foresee?: (approval: ApprovalRecord, edited: ToolCall) => string | undefined | Promise<string | undefined>;
}

/**
 * Records one person's answer. Where it decides, the approval and its call change in one transaction. The gate that waits
 * evaluates the approved arguments again before it claims the call: an approval never turns a deny into anything.
 * @throws SafeRunError when the store cannot record it; then nothing was decided.
 */
export async function decideApproval(ports: DecisionPorts, request: DecisionRequest): Promise<DecisionAnswer> {
  const { store, clock } = ports;
  for (let tries = 0; tries < TRIES; tries++) {
    const approval = await store.approval(request.approval);
    if (approval === undefined)
      return { status: "refused", reason: "missing", message: `no approval \`${request.approval}\`` };
    const call = await store.call(approval.call);
    invariant(call, "an approval has a call");

    const version = approvedCall(approval, request, ports.hash);
    if ("refused" in version) return { status: "refused", reason: version.refused, message: version.message, approval };
    const fault = request.grant === undefined ? undefined : grantFault(approval, request.grant);
    if (fault !== undefined) return { status: "refused", reason: "not-grantable", message: fault, approval };
    // A clock that went back makes no decision older than its question, or than what the record holds.
    const time = await storeTime(store, clock);
    const now = Math.max(time.now, approval.createdAt);
    const answer = answerOf(approval, request, version.call, { ...time, now });
    const decided = stepApproval(approval, {
      type: "decide",
      version: request.version ?? approval.version,
      decision: answer,
      now,
    });
    if (!decided.ok) {
      const message = refusalText(decided.reason, approval, request.by);
      return { status: "refused", reason: decided.reason, message, approval };
    }
    const foreseen = await foreseenBy(ports, approval, answer, version.call);
    if (foreseen !== undefined) return { status: "refused", reason: "foreseen", message: foreseen, approval };
    const transaction = await written(ports, call, approval, decided.approval, answer);
    if (transaction === undefined)
      return { status: "refused", reason: "expired", message: "the call is over", approval };
    if ((await store.commit(transaction)).ok) return said(decided.approval);
  }
  return { status: "refused", reason: "already-decided", message: "somebody else decided at the same moment" };
}

/** Said of an edit alone, and to somebody whose answer would count. A look ahead that fails says nothing. */
async function foreseenBy(
  { foresee }: DecisionPorts,
  approval: ApprovalRecord,
  { verdict, digest }: ApprovalAnswer,
  edited: ToolCall,
): Promise<string | undefined> {
  if (foresee === undefined || verdict !== "approve" || digest === versionOf(approval).digest) return undefined;
  try {
    return await foresee(approval, edited);
  } catch {
    return undefined;
  }
}

/** How often it is looked at again because somebody else was first. */
const TRIES = 5;

function answerOf(
  approval: ApprovalRecord,
  { verdict, by, note, grant }: DecisionRequest,
  { digest, bytes }: ToolCall,
  { now, behindMs }: StoreTime,
): ApprovalAnswer {
  const edited = digest !== approval.digest;
  const validUntil = now + LIMITS.approvalValidMs;
  return {
    verdict,
    by,
    at: now,
    note: note ?? null,
    digest,
    bytes,
    edited,
    validUntil,
    clockBehindMs: behindMs,
    ...(grant === undefined || verdict === "deny" ? {} : { grant }),
  };
}

/** What has to be stored: a vote changes the question alone, a decision the call as well. Undefined: the call is over. */
async function written(
  { store, random, hash }: DecisionPorts,
  call: CallRecord,
  before: ApprovalRecord,
  approval: ApprovalRecord,
  answer: ApprovalAnswer,
): Promise<Transaction | undefined> {
  const approvals = [{ row: approval, expect: before.version }];
  const entries = [answerEntry(call, approval, answer, random)];
  if (approval.decision === null) return { approvals, entries };
  const { digest, bytes, at: now } = answer;
  if (answer.verdict === "deny") {
    const denied = stepCall(call, { type: "deny", now });
    if (!denied.ok) return undefined;
    const rows = await stickyRows(store, approval, answer);
    const calls = [{ row: denied.call, expect: call.version }];
    const rules = before.reasons.map(({ id }) => id);
    // What it held goes back with the denial.
    return { calls, approvals, rows, entries, protection: { motions: [releaseMotion(call, rules)], accounted: "" } };
  }
  const approved = stepCall(call, { type: "approve", digest, bytes, now });
  if (!approved.ok) return undefined;
  const grant = grantRow(approval, hash);
  const calls = [{ row: approved.call, expect: call.version }];
  return { calls, approvals, rows: grant === undefined ? [] : [grant], entries };
}

function said(approval: ApprovalRecord): DecisionAnswer {
  if (approval.decision !== null) return { status: "applied", approval };
  const missing = missingOf(approval);
  return { status: "recorded", approval, missing, message: `recorded; ${missingText(missing)}` };
}

/** `1 more with the role \`finance\` must agree`. */
export function missingText(missing: readonly Missing[]): string {
  const groups = missing.map(
    ({ people, roles }) => `${people} more with the role ${roles.map((role) => `\`${role}\``).join(" or ")}`,
  );
  return `${groups.join(" and ")} must agree`;
}

type Version =
  | { readonly call: ToolCall }
  | { readonly refused: "malformed" | "not-editable"; readonly message: string };

/** The call as the approver wants it: as it stands, or edited within the editable paths of the proposed one. */
function approvedCall(approval: ApprovalRecord, request: DecisionRequest, hash: Hash): Version {
  const { tool, agent, environment } = approval;
  const standing: unknown = JSON.parse(versionOf(approval).bytes);
  const edits = request.verdict === "approve" && request.args !== undefined;
  const normalized = normalize({ tool, agent, environment, args: edits ? request.args : standing }, hash);
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

function answerEntry(call: CallRecord, approval: ApprovalRecord, answer: ApprovalAnswer, random: Random): EntryDraft {
  const { by, note, edited, digest, validUntil, verdict, grant } = answer;
  const head = { run: call.run, call: call.id, approval: approval.id } as const;
  const { masked = [] } = approval;
  const args = JSON.parse(answer.bytes) as Json;
  const content = { ...part("arguments", maskedAt(args, masked), random), masked };
  if (approval.decision === null) {
    const missing = missingOf(approval);
    return {
      ...head,
      type: "approval.voted",
      parts: withMaskedPaths([part("actor", { by, note, edited, digest, missing, grant }, random), content], random),
    };
  }
  const { votes } = approval;
  return {
    ...head,
    type: "approval.decided",
    verdict: verdict === "approve" ? "allow" : "deny",
    parts: withMaskedPaths(
      [part("actor", { by, note, edited, digest, validUntil, votes, grant }, random), content],
      random,
    ),
  };
}

function refusalText(reason: ApprovalRefusal, approval: ApprovalRecord, by: Approver): string {
  switch (reason) {
    case "already-decided":
      return `already ${approval.state}${approval.decision === null ? "" : ` by ${approval.decision.by.id}`}`;
    case "already-voted":
      return `already agreed to by ${by.id}; ${missingText(missingOf(approval))}`;
    case "stale-version":
      return "the request has changed since it was shown; look at it again";
    case "expired":
      return "the time for this approval is over, and the call was not run";
    case "suspended":
      return "approvals are suspended now; it will be asked again, and may be denied";
    case "not-allowed":
      return refusalOf(approval, by) ?? "this person may not answer";
    case "mismatch":
      return "the arguments are not the ones of this approval";
    case "not-due":
    case "not-approved":
      return "the approval is not in a state in which this is possible";
  }
}
