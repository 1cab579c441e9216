/** The issue about one approval, and what a comment on it says. */
import {
  type AlarmText,
  type ApprovalRecord,
  argumentsOf,
  fieldText,
  type GrantChoice,
  type Json,
  JsonTextProblem,
  offerText,
  outcomeText,
  parseGrantChoice,
  parseJson,
  unitsOf,
} from "@saferun/core";
import type { Shown } from "../desk.ts";
import { at, jsonOf, textAt } from "../json-body.ts";
import { argumentLines, changeLines, jsonText, printable, short } from "../shown.ts";
import type { Activity } from "./api.ts";

/** Well within what Linear stores. */
const DESCRIPTION_CHARACTERS = 50_000;
const NOTE_CHARACTERS = 2_000;

export interface Issue {
  readonly title: string;
  readonly description: string;
}

/** False: the issue cannot hold all of it, and so nobody approves there. */
export function fitsIssue(approval: ApprovalRecord): boolean {
  return [wholeText(approval), ...editing(approval)].join("").length <= DESCRIPTION_CHARACTERS;
}

export function issueOf(approval: ApprovalRecord, nonce: string, link: string | undefined): Issue {
  const whole = fitsIssue(approval);
  const { id, version, tool, deadline } = approval;
  const shown: Shown = { approval: id, version, nonce };
  const parts = [
    "**A call waits for a person.** Silence denies it.",
    whole ? wholeText(approval) : "Its arguments do not fit here whole, so it cannot be approved here.",
    whole
      ? "To answer, write a comment of your own: `/approve`, or `/deny` and a reason."
      : "A comment `/deny` and a reason denies it.",
    ...(whole ? editing(approval) : []),
    ...(link === undefined ? [] : [`[Open](${link})`]),
    `Until ${new Date(deadline).toISOString()}. Changes to this text change nothing but the answer's validity.`,
    fenced(JSON.stringify(shown), "json"),
  ];
  return { title: short(`SafeRun: a call of ${tool} waits for a person`, 200), description: parts.join("\n\n") };
}

/** No comment answers it: it holds nothing that names an approval. */
export function alarmIssue({ agent, environment, run, lines }: AlarmText): Issue {
  const where = `agent ${printable(agent)}, environment ${printable(environment)}, run ${printable(run)}`;
  const said = [...lines.map((line) => short(line, 1_000)), where].join("\n");
  return { title: short(`SafeRun: ${lines[0] ?? "an alarm"}`, 200), description: fenced(said, "") };
}

/** The same question in an agent session; its buttons say what a comment would say. */
export function elicitationOf(approval: ApprovalRecord, link: string | undefined, said?: string): Activity {
  const whole = fitsIssue(approval);
  const parts = [
    ...(said === undefined ? [] : [said]),
    "**A call waits for a person.** Silence denies it.",
    whole ? wholeText(approval) : "Its arguments do not fit here whole, so it cannot be approved here.",
    ...(whole ? editing(approval) : []),
    ...(link === undefined ? [] : [`[Open](${link})`]),
  ];
  const approve = { label: "Approve", value: "/approve" };
  const deny = { label: "Deny", value: "/deny" };
  return { type: "elicitation", body: parts.join("\n\n"), options: whole ? [approve, deny] : [deny] };
}

export function outcomeComment(approval: ApprovalRecord): string {
  const { decision } = approval;
  const changes = changeLines(approval);
  const lines = [outcomeText(approval), ...(decision?.note ? [`note: ${printable(decision.note)}`] : []), ...changes];
  return `**Outcome**\n\n${fenced(lines.join("\n").slice(0, DESCRIPTION_CHARACTERS), "")}`;
}

/** A line of ours about what a person wrote; it may hold that person's text. */
export function answerComment(message: string): string {
  return fenced(short(message, NOTE_CHARACTERS), "");
}

/** Undefined: this issue is about no approval, or about more than one. */
export function shownBy(description: string): Shown | undefined {
  const found = blocksOf(description).flatMap((text) => readShown(jsonOf(text)) ?? []);
  return found.length === 1 ? found[0] : undefined;
}

function readShown(value: Json | undefined): Shown | undefined {
  const [approval, version, nonce] = [textAt(value, "approval"), at(value, "version"), textAt(value, "nonce")];
  if (approval === undefined || nonce === undefined || typeof version !== "number") return undefined;
  return { approval, version, nonce };
}

/** The issue still shows what will run. Who approves has read the issue, and anybody in the team may edit it. */
export function isUnchanged(description: string, approval: ApprovalRecord): boolean {
  const [call, reasons] = blocksOf(description);
  return call === callText(approval) && reasons === reasonText(approval);
}

