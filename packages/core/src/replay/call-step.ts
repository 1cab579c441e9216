/** One call, from all entries that name it. */
import type { Verdict } from "../decision.ts";
import type { EntryHeader } from "../log/header.ts";
import type { Json } from "../value/json.ts";
import {
  type Content,
  contentAt,
  fieldOf,
  listOf,
  numberOf,
  type RecordedEntry,
  shownValue,
  textOf,
  textsOf,
} from "./content.ts";
import type { CallAnswer, CallApproval, CallArguments, CallDecision, RuleStep, TimeSpan, ToolState } from "./tree.ts";

/** What a call was, without its place in the run. */
export interface CallFacts {
  readonly call: string;
  readonly tool: string | null;
  readonly state: ToolState;
  readonly lost: boolean;
  readonly arguments: CallArguments;
  readonly decisions: readonly CallDecision[];
  readonly approvals: readonly CallApproval[];
  readonly result: Content | null;
  readonly error: Content | null;
  readonly note: Content | null;
  readonly evaluate: readonly TimeSpan[];
  readonly wait: readonly TimeSpan[];
  readonly execute: TimeSpan | null;
}

/** @param entries In the order of the log; at least one. */
export function callFacts(call: string, entries: readonly RecordedEntry[]): CallFacts {
  const proposed = entries.find(({ header }) => header.type === "call.proposed");
  const decided = entries.filter(({ header }) => header.type === "call.decided");
  const executing = entries.find(({ header }) => header.type === "call.executing");
  const ended = entries.find(({ header }) => header.type === "call.finished" || header.type === "call.lost");
  const finished = entries.findLast(({ header }) => header.type === "call.finished");
  const decisions = decided.map(decisionOf);
  const approvals = approvalsOf(entries);
  return {
    call,
    tool: toolOf(proposed, entries),
    state: entries.reduce<ToolState>(stateAfter, "proposed"),
    lost: entries.some(({ header }) => header.type === "call.lost"),
    arguments: argumentsOf(proposed, decisions, approvals, executing !== undefined),
    decisions,
    approvals,
    result: finished?.part("result") ?? null,
    error: finished?.part("error") ?? null,
    note: finished?.part("note") ?? null,
    evaluate: decided.map((entry) => evaluationOf(entry)),
    wait: approvals.map(({ requestedAt, answeredAt, state }) => ({
      from: requestedAt,
      to: state === "waiting" || state === "suspended" ? null : answeredAt,
    })),
    execute: executing === undefined ? null : { from: executing.header.time, to: ended?.header.time ?? null },
  };
}

function stateAfter(state: ToolState, { header }: RecordedEntry): ToolState {
  switch (header.type) {
    case "call.decided":
      return header.verdict === "allow" ? "approved" : header.verdict === "pause" ? "waiting" : "denied";
    case "approval.requested":
    case "approval.resumed":
      return "waiting";
    case "approval.suspended":
      return "suspended";
    case "approval.decided":
      return header.verdict === "allow" ? "approved" : "denied";
    case "approval.expired":
      return "expired";
    case "approval.withdrawn":
      return state === "denied" ? state : "withdrawn";
    case "call.executing":
      return "executing";
    case "call.finished":
    case "call.lost":
    case "call.reconciled":
      return header.outcome ?? "unknown";
    default:
      return state;
  }
}

/** The header names only plain names; others stand in a part. */
function toolOf(proposed: RecordedEntry | undefined, entries: readonly RecordedEntry[]): string | null {
  const named = proposed?.header.tool ?? entries.find(({ header }) => header.tool !== undefined)?.header.tool;
  if (named !== undefined || proposed === undefined) return named ?? null;
  return textOf(shownValue(proposed.part("tool") ?? contentAt(proposed.part("request"), "tool")));
}

function argumentsOf(
  proposed: RecordedEntry | undefined,
  decisions: readonly CallDecision[],
  approvals: readonly CallApproval[],
  ran: boolean,
): CallArguments {
  const written = proposed?.part("arguments") ?? contentAt(proposed?.part("request") ?? null, "arguments");
  const first = decisions.find(({ approval }) => approval === null);
  const changed = contentAt(contentAt(first?.content ?? null, "decision", "changed"), "args");
  const used = approvals.find((approval) => approval.used) ?? approvals.findLast(({ state }) => state === "approved");
  const approved = used?.answers.findLast(({ verdict }) => verdict !== "deny")?.arguments ?? null;
  return { proposed: written, changed, approved, ran: ran ? (approved ?? changed ?? written) : null };
}

/** The gate's clock when the call came, then the moment at which its decision was durable. */
function evaluationOf(entry: RecordedEntry): TimeSpan {
  const to = entry.header.time;
  const now = numberOf(shownValue(contentAt(entry.part("decision"), "context", "now")));
  return { from: now === null || now > to ? to : now, to };
}

