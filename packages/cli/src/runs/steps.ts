/** A run as steps, from its log entries alone: nothing here asks the tables that the entries explain. */
import {
  type EntryHeader,
  type EntryType,
  type Json,
  type JsonObject,
  type LogStore,
  parseHeader,
  type StoredEntry,
  type StoredPart,
} from "@saferun/core";

export interface StepEvent {
  readonly seq: number;
  /** Store time, ms. */
  readonly at: number;
  readonly type: EntryType;
}

/** One gated call: all its entries, wherever in the run they stand. */
export interface CallStep extends StepEvent {
  readonly kind: "call";
  readonly call: string;
  readonly tool: string;
  /** Of the first decision; `decisions` holds all. */
  readonly verdict: string | null;
  readonly rules: readonly string[];
  readonly revision: string | null;
  readonly reason: string | null;
  readonly decisions: readonly { readonly verdict: string; readonly rules: readonly string[]; readonly at: number }[];
  /** As the agent proposed them. */
  readonly args: Json;
  /** As the tool got them; null when it did not run. */
  readonly ran: Json;
  readonly edited: boolean;
  readonly approval: { readonly id: string; readonly answer: string | null; readonly by: Json } | null;
  /** `succeeded`, `failed`, `unknown`; null while it waits or runs, and where it never ran. */
  readonly outcome: string | null;
  readonly result: Json;
  readonly waitedMs: number | null;
  readonly executedMs: number | null;
  readonly events: readonly StepEvent[];
}

/** Anything else of the run: its start, a model turn. */
export interface OtherStep extends StepEvent {
  readonly kind: "entry";
  readonly content: JsonObject;
}

export type RunStep = CallStep | OtherStep;

const BATCH = 1_000;

/** All entries of a run, oldest first. */
export async function runEntries(store: LogStore, run: string): Promise<StoredEntry[]> {
  const all: StoredEntry[] = [];
  for (let from = 0; ; ) {
    const batch = await store.entries({ from, limit: BATCH, run });
    const last = batch.at(-1);
    // Where entries are large, a page ends before it is full.
    if (last === undefined) return all;
    all.push(...batch);
    from = last.seq + 1;
  }
}

/** Calls in the order of their proposal, other entries where they stand. */
export function runSteps(entries: readonly StoredEntry[]): RunStep[] {
  const calls = new Map<string, { entry: StoredEntry; header: EntryHeader }[]>();
  const order: (string | OtherStep)[] = [];
  for (const entry of entries) {
    const header = parseHeader(entry.header);
    if (header.call === undefined) {
      order.push(otherStep(entry, header));
      continue;
    }
    const known = calls.get(header.call);
    if (known !== undefined) known.push({ entry, header });
    else {
      calls.set(header.call, [{ entry, header }]);
      order.push(header.call);
    }
  }
  return order.map((item) => (typeof item === "string" ? callStep(item, calls.get(item) ?? []) : item));
}

function otherStep(entry: StoredEntry, header: EntryHeader): OtherStep {
  const parts = Object.fromEntries(entry.parts.map((part) => [part.name, partValue(part)]));
  return { kind: "entry", seq: entry.seq, at: header.time, type: header.type, content: { type: header.type, parts } };
}

function callStep(call: string, entries: readonly { entry: StoredEntry; header: EntryHeader }[]): CallStep {
  const find = (type: EntryType) => entries.find(({ header }) => header.type === type);
  const proposed = find("call.proposed");
  const decided = find("call.decided");
  const answered = entries.findLast(({ header }) => header.type === "approval.decided");
  const executing = find("call.executing");
  const ended = entries.findLast(({ header }) => header.type === "call.finished" || header.type === "call.lost");
  const actor = partNamed(answered?.entry, "actor");
  const args =
    partNamed(proposed?.entry, "arguments") ?? field(partNamed(proposed?.entry, "request"), "arguments") ?? null;
  const edited = field(actor, "edited") === true;
  // What a person approved, else what the policies made of the proposal, else the proposal.
  const changed = field(field(field(partNamed(decided?.entry, "decision"), "decision"), "changed"), "args");
  const first = entries[0];
  return {
    kind: "call",
    seq: first?.entry.seq ?? 0,
    at: first?.header.time ?? 0,
    type: first?.header.type ?? "call.proposed",
    call,
    tool: toolOf(proposed),
    verdict: decided?.header.verdict ?? null,
    rules: decided?.header.rules ?? [],
    revision: decided?.header.revision ?? null,
    reason: textOf(field(field(partNamed(decided?.entry, "decision"), "decision"), "reason")),
    decisions: entries.flatMap(({ header }) =>
      header.type === "call.decided"
        ? [{ verdict: header.verdict ?? "deny", rules: header.rules ?? [], at: header.time }]
        : [],
    ),
    args,
    ran: executing === undefined ? null : (partNamed(answered?.entry, "arguments") ?? changed ?? args),
    edited,
    approval: approvalOf(entries, answered, actor),
    outcome: ended?.header.outcome ?? null,
    result: partNamed(ended?.entry, "result") ?? partNamed(ended?.entry, "error") ?? null,
    waitedMs: between(find("approval.requested"), executing ?? answered),
    executedMs: between(executing, ended),
    events: entries.map(({ entry, header }) => ({ seq: entry.seq, at: header.time, type: header.type })),
  };
}

function approvalOf(
  entries: readonly { header: EntryHeader }[],
  answered: { header: EntryHeader } | undefined,
  actor: Json | undefined,
): CallStep["approval"] {
  const last = entries.findLast(({ header }) => header.type.startsWith("approval."));
  const id = last?.header.approval;
  if (last === undefined || id === undefined) return null;
  const answer = answered === undefined ? unanswered(last.header.type) : approvedOrDenied(answered.header.verdict);
  return { id, answer, by: field(actor, "by") ?? null };
}

function unanswered(type: EntryType): string | null {
  return type === "approval.expired" ? "expired" : type === "approval.withdrawn" ? "withdrawn" : null;
}

function approvedOrDenied(verdict: string | undefined): string {
  return verdict === "allow" ? "approved" : "denied";
}

/** The header names only tools that the gate knows by a plain name; others stand in a part. */
function toolOf(proposed: { entry: StoredEntry; header: EntryHeader } | undefined): string {
  const request = partNamed(proposed?.entry, "request");
  return proposed?.header.tool ?? textOf(partNamed(proposed?.entry, "tool") ?? field(request, "tool")) ?? "(no name)";
}

function between(
  from: { readonly header: EntryHeader } | undefined,
  to: { readonly header: EntryHeader } | undefined,
): number | null {
  return from === undefined || to === undefined ? null : to.header.time - from.header.time;
}

function partNamed(entry: StoredEntry | undefined, name: string): Json | undefined {
  const part = entry?.parts.find((candidate) => candidate.name === name);
  return part === undefined ? undefined : partValue(part);
}

const decoder = new TextDecoder();

/** The content of a part; what the log wrapped because it was no plain JSON stays wrapped, so that nothing is guessed. */
export function partValue(part: StoredPart): Json {
  if (part.bytes !== null) return contentOfText(decoder.decode(part.bytes));
  if (part.salt === null) return { erased: true };
  return part.sealed === undefined ? { unreadable: true } : { sealed: true, key: part.sealed };
}

/** The same from the text of its bytes. */
export function contentOfText(text: string): Json {
  const value = JSON.parse(text) as Json;
  const wrapped = field(value, "encoding") === "json" ? field(value, "value") : undefined;
  return wrapped ?? value;
}

function field(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}
