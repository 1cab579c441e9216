/**
 * What a person may permit beside the call itself, made from the call: they choose how long, how often and how much, and
 * never which arguments may differ. Nobody widens a grant by typing.
 */
import type { ApprovalRecord } from "../approval/approval.ts";
import { type GrantOffer, type GrantTerms, missingOf } from "../approval/quorum.ts";
import { type ArgumentUnits, NO_UNITS } from "../argument-units.ts";
import type { ToolCall } from "../call.ts";
import type { PauseReason } from "../decision.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import { canonicalJson, type Json, type JsonObject } from "../value/json.ts";
import { knownAmount, meantAmount, unitHint } from "../value/money.ts";
import { printable, short } from "../value/printable.ts";
import { spanText } from "../value/span.ts";

/** What a person chose, as a form, a comment or a program says it. */
export interface GrantChoice {
  /** `15m`, `1h`, `4h` or `run`. */
  readonly for?: string;
  readonly count?: string | number;
  /** Of the amount, in all; needed where the offer counts one, and only there. */
  readonly most?: string | number;
}

export const GRANT_FIELDS = ["for", "count", "most"] as const;
export type GrantField = (typeof GRANT_FIELDS)[number];

export interface GrantMistake {
  readonly field: GrantField;
  /** For the person, one line. */
  readonly message: string;
}

const DAY_MS = 86_400_000;
/** How long. A grant never outlives its run, so that `run` is a bound against runs that never end. */
export const GRANT_WINDOWS: Readonly<Record<string, number>> = {
  "15m": 900_000,
  "1h": 3_600_000,
  "4h": 14_400_000,
  run: DAY_MS,
};
export const GRANT_WINDOW_TEXTS: Readonly<Record<string, string>> = {
  "15m": "15 minutes",
  "1h": "one hour",
  "4h": "four hours",
  run: "until this run ends, a day at most",
};
export const GRANT_CALLS = 1_000;
/** What a form begins with. */
export const GRANT_DEFAULT = { for: "1h", count: "5" } as const;

/** Undefined where nothing is offered: a reason that is not `grantable`, or arguments that no path names. */
export function grantOffer(
  call: ToolCall,
  reasons: readonly PauseReason[],
  set: PolicySet,
  units: ArgumentUnits = NO_UNITS,
): GrantOffer | undefined {
  const names = Object.keys(call.args).toSorted();
  if (names.some((name) => !NAME.test(name)) || !isGrantable(reasons)) return undefined;
  // Whom it reaches, else what makes two calls the same act, else all of it: nobody said what the like would be.
  const { recipients, identity } = set.traits(call.tool);
  const kept = new Set((recipients ?? identity ?? ["$"]).map(rootOf));
  const shown = new Set(reasons.flatMap(({ approval }) => approval.show.map(rootOf)));
  const editable = new Set(reasons.flatMap(({ approval }) => approval.editable));
  const types = new Map(set.editFields(call.tool, names).map(({ path, type }) => [path, type]));
  const isAmount = (name: string): boolean =>
    !recipients?.map(rootOf).includes(name) && isWhole(call.args[name]) && (AMOUNT.test(name) || editable.has(name));
  const [amount] = names.filter(isAmount);
  const mayDiffer = (name: string): boolean =>
    !kept.has("$") &&
    !kept.has(name) &&
    !shown.has(name) &&
    typeof call.args[name] === "string" &&
    types.get(name) !== "enum";
  const free = names.filter(mayDiffer);
  const same = names.filter((name) => name !== amount && !free.includes(name));
  if (amount === undefined) return { same, free };
  const { unit, from = [] } = (Object.hasOwn(units, amount) ? units[amount] : undefined) ?? {};
  // Told by what stays as it is in all of the calls, and what nobody edits: else the sum could be of two currencies.
  const stays = (path: string): boolean =>
    same.includes(rootOf(path)) && ![...editable].some((edited) => rootOf(edited) === rootOf(path));
  return { same, free, amount, ...(unit !== undefined && from.every(stays) ? { unit } : {}) };
}

export function isGrantable(reasons: readonly PauseReason[]): boolean {
  return reasons.every(({ approval }) => approval.grantable === true);
}

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const AMOUNT =
  /(?:^|[_-]|(?<=[a-z]))(?:[Aa]mount|[Tt]otal|[Ss]um|[Pp]rice|[Cc]ost|[Ff]ee|[Cc]ents|[Qq]uantity|[Uu]nits)$/;

/** The chosen terms, or what is wrong with the choice. Total. */
export function chosenGrant(
  { reasons, grantOffer: offer }: Pick<ApprovalRecord, "reasons" | "grantOffer">,
  choice: GrantChoice,
): { readonly grant: GrantTerms } | { readonly mistakes: readonly GrantMistake[] } {
  if (offer === undefined) return { mistakes: [{ field: "for", message: noOffer(reasons) }] };
  const { amount, same } = offer;
  const { for: window = GRANT_DEFAULT.for, count: calls = GRANT_DEFAULT.count, most } = choice;
  const forMs = Object.hasOwn(GRANT_WINDOWS, window) ? GRANT_WINDOWS[window] : undefined;
  const count = wholeOf(calls);
  const sum = most === undefined || most === "" ? undefined : wholeOf(most);
  const mistakes: GrantMistake[] = [];
  if (forMs === undefined) mistakes.push({ field: "for", message: `must be ${Object.keys(GRANT_WINDOWS).join(", ")}` });
  if (count === undefined || count > GRANT_CALLS)
    mistakes.push({ field: "count", message: `must be a whole number of calls from 1 to ${GRANT_CALLS}` });
  if (amount === undefined && most !== undefined && most !== "")
    mistakes.push({ field: "most", message: "nothing in this call is counted; leave it out" });
  if (amount !== undefined && sum === undefined)
    mistakes.push({ field: "most", message: `must be a whole number: ${mostText(offer, amount, most)}` });
  if (mistakes.length > 0 || forMs === undefined || count === undefined) return { mistakes };
  return {
    grant: { same, forMs, count, ...(amount === undefined || !sum ? {} : { sum: { path: amount, most: sum } }) },
  };
}

