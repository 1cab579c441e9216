/**
 * The message about one approval. Whatever an agent or a model wrote stands in rich-text elements, which Slack shows as
 * they are: no mention, no link and no format comes out of it, and it cannot pass for our own words (traps.md, 27).
 */
import { type ApprovalRecord, agreementText, outcomeText } from "@saferun/core";
import type { ActionsBlock, Button, KnownBlock, RichTextBlock, RichTextText } from "@slack/types";
import { argumentLines, changeLines, printable, short } from "../shown.ts";

export const ACTIONS = {
  approve: "saferun.approve",
  permit: "saferun.permit",
  edit: "saferun.edit",
  deny: "saferun.deny",
  explain: "saferun.deny-why",
  open: "saferun.open",
} as const;

/** All blocks of one message as JSON; Slack refuses messages somewhat above. */
export const CARD_CHARACTERS = 8_000;

export interface Card {
  /** For notifications and screen readers. */
  readonly text: string;
  readonly blocks: KnownBlock[];
}

export interface CardOptions {
  readonly nonce: string;
  /** Somebody is linked to a principal, so that there is a point in buttons. */
  readonly answerable: boolean;
  /** Page where a person can decide. */
  readonly link?: string;
}

export function pendingCard(approval: ApprovalRecord, options: CardOptions): Card {
  const whole = wholeCard(approval, options);
  if (JSON.stringify(whole).length <= CARD_CHARACTERS) return { text: fallback(approval), blocks: whole };
  return { text: fallback(approval), blocks: shortCard(approval, options) };
}

/** All arguments and all reasons, or this card does not fit: nobody approves what they have not seen. */
function wholeCard(approval: ApprovalRecord, options: CardOptions): KnownBlock[] {
  return [
    header("A call waits for a person"),
    who(approval),
    argumentBlock(approval),
    reasons(approval.reasons.map(({ id, reason }) => [printable(id), printable(reason)])),
    ...changed(approval),
    ...agreement(approval),
    ...(options.answerable ? [] : [plain("Nobody is set up to answer here.")]),
    footer(approval, options),
    ...buttons(approval, options, options.answerable ? ["approve", "permit", "edit", "deny", "explain"] : []),
  ];
}

const SHORT_REASONS = 5;

function shortCard(approval: ApprovalRecord, options: CardOptions): KnownBlock[] {
  const size = approval.bytes.length;
  return [
    header("A call waits for a person"),
    who(approval),
    plain(`Its ${size} characters of arguments and its reasons do not fit here whole, so it cannot be approved here.`),
    reasons(approval.reasons.slice(0, SHORT_REASONS).map(({ id, reason }) => [short(id, 64), short(reason, 256)])),
    footer(approval, options),
    ...buttons(approval, options, options.answerable ? ["deny", "explain"] : []),
  ];
}

/** How it ended, with the arguments as they were shown and what an approver changed in them. */
export function closedCard(approval: ApprovalRecord): Card {
  const { state } = approval;
  const outcome = outcomeText(approval);
  const title = {
    pending: "A call waits for a person",
    suspended: "Suspended",
    approved: "Approved",
    consumed: "Approved",
    denied: "Denied",
    expired: "Expired",
    withdrawn: "No longer wanted",
  };
  const note = approval.decision?.note ?? null;
  const blocks = [
    header(title[state]),
    who(approval),
    argumentBlock(approval),
    ...changed(approval),
    rich(
      section([bold("Outcome: "), literal(outcome)]),
      ...(note ? [section([bold("Note: "), literal(printable(note))])] : []),
    ),
  ];
  if (JSON.stringify(blocks).length <= CARD_CHARACTERS)
    return { text: `${fallback(approval)}: ${escaped(outcome)}`, blocks };
  const brief = [
    blocks[0] ?? header("Decided"),
    who(approval),
    rich(section([bold("Outcome: "), literal(short(outcome, 500))])),
  ];
  return { text: `${fallback(approval)}: ${escaped(short(outcome, 500))}`, blocks: brief };
}

