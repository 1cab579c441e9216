/** Approvals as text for a terminal: what will run, why it was paused, what may be edited. */
import {
  type AmountAt,
  type ApprovalRecord,
  type ApprovalSummary,
  amountsOf,
  approvalState,
  covers,
  givenGrant,
  grantText,
  type Json,
  missingOf,
  missingText,
  offerText,
  proposedGrant,
  spanText,
  versionOf,
} from "@saferun/core";
import { parsed } from "@saferun/server/wire";
import { shortIds } from "../output/ids.ts";
import { printable, short } from "../output/printable.ts";
import { type Style, tone } from "../output/style.ts";
import { table } from "../output/table.ts";
import { moment } from "../output/time.ts";
import { leaf, treeLines, withAmount } from "../output/tree.ts";
import { approverText, stateText } from "./answer.ts";
import { differences } from "./edit.ts";

export function approvalListLines(approvals: readonly ApprovalSummary[], now: number, style: Style): string[] {
  const shown = shortIds(approvals.map(({ id }) => id));
  const rows = approvals.map((approval) => [
    shown(approval.id),
    tone(style, stateText(approvalState(approval, now))),
    short(approval.tool, 40),
    previewText(approval, 48),
    style.dim(timeText(approval, now)),
  ]);
  return table([["APPROVAL", "STATE", "TOOL", "ARGUMENTS", ""].map(style.dim), ...rows]);
}

export function approvalLines(approval: ApprovalRecord, now: number, style: Style): string[] {
  const { bold, dim } = style;
  const state = tone(style, stateText(approvalState(approval, now)));
  const first = approval.reasons.flatMap((reason) => reason.approval.show);
  const remark = (path: string) =>
    approval.editable.some((allowed) => covers(allowed, path)) ? dim("← may be edited") : "";
  const args = parsed(versionOf(approval).bytes);
  const amountAt = amountsOf(approval, args);
  return [
    `${bold(approval.id)}  ${state}  ${dim(timeText(approval, now))}`,
    "",
    bold("what will run"),
    `  ${bold(printable(approval.tool))}`,
    ...treeLines(args, { first, remark, amountAt, indent: "    " }),
    ...editLines(approval, style),
    "",
    bold("why it was paused"),
    ...approval.reasons.map(({ id, reason }) => `  ${printable(id)}: ${printable(reason)}`),
    "",
    bold("who asks"),
    `  agent ${printable(approval.agent)} in ${printable(approval.environment)}, run ${printable(approval.run)}, at ${moment(approval.createdAt)}`,
    `  ${dim(`version ${approval.version}, digest ${approval.digest}`)}`,
    ...voteLines(approval, style),
    ...offerLines(approval, style),
    ...decisionLines(approval, style),
  ];
}

/** What another approver has changed before: the next one agrees to that. */
function editLines(approval: ApprovalRecord, style: Style): string[] {
  const { edit, decision, bytes } = approval;
  if (edit === null || decision !== null) return [];
  const changes = differenceLines(parsed(bytes), parsed(edit.bytes), style, (args) => amountsOf(approval, args));
  return ["", style.bold(`edited by ${approverText(edit.by)}`), ...changes];
}

function voteLines(approval: ApprovalRecord, { bold }: Style): string[] {
  const missing = approval.decision === null ? missingOf(approval) : [];
  const people = missing.reduce((sum, one) => sum + one.people, 0);
  if (approval.votes.length === 0 && people < 2) return [];
  const agreed = approval.votes.map(({ by }) => `  agreed: ${approverText(by)}`);
  return ["", bold("who has to agree"), ...agreed, ...(missing.length === 0 ? [] : [`  ${missingText(missing)}`])];
}

/** What may be permitted beside the call, or what somebody has permitted who agreed to it. */
function offerLines(approval: ApprovalRecord, { bold }: Style): string[] {
  const { decision, grantOffer: offer } = approval;
  if (decision !== null || offer === undefined) return [];
  const proposed = proposedGrant(approval);
  return [
    "",
    bold("what may be permitted too"),
    `  with \`--grant\`: ${offerText(offer)}`,
    ...(proposed === undefined ? [] : [`  so far: ${grantText(versionOf(approval).bytes, proposed, offer)}`]),
  ];
}

function decisionLines(approval: ApprovalRecord, style: Style): string[] {
  const { decision } = approval;
  if (decision === null) return [];
  const note = decision.note === null ? [] : [`  note: ${printable(decision.note)}`];
  const given = givenGrant(approval);
  const edits = decision.edited
    ? differenceLines(parsed(approval.bytes), parsed(decision.bytes), style, (args) => amountsOf(approval, args))
    : [];
  return [
    "",
    style.bold("what was decided"),
    `  ${tone(style, decision.verdict)} by ${approverText(decision.by)}, via ${printable(decision.by.via)}, at ${moment(decision.at)}`,
    ...note,
    ...(given === undefined ? [] : [`  permitted too: ${grantText(decision.bytes, given, approval.grantOffer)}`]),
    ...edits,
  ];
}

/** Old and new value of each changed path, one below the other. `amountsIn`: what the values of such arguments are to a person. */
export function differenceLines(
  before: Json,
  after: Json,
  style: Style,
  amountsIn: (args: Json) => AmountAt = () => () => undefined,
): string[] {
  const [oldAt, newAt] = [amountsIn(before), amountsIn(after)];
  return differences(before, after).flatMap(({ path, before: from, after: to }) => {
    const name = printable(path);
    return [
      style.bad(`  - ${name}  ${withAmount(leaf(from), oldAt(path, from))}`),
      style.good(`  + ${name}  ${withAmount(leaf(to), newAt(path, to))}`),
    ];
  });
}

/** The beginning of the arguments, in one line. */
export function previewText({ preview, whole }: ApprovalSummary, length: number): string {
  return short(whole ? preview : `${preview}…`, length);
}

export function timeText(approval: ApprovalRecord | ApprovalSummary, now: number): string {
  const state = approvalState(approval, now);
  const decidedAt = "decision" in approval ? (approval.decision?.at ?? null) : approval.decidedAt;
  if (state === "pending") return `silence denies it in ${spanText(approval.deadline - now)}`;
  if (decidedAt !== null) return `${spanText(now - decidedAt)} ago`;
  return state === "expired" ? `nobody answered by ${moment(approval.deadline)}` : "";
}
