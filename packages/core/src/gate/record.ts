/** The entries that the gate writes: which facts stand in the header, and which content goes into salted parts. */
import type { ApprovalRecord } from "../approval/approval.ts";
import { type ArgumentUnits, fixedUnits } from "../argument-units.ts";
import type { Objection } from "../breaker/protect/objection.ts";
import { type Malformed, type ToolCall, toHex } from "../call.ts";
import type { Decision, EvaluationContext, PauseReason } from "../decision.ts";
import { invariant } from "../errors.ts";
import { KEPT_WHOLE, type Keeping, type Seal } from "../keeping.ts";
import type { CallRecord, Outcome } from "../lifecycle.ts";
import { AGENT_PART, isPlainName } from "../log/agent-id.ts";
import type { EntryDraft, PartDraft } from "../log/entry.ts";
import { encodePart } from "../log/part.ts";
import { argumentPath, valueAt } from "../policy/argument-path.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import type { Hash, Random } from "../ports.ts";
import { sealScope } from "../redaction/seal.ts";
import type { Run } from "./run.ts";

/** 48 bits of time and 80 of chance: unguessable, and rows that are made together lie together in an index. */
export function newId(
  prefix: "run" | "call" | "appr" | "stop" | "model" | "alarm",
  random: Random,
  now: number,
): string {
  return `${prefix}_${Math.trunc(now).toString(16).padStart(12, "0").slice(-12)}${toHex(random.bytes(10))}`;
}

/** Any value at all: recording never fails because of what it is given. */
export function part(name: string, value: unknown, random: Random): PartDraft {
  return { name, salt: random.bytes(32), bytes: encodePart(value) };
}

/** The common head of every entry that is about a call, or about the run alone. */
export function about(run: Run, call?: string): Omit<EntryDraft, "type"> {
  const { id, turn, agentId: agent, environment, within } = run;
  const named = { agent, ...plain("environment", environment) };
  const place = { ...(call === undefined ? {} : { call }), ...(within === undefined ? {} : { within }) };
  return { run: id, step: turn, ...named, ...place };
}

/** What a run begins with, as it was when it was opened. */
export interface Beginning {
  /** The person's own, encoded; undefined: nobody has spoken. */
  readonly words: Uint8Array | undefined;
  /**
   * Where prompts are sealed, what the application states of the run is, too: the rest of `context` an erasure finds it by.
   * Decided by the policies that the entry is written under, which say how the rest of it is kept.
   */
  entry(seal: Seal | null): EntryDraft;
}

export function beginning(run: Run, prompt: readonly string[] | undefined, random: Random): Beginning {
  const { principal, context, depth, owner } = run;
  const [, ...around] = run.runs;
  const known = { principal, depth, owner, ...(around.length > 0 && { around }) };
  const whole = [part("context", { ...known, context }, random)];
  const states = Object.keys(context).length > 0;
  const apart = states ? [part("context", known, random), part(STATED_PART, context, random)] : whole;
  const rest: PartDraft[] = [];
  if (run.agentId !== run.agent) rest.push(part(AGENT_PART, run.agent, random));
  const words = prompt === undefined ? undefined : part("user-prompt", prompt, random);
  if (words !== undefined) rest.push(words);
  const head = { ...about(run), type: "run.started" } as const;
  return {
    words: words?.bytes,
    entry: (seal) => ({ ...head, parts: [...(seal === null ? whole : apart), ...rest] }),
  };
}

export function proposed(
  run: Run,
  callId: string,
  call: ToolCall,
  subject: string | undefined,
  random: Random,
): EntryDraft {
  const content = [part("arguments", call.args, random)];
  if (subject !== undefined) content.push(part(SUBJECT_PART, subject, random));
  const tool = plain("tool", call.tool);
  if (tool.tool === undefined) content.push(part("tool", call.tool, random));
  return { ...about(run, callId), ...tool, type: "call.proposed", parts: content };
}

/** Whose data a call holds, where the policies say which argument it is: what an erasure finds it by. */
export const SUBJECT_PART = "subject";

/** What the application states of a run, where it is sealed. */
const STATED_PART = "stated";