export function decisionOf(entry: RecordedEntry): CallDecision {
  const { header, seq } = entry;
  const content = entry.part("decision");
  const whole = shownValue(content);
  // A refused model's decision stands by itself, a call's beside its context, and a malformed call has none.
  const decision = fieldOf(whole, "decision") ?? whole;
  const malformed = header.rules?.includes("call.malformed") === true ? textOf(fieldOf(whole, "message")) : null;
  const would = fieldOf(decision, "would");
  return {
    seq,
    at: header.time,
    verdict: header.verdict ?? "deny",
    by: textsOf(fieldOf(decision, "by")) ?? header.rules ?? [],
    revision: header.revision ?? null,
    reason: textOf(fieldOf(decision, "reason")) ?? malformed,
    fix: textOf(fieldOf(decision, "fix")),
    rules: listOf(fieldOf(decision, "rules")).map(ruleOf),
    would:
      would === undefined
        ? null
        : { verdict: textOf(fieldOf(would, "verdict")) ?? "", by: textsOf(fieldOf(would, "by")) ?? [] },
    approval: header.approval ?? null,
    content,
  };
}

function ruleOf(rule: Json): RuleStep {
  const span = fieldOf(rule, "span");
  return {
    rule: textOf(fieldOf(rule, "rule")) ?? "",
    then: textOf(fieldOf(rule, "then")) ?? "",
    matched: textOf(fieldOf(rule, "matched")) ?? "",
    verdict: textOf(fieldOf(rule, "verdict")),
    file: textOf(fieldOf(span, "file")),
    line: numberOf(fieldOf(span, "line")),
    column: numberOf(fieldOf(span, "column")),
    error: textOf(fieldOf(rule, "error")),
  };
}

function approvalsOf(entries: readonly RecordedEntry[]): readonly CallApproval[] {
  const byId = new Map<string, RecordedEntry[]>();
  for (const entry of entries) {
    const { approval, type } = entry.header;
    if (approval === undefined || !type.startsWith("approval.")) continue;
    const known = byId.get(approval);
    if (known === undefined) byId.set(approval, [entry]);
    else known.push(entry);
  }
  return [...byId].map(([id, of]) => approvalOf(id, of));
}

function approvalOf(id: string, entries: readonly RecordedEntry[]): CallApproval {
  const requested = entries.find(({ header }) => header.type === "approval.requested") ?? entries[0];
  const question = shownValue(requested?.part("question") ?? null);
  const over = entries.find(({ header }) => OVER.includes(header.type));
  return {
    id,
    state: entries.reduce<CallApproval["state"]>((state, { header }) => standingAfter(state, header), "waiting"),
    requestedAt: requested?.header.time ?? 0,
    deadline: numberOf(fieldOf(question, "deadline")),
    reasons: listOf(fieldOf(question, "reasons")).map((reason) => ({
      id: textOf(fieldOf(reason, "id")) ?? "",
      reason: textOf(fieldOf(reason, "reason")) ?? "",
      route: textOf(fieldOf(fieldOf(reason, "approval"), "route")),
    })),
    editable: textsOf(fieldOf(question, "editable")) ?? [],
    answers: entries.filter(({ header }) => ANSWERS.includes(header.type)).map(answerOf),
    answeredAt: over?.header.time ?? null,
    used: entries.some(({ header }) => header.type === "approval.consumed"),
  };
}

const ANSWERS: readonly string[] = ["approval.voted", "approval.decided"];
const OVER: readonly string[] = ["approval.decided", "approval.expired", "approval.withdrawn"];

function standingAfter(state: CallApproval["state"], { type, verdict }: EntryHeader): CallApproval["state"] {
  switch (type) {
    case "approval.requested":
    case "approval.resumed":
      return "waiting";
    case "approval.suspended":
      return "suspended";
    case "approval.decided":
      return verdict === "allow" ? "approved" : "denied";
    case "approval.expired":
      return "expired";
    case "approval.withdrawn":
      // What was answered stays answered, also where the call was refused after it.
      return state === "approved" || state === "denied" ? state : "withdrawn";
    default:
      return state;
  }
}

function answerOf(entry: RecordedEntry): CallAnswer {
  const actor = shownValue(entry.part("actor"));
  const by = fieldOf(actor, "by");
  const { verdict } = entry.header;
  return {
    at: entry.header.time,
    verdict: entry.header.type === "approval.decided" ? verdictOf(verdict) : null,
    by: textOf(fieldOf(by, "id")),
    via: textOf(fieldOf(by, "via")),
    verified: fieldOf(by, "verified") === true,
    note: textOf(fieldOf(actor, "note")),
    edited: fieldOf(actor, "edited") === true,
    arguments: entry.part("arguments"),
  };
}

function verdictOf(verdict: Verdict | undefined): Verdict {
  return verdict === "allow" ? "allow" : "deny";
}