function changed(approval: ApprovalRecord): KnownBlock[] {
  const changes = changeLines(approval);
  return changes.length === 0 ? [] : [rich(section([literal("Changed by the approver")]), preformatted(changes))];
}

function agreement(approval: ApprovalRecord): KnownBlock[] {
  const text = agreementText(approval);
  return text === undefined ? [] : [rich(section([literal(text)]))];
}

/** A message's text is markup: three characters are enough to make it none. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function argumentBlock(approval: ApprovalRecord): RichTextBlock {
  return rich(section([bold("What will run")]), preformatted(argumentLines(approval)));
}

function fallback({ tool }: ApprovalRecord): string {
  return `SafeRun: a call of ${escaped(short(tool, 80))} waits for a person`;
}

function who({ tool, agent, environment }: ApprovalRecord): RichTextBlock {
  return rich(
    section([
      bold("tool "),
      code(short(tool, 256)),
      bold("   agent "),
      code(short(agent, 256)),
      bold("   environment "),
      code(short(environment, 256)),
    ]),
  );
}

function reasons(lines: readonly (readonly [id: string, reason: string])[]): RichTextBlock {
  return rich(
    section([bold("Why it was paused")]),
    ...lines.map(([id, reason]) => section([code(id), literal(` ${reason}`)])),
  );
}

/** Only our own words and numbers: this is the one place with markup. */
function footer({ id, version, deadline }: ApprovalRecord, { link }: CardOptions): KnownBlock {
  const until = `<!date^${Math.floor(deadline / 1_000)}^{date_short_pretty} {time}|${new Date(deadline).toISOString()}>`;
  const elsewhere = link === undefined ? ` · or \`saferun approvals show ${id}\`` : "";
  return {
    type: "context",
    elements: [
      { type: "mrkdwn", text: `Silence denies it: ${until} · version ${version}${elsewhere}`, verbatim: true },
    ],
  };
}

type ButtonName = "approve" | "permit" | "edit" | "deny" | "explain";

function buttons(approval: ApprovalRecord, { nonce, link }: CardOptions, names: readonly ButtonName[]): ActionsBlock[] {
  const value = JSON.stringify({ approval: approval.id, version: approval.version, nonce });
  const make = {
    approve: (): Button => ({ ...button(ACTIONS.approve, "Approve", value), style: "primary" }),
    permit: (): Button => button(ACTIONS.permit, "Approve and permit the like…", value),
    edit: (): Button => button(ACTIONS.edit, "Edit…", value),
    deny: (): Button => ({ ...button(ACTIONS.deny, "Deny", value), style: "danger" }),
    explain: (): Button => button(ACTIONS.explain, "Deny and say why…", value),
  };
  const offered: Readonly<Record<string, boolean>> = {
    edit: approval.editable.length > 0,
    permit: approval.grantOffer !== undefined,
  };
  const shown = names.filter((name) => offered[name] ?? true).map((name) => make[name]());
  if (link !== undefined) shown.push({ ...button(ACTIONS.open, "Open", value), url: link });
  return shown.length === 0 ? [] : [{ type: "actions", block_id: "saferun.decide", elements: shown }];
}

function button(action: string, text: string, value: string): Button {
  return { type: "button", action_id: action, text: { type: "plain_text", text }, value };
}

function header(text: string): KnownBlock {
  return { type: "header", text: { type: "plain_text", text } };
}

function plain(text: string): KnownBlock {
  return { type: "section", text: { type: "plain_text", text, emoji: false } };
}

type RichElement = RichTextBlock["elements"][number];

function rich(...elements: RichElement[]): RichTextBlock {
  return { type: "rich_text", elements };
}

function section(elements: RichTextText[]): RichElement {
  return { type: "rich_text_section", elements };
}

function preformatted(lines: readonly string[]): RichElement {
  return { type: "rich_text_preformatted", elements: [literal(lines.join("\n"))] };
}

function literal(text: string): RichTextText {
  return { type: "text", text };
}

function bold(text: string): RichTextText {
  return { type: "text", text, style: { bold: true } };
}

function code(text: string): RichTextText {
  return { type: "text", text, style: { code: true } };
}