function mostText({ unit }: GrantOffer, amount: string, most: GrantChoice["most"] = ""): string {
  const meant = unit === undefined ? undefined : meantAmount(String(most), unit);
  const counted = unit === undefined ? "" : `, ${meant ?? unitHint(unit, 5_000)}`;
  return `how much \`${amount}\` in all${counted}`;
}

/** `for=1h count=5 most=50`, with spaces or commas between, in any order. `mistake`: for the person, one line. */
export function parseGrantChoice(text: string): { readonly choice: GrantChoice } | { readonly mistake: string } {
  const choice: Partial<Record<GrantField, string>> = {};
  for (const piece of text.split(/[\s,]+/).filter((one) => one !== "")) {
    const [name = "", value = "", ...rest] = piece.split("=");
    const field = GRANT_FIELDS.find((one) => one === name);
    if (field === undefined || value === "" || rest.length > 0 || choice[field] !== undefined)
      return { mistake: `\`${short(piece, 60)}\` is no part of a grant; write \`for=1h count=5 most=50\`` };
    choice[field] = value;
  }
  return { choice };
}

/** `{ "for": "1h", "count": 5, "most": 50 }`, as programs send it; null for anything else: an unknown key is an error. */
export function readGrantChoice(value: Json): GrantChoice | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const { for: window, count, most, ...others } = value as JsonObject;
  const isNumber = (one: Json | undefined) => one === undefined || typeof one === "string" || typeof one === "number";
  if (Object.keys(others).length > 0 || !isNumber(count) || !isNumber(most)) return null;
  return window === undefined || typeof window === "string" ? (value as GrantChoice) : null;
}

export function grantMistakeText(mistakes: readonly GrantMistake[]): string {
  return mistakes.map(({ field, message }) => `grant, \`${field}\`: ${message}`).join("; ");
}

/** What those who agreed so far permit beside the call: the next person may permit the same. */
export function proposedGrant({ votes }: Pick<ApprovalRecord, "votes">): GrantTerms | undefined {
  return votes.findLast(({ grant }) => grant !== undefined)?.grant;
}

/** The terms that the decision gives; undefined where it gives none, or where too few people agreed to the same. */
export function givenGrant(approval: ApprovalRecord): GrantTerms | undefined {
  const { decision, scope } = approval;
  const terms = decision?.grant;
  if (decision?.verdict !== "approve" || terms === undefined || scope === undefined) return undefined;
  const agreed = canonicalJson(terms);
  const votes = approval.votes.filter(({ grant }) => grant !== undefined && canonicalJson(grant) === agreed);
  return missingOf({ ...approval, votes }).length === 0 ? terms : undefined;
}

/** `up to 5 more calls within 1 h in this run, with the same to (“ann”); amount 50 in all`: one line, printable. */
export function grantText(bytes: string, terms: GrantTerms, offer?: GrantOffer): string {
  const args = JSON.parse(bytes) as JsonObject;
  const { same, forMs, count, sum } = terms;
  const kept = same.map((name) => `${printable(name)} ${short(canonicalJson(args[name] ?? null), 60)}`);
  return [
    `up to ${count} more ${count === 1 ? "call" : "calls"} within ${forMs >= DAY_MS ? "this run" : `${spanText(forMs)} in this run`}`,
    kept.length === 0 ? "whatever the arguments are" : `with the same ${kept.join(", ")}`,
    ...(sum === undefined ? [] : [`${printable(sum.path)} ${mostIn(sum.most, offer?.unit)} in all`]),
    ...((offer?.free.length ?? 0) === 0 ? [] : [`${offer?.free.map(printable).join(", ")} may differ`]),
  ].join("; ");
}

function mostIn(most: number, unit: string | undefined): string {
  const text = unit === undefined ? undefined : knownAmount(most, unit);
  return text === undefined ? String(most) : `${text} (${most})`;
}

/** What a form says of the offer, before anything is chosen. */
export function offerText({ same, free, amount, unit }: GrantOffer): string {
  return [
    same.length === 0 ? "the same tool" : `the same ${same.map(printable).join(", ")}`,
    ...(amount === undefined
      ? []
      : [`${printable(amount)} added up${unit === undefined ? "" : ` (${unitHint(unit, 5_000)})`}`]),
    ...(free.length === 0 ? [] : [`${free.map(printable).join(", ")} may differ`]),
  ].join("; ");
}

function noOffer(reasons: readonly PauseReason[]): string {
  const fixed = reasons.find(({ approval }) => approval.grantable !== true);
  if (fixed !== undefined) return `\`${printable(fixed.id)}\` does not say \`grantable: true\``;
  return "nothing can be permitted beside this call";
}

/** A whole number above 0 in plain digits; undefined for anything else. */
function wholeOf(typed: string | number): number | undefined {
  const text = String(typed).trim();
  const value = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

function isWhole(value: Json | undefined): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** `lines[].amount` → `lines`. */
function rootOf(path: string): string {
  return path.split(/[.[]/)[0] ?? path;
}