/** Of the call as it would run. Undefined: the run's principal. */
export function subjectOf({ subject }: Keeping, args: ToolCall["args"]): string | undefined {
  const path = subject === null ? null : argumentPath(subject);
  const value = path === null ? undefined : valueAt(args, path);
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

/** With what its key is found by, where it is sealed: who ends the call may know neither run nor policies. */
export function keepingOfCall(
  set: Pick<PolicySet, "keeping" | "conversationSeal">,
  { id, root, principal }: Run,
  call: { readonly tool: string; readonly environment: string; readonly args?: ToolCall["args"] },
  hash: Hash,
): Keeping {
  const keep = set.keeping(call.tool, call.environment);
  const { seal } = keep;
  const named = call.args === undefined ? undefined : subjectOf(keep, call.args);
  const subject = named ?? principal.id;
  const ofSubject = (): string => sealScope("subject", subject, hash);
  // The prompts before it may have named whose data it holds, and those after it hold its result.
  const ties =
    named === undefined || named === "" || set.conversationSeal(call.environment) !== "subject"
      ? {}
      : { ties: [{ scope: ofSubject(), tied: sealScope("conversation", root, hash) }] };
  if (seal === undefined) return named === undefined ? keep : { ...keep, ...ties };
  const scope = seal === "subject" && subject !== "" ? ofSubject() : sealScope("run", id, hash);
  return { ...keep, ...ties, scope };
}

/** Of what a run begins with, of its prompts and of their answers. One key for the run and all that it starts. */
export function keepingOfConversation(
  set: Pick<PolicySet, "conversationSeal">,
  run: Pick<Run, "id" | "root" | "principal" | "environment">,
  hash: Hash,
): Keeping {
  const seal = set.conversationSeal(run.environment);
  if (seal === null) return KEPT_WHOLE;
  const tied = sealScope("conversation", run.root, hash);
  const ties = [{ scope: sealScope("run", run.id, hash), tied }];
  const { id } = run.principal;
  if (seal === "subject" && id !== "") ties.push({ scope: sealScope("subject", id, hash), tied });
  return { ...KEPT_WHOLE, seal, scope: tied, ties };
}

export function keeping(entry: EntryDraft, keep: Keeping): EntryDraft {
  return keep === KEPT_WHOLE ? entry : { ...entry, keep };
}

/** Where the log does not hold the values of arguments, it does not hold what was told by them either. */
function withoutToldUnits<Holder extends { readonly units?: ArgumentUnits }>(holder: Holder, keep: Keeping): Holder {
  const { units } = holder;
  return units === undefined || keep.record === "full" ? holder : { ...holder, units: fixedUnits(units) };
}

/** The decision with all that it was made from, so that replay is the same evaluation again. */
export function decided(
  run: Run,
  callId: string,
  decision: Decision,
  context: EvaluationContext,
  keep: Keeping,
  random: Random,
): EntryDraft {
  const { verdict, by, revision } = decision;
  return {
    ...about(run, callId),
    type: "call.decided",
    verdict,
    rules: headerRules(by),
    revision,
    parts: [part("decision", { decision: withoutToldUnits(decision, keep), context }, random)],
  };
}

export function malformedEntries(
  run: Run,
  callId: string,
  request: { readonly tool: unknown; readonly args: unknown },
  malformed: Malformed,
  revision: string,
  random: Random,
): EntryDraft[] {
  const head = about(run, callId);
  return [
    {
      ...head,
      type: "call.proposed",
      parts: [part("request", { tool: request.tool, arguments: request.args }, random)],
    },
    {
      ...head,
      type: "call.decided",
      verdict: "deny",
      rules: ["call.malformed"],
      revision,
      parts: [part("decision", malformed, random)],
    },
  ];
}

export function executing(run: Run, call: CallRecord): EntryDraft {
  const approval = call.approval === null ? {} : { approval: call.approval };
  return {
    ...about(run, call.id),
    ...plain("tool", call.tool),
    ...approval,
    type: "call.executing",
    revision: call.revision,
  };
}

/** What the model was told beside a result; the arguments that ran stand elsewhere. */
export interface ResultNote {
  readonly edited: boolean;
  readonly changed: boolean;
  readonly notes: readonly string[];
}

export function finished(
  run: Run,
  call: CallRecord,
  { outcome, result }: { readonly outcome: Outcome; readonly result: unknown },
  { edited, changed, notes }: ResultNote,
  random: Random,
): EntryDraft {
  const content = outcome === "succeeded" ? part("result", result, random) : part("error", errorText(result), random);
  const said = edited || changed || notes.length > 0 ? [part("note", { edited, changed, notes }, random)] : [];
  const parts = [content, ...said];
  return { ...about(run, call.id), ...plain("tool", call.tool), type: "call.finished", outcome, parts };
}

export function requested(run: Run, approval: ApprovalRecord, random: Random): EntryDraft {
  const { reasons, editable, deadline, digest, keep = KEPT_WHOLE } = approval;
  const { units } = withoutToldUnits(approval, keep);
  const question = { reasons, editable, deadline, digest, ...(units === undefined ? {} : { units }) };
  const shown = part("question", question, random);
  return {
    ...about(run, approval.call),
    type: "approval.requested",
    approval: approval.id,
    rules: headerRules(reasons.map((reason) => reason.id)),
    parts: [shown],
  };
}

export function withdrawn(run: Run, approval: ApprovalRecord): EntryDraft {
  return { ...about(run, approval.call), type: "approval.withdrawn", approval: approval.id };
}

/** What the protections did in this transaction, apart from deciding about a call. */
export function protectionEntries(
  head: Omit<EntryDraft, "type">,
  { changes, marks, exceeded }: Objection,
  random: Random,
): EntryDraft[] {
  return [
    ...changes.map((change): EntryDraft => {
      const rules = change.trip === null ? [] : headerRules([change.trip.by]);
      const named = change.scope === "tool" ? plain("tool", change.name) : {};
      return { ...head, ...named, type: `breaker.${change.to}`, rules, parts: [part("breaker", change, random)] };
    }),
    ...marks.map((mark): EntryDraft => ({ ...head, type: "budget.marked", parts: [part("mark", mark, random)] })),
    ...exceeded.map((pot): EntryDraft => ({ ...head, type: "budget.exceeded", parts: [part("pot", pot, random)] })),
  ];
}

/** The approval request for a paused call: the shortest time, and only what every reason lets the approver change. */
export function question(
  id: string,
  callId: string,
  run: Run,
  call: ToolCall,
  reasons: readonly PauseReason[],
  now: number,
): ApprovalRecord {
  invariant(reasons.length > 0, "a pause has a reason");
  const within = Math.min(...reasons.map((reason) => reason.approval.withinMs));
  invariant(Number.isSafeInteger(now + within), "a pause has a deadline");
  const [first, ...others] = reasons;
  const editable = (first?.approval.editable ?? []).filter((path) =>
    others.every((other) => other.approval.editable.includes(path)),
  );
  return {
    id,
    version: 1,
    since: 1,
    state: "pending",
    call: callId,
    run: run.id,
    tool: call.tool,
    agent: call.agent,
    environment: call.environment,
    digest: call.digest,
    bytes: call.bytes,
    reasons,
    editable,
    requesters: requestersOf(run),
    edit: null,
    votes: [],
    escalated: 0,
    createdAt: now,
    deadline: now + within,
    decision: null,
  };
}

/** For whom a call of this run is: separation of duties knows them by their principals. */
function requestersOf({ principal, owner }: Run): readonly string[] {
  return [principal.id, owner].filter((id) => id !== "");
}

/** The ids that a header has room for; the whole list stands in the decision's part. */
export function headerRules(ids: readonly string[]): readonly string[] {
  let length = 0;
  const end = ids.findIndex((id) => {
    length += id.length;
    return length > HEADER_RULES;
  });
  return end === -1 ? ids : ids.slice(0, end);
}

/** Characters of rule ids in one header: well within `LIMITS.headerBytes` beside everything else. */
const HEADER_RULES = 1_024;

function plain<Key extends string>(key: Key, name: string): { readonly [K in Key]?: string } {
  const result: { [K in Key]?: string } = {};
  if (isPlainName(name)) result[key] = name;
  return result;
}

/** An error as data: its name and message, never its stack. */
export function errorText(error: unknown): unknown {
  return error instanceof Error ? { name: error.name, message: error.message } : error;
}
