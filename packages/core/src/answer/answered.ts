/** The five answers to a decision, the same words in every channel, at the terminal and on its page. */
import { type ApprovalRecord, type ApprovalState, type ApprovalSummary, versionOf } from "../approval/approval.ts";
import { type Approver, missingOf } from "../approval/quorum.ts";
import { unreachable } from "../errors.ts";
import { printable } from "../value/printable.ts";
import { type DecisionAnswer, missingText } from "./decide.ts";
import { givenGrant, grantText, proposedGrant } from "./grant-offer.ts";

export const ANSWERS = ["applied", "already_decided", "stale_version", "expired", "not_allowed"] as const;
export type AnswerWord = (typeof ANSWERS)[number];

export interface Answered {
  readonly answer: AnswerWord;
  /** One line for the person; plain text without invisible characters, not yet escaped for any markup. */
  readonly message: string;
  /** As it stands after the answer; absent where the person may not even know of it. */
  readonly approval?: ApprovalRecord;
  /** The edit can be mended and sent again. */
  readonly mendable?: boolean;
}

export function notAllowed(why: string): Answered {
  return { answer: "not_allowed", message: `not allowed: ${printable(why)}` };
}

export function answeredOf(result: DecisionAnswer): Answered {
  if (result.status === "applied") {
    return { answer: "applied", message: `applied: ${outcomeText(result.approval)}`, approval: result.approval };
  }
  if (result.status === "recorded")
    return { answer: "applied", message: printable(result.message), approval: result.approval };
  const { message, approval } = result;
  const known = approval === undefined ? {} : { approval };
  switch (result.reason) {
    case "already-decided":
      return { answer: "already_decided", message: alreadyText(approval, message), ...known };
    case "stale-version":
      return { answer: "stale_version", message: `stale version: ${printable(message)}`, ...known };
    case "expired":
      return { answer: "expired", message: `expired: ${overText(approval) ?? printable(message)}`, ...known };
    case "missing":
      return { answer: "not_allowed", message: "not allowed: there is no such approval here" };
    case "malformed":
    case "not-editable":
    case "not-grantable":
    case "foreseen":
      return { answer: "not_allowed", message: `not allowed: ${printable(message)}`, mendable: true, ...known };
    case "already-voted":
      return { answer: "already_decided", message: printable(message), ...known };
    case "suspended":
    case "not-allowed":
    case "mismatch":
    case "not-due":
    case "not-approved":
      return { answer: "not_allowed", message: `not allowed: ${printable(message)}`, ...known };
    default:
      return unreachable(result.reason);
  }
}

/** How an approval stands now; one whose time is over counts as expired before anybody has written it down. */
export function approvalState(approval: ApprovalRecord | ApprovalSummary, now: number): ApprovalState {
  const { state, deadline } = approval;
  const validUntil = "decision" in approval ? (approval.decision?.validUntil ?? null) : approval.validUntil;
  if (state === "pending" && now >= deadline) return "expired";
  if (state === "approved" && validUntil !== null && now >= validUntil) return "expired";
  return state;
}

/** `approved as edited by ann`: what became of the question, in people's words. */
export function outcomeText(approval: ApprovalRecord): string {
  const { decision, state } = approval;
  if (decision !== null) {
    const done = decision.verdict === "deny" ? "denied" : decision.edited ? "approved as edited" : "approved";
    return `${done} by ${peopleText(approval)}${state === "expired" ? ", and then not used in time" : ""}${permittedText(approval)}`;
  }
  switch (state) {
    case "withdrawn":
      return "no longer wanted; the call did not run";
    case "expired":
      return "expired; nobody answered in time, and the call did not run";
    default:
      return state;
  }
}

/** What came with the approval; empty where nobody permitted more than the call. */
function permittedText(approval: ApprovalRecord): string {
  const { decision, grantOffer, votes } = approval;
  const terms = givenGrant(approval);
  if (decision !== null && terms !== undefined)
    return `; permitted too: ${grantText(decision.bytes, terms, grantOffer)}`;
  const wanted = decision?.verdict === "approve" && votes.some(({ grant }) => grant !== undefined);
  return wanted ? "; the like is asked about again: too few people permitted the same" : "";
}

/** Who said yes so far, and for whom it still waits; undefined where one person's answer is enough. */
export function agreementText(approval: ApprovalRecord): string | undefined {
  const { votes, edit } = approval;
  const missing = missingOf(approval);
  if (votes.length === 0 && missing.every(({ people }) => people === 1) && missing.length === 1) return undefined;
  const edited = edit === null ? "" : `edited by ${byText(edit.by)}; `;
  const agreed = votes.length === 0 ? "" : `agreed: ${votes.map(({ by }) => byText(by)).join(", ")}; `;
  const terms = proposedGrant(approval);
  const more =
    terms === undefined
      ? ""
      : `; permitted too, if they permit it: ${grantText(versionOf(approval).bytes, terms, approval.grantOffer)}`;
  return `${edited}${agreed}${printable(missingText(missing))}${more}`;
}

/** Everybody whose yes it took, or who said no. */
function peopleText({ decision, votes }: ApprovalRecord): string {
  if (decision === null) return "nobody";
  if (decision.verdict === "deny" || votes.length < 2) return byText(decision.by);
  return votes.map(({ by }) => byText(by)).join(" and ");
}

/** A call that ended otherwise, or that policies denied after the answer, took its approval with it: no time ran out. */
function overText(approval: ApprovalRecord | undefined): string | undefined {
  return approval?.state === "withdrawn" ? "the call ended without this approval, and waits no more" : undefined;
}

function byText({ id, via, verified }: Approver): string {
  return `${printable(id)} via ${printable(via)}${verified ? "" : " (not verified)"}`;
}

function alreadyText(approval: ApprovalRecord | undefined, message: string): string {
  if (approval === undefined || approval.decision === null) return `already decided: ${printable(message)}`;
  const { verdict, edited } = approval.decision;
  const done = verdict === "deny" ? "denied" : edited ? "approved as edited" : "approved";
  return `already decided by ${peopleText(approval)}: ${done}`;
}