export type Command =
  | { readonly verdict: "approve"; readonly args?: unknown; readonly grant?: GrantChoice }
  | { readonly verdict: "deny"; readonly note?: string }
  | { readonly mistake: string };

/** Phones replace straight quotes while one types. What was meant is not guessed. */
const CURLY = /[\u2018-\u201f\u00ab\u00bb]/;

/** Undefined: an ordinary comment. */
export function readCommand(comment: string): Command | undefined {
  const text = comment.replaceAll("\r\n", "\n").trim();
  const [, word, rest = ""] = /^\/(approve|deny)(?:\s+([\s\S]*))?$/.exec(text) ?? [];
  if (word === "deny")
    return { verdict: "deny", ...(rest === "" ? {} : { note: rest.slice(0, NOTE_CHARACTERS).toWellFormed() }) };
  if (word !== "approve") return undefined;
  const [, terms = "", block] = /^([^`]*)(?:```(?:json)?\n([\s\S]*?)\n?```)?$/.exec(rest) ?? [];
  if (rest !== "" && terms === "" && block === undefined) return { mistake: BELOW };
  const chosen = grantIn(terms.trim());
  if ("mistake" in chosen) return chosen;
  if (block === undefined) return { verdict: "approve", ...chosen };
  try {
    return { verdict: "approve", ...chosen, args: parseJson(block) };
  } catch (error) {
    if (!(error instanceof JsonTextProblem)) throw error;
    const curly = CURLY.test(block) ? "; curly quotes are no JSON, type straight ones" : "";
    return { mistake: `the block is no JSON, line ${error.line}: ${error.message}${curly}` };
  }
}

const BELOW =
  "below /approve only a block of JSON with all arguments may stand, and behind it only `grant for=1h count=5`";

/** `grant for=1h count=5 most=50`. */
function grantIn(text: string): { readonly grant?: GrantChoice } | { readonly mistake: string } {
  if (text === "") return {};
  const [, terms] = /^grant(?:\s+([\s\S]*))?$/.exec(text) ?? [];
  if (!text.startsWith("grant")) return { mistake: BELOW };
  const parsed = parseGrantChoice(terms ?? "");
  return "mistake" in parsed ? parsed : { grant: parsed.choice };
}

function wholeText(approval: ApprovalRecord): string {
  return `${fenced(callText(approval), "")}\n\n${fenced(reasonText(approval), "")}`;
}

function callText(approval: ApprovalRecord): string {
  const { tool, agent, environment } = approval;
  const head = `tool ${printable(tool)}, agent ${printable(agent)}, environment ${printable(environment)}`;
  return [head, ...argumentLines(approval)].join("\n");
}

function reasonText({ reasons }: ApprovalRecord): string {
  return reasons.map(({ id, reason }) => `${printable(id)}: ${printable(reason)}`).join("\n");
}

/** What may be said beside `/approve`. */
function editing(approval: ApprovalRecord): readonly string[] {
  return [...offering(approval), ...changing(approval)];
}

function offering({ grantOffer: offer }: ApprovalRecord): readonly string[] {
  if (offer === undefined) return [];
  const terms = `for=1h count=5${offer.amount === undefined ? "" : " most=…"}`;
  return [`To permit the like for a while too (${offerText(offer)}): \`/approve grant ${terms}\`.`];
}

function changing(approval: ApprovalRecord): readonly string[] {
  if (approval.editable.length === 0) return [];
  const paths = approval.editable.map((path) => `\`${printable(path).replaceAll("`", "'")}\``).join(", ");
  const form = approval.form ?? [];
  const unitAt = unitsOf(approval);
  const withUnit = (unit: string | undefined) => (unit === undefined ? {} : { unit });
  const fields = form.map(
    (field) => `${printable(field.path)}: ${fieldText({ ...field, ...withUnit(unitAt(field.path)) })}`,
  );
  return [
    `To change ${paths}: copy this block, change it, and put it below \`/approve\` in your comment or reply.`,
    ...(fields.length === 0 ? [] : [fenced(fields.join("\n"), "")]),
    fenced(jsonText(argumentsOf(approval)), "json"),
  ];
}

/** A fence that nothing inside can close. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** The texts of all fenced blocks. */
function blocksOf(markdown: string): string[] {
  const found = markdown.replaceAll("\r\n", "\n").matchAll(/^(`{3,})[\w-]*\n([\s\S]*?)\n\1$/gm);
  return [...found].map(([, , text = ""]) => text);
}
