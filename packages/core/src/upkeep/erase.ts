/**
 * Takes a person's, a run's or a call's content out of the record: bytes and salts of its parts, and what the rows beside
 * the log hold of it. Headers, leaves and proofs stay as they are; an entry says what was taken out, by whom and why.
 */
import type { ApprovalRecord } from "../approval/approval.ts";
import { SafeRunError } from "../errors.ts";
import { part, SUBJECT_PART } from "../gate/record.ts";
import type { CallRecord } from "../lifecycle.ts";
import type { StoredEntry } from "../log/entry.ts";
import { ERASURE_PART, type ErasedParts, erasureContent, isErasable } from "../log/erasure.ts";
import { type EntryHeader, parseHeader } from "../log/header.ts";
import type { Hash, Opener, Random, RowWrite, SealKeys, StateKind, StateRow, Store, Transaction } from "../ports.ts";
import { sealedIn, sealScope } from "../redaction/seal.ts";
import type { Json } from "../value/json.ts";
import { erasureGuard } from "./archive.ts";
import { conversationsOf, RunRoots } from "./conversations.ts";
import { forgetInAgents } from "./forget-recipients.ts";

/** `subject`: the id of the principal that runs were made for, and what `subject:` of a tool's policy names in its calls. */
export type ErasureTarget = { readonly subject: string } | { readonly run: string } | { readonly call: string };

export interface ErasureRequest {
  readonly target: ErasureTarget;
  /** Stands in the log for good: it must not name the subject. */
  readonly reason: string;
  readonly by: string;
}

export interface Erased {
  /** Positions of the entries that lost content: what an index derived from them must forget. */
  readonly entries: readonly number[];
  readonly parts: number;
  readonly runs: number;
  /** Rows beside the log that were cleared or removed. */
  readonly rows: number;
  /** Rows that cannot be removed yet, as `KIND`. */
  readonly kept: readonly StateKind[];
  /** Keys that were destroyed: of sealed content, no copy can be read any more. */
  readonly keys: number;
  /** True where content was sealed with a key that holds for more than this: copies of it can still be read. */
  readonly shared: boolean;
}

const TRIES = 3;
const PAGE = 500;
/**
 * Kinds whose rows may name for whom a call was, or what was in it, and go with it. An agent's rows stay, without what they
 * know of it (`forgetInAgents`); the others hold names of agents and tools, ids and numbers.
 */
const KINDS: readonly StateKind[] = ["act", "grant", "hold", "pot", "run", "sticky"];

export interface ErasePorts {
  readonly hash: Hash;
  readonly random: Random;
  /** Of the store's sealed content. Absent: nothing was ever sealed. */
  readonly keys?: SealKeys & Opener;
}

/**
 * Durable when it resolves. Asked again it erases what came since.
 * @throws SafeRunError `option.invalid` for a reason that names the subject, and where nothing is found;
 * `record.busy` while a call of it is open; `record.*` as the store does.
 */
export async function erase(store: Store, request: ErasureRequest, ports: ErasePorts): Promise<Erased> {
  const { target, reason, by } = request;
  if ("subject" in target && (reason.includes(target.subject) || by === target.subject)) {
    throw new SafeRunError("option.invalid", "the reason of an erasure stays in the log: it must not name its subject");
  }
  for (let tries = 0; tries < TRIES; tries++) {
    const found = await collect(store, target);
    // Of what was archived only the keys are left here: without them it is gone there, too.
    const isSealed = ports.keys?.has(scopesOf(found, ports.hash)) === true;
    if (found.parts.length === 0 && !isSealed)
      throw new SafeRunError("option.invalid", "the log holds no content of this");
    const erased = await eraseFound(store, found, { by, reason }, ports);
    if (erased !== undefined) return erased;
  }
  throw new SafeRunError("record.busy", "the erasure could not be recorded", { retryable: true });
}

/** In one transaction; undefined when something of it has moved on meanwhile, and nothing was written. */
export async function eraseFound(
  store: Store,
  found: Found,
  { by, reason }: Pick<ErasureRequest, "by" | "reason">,
  { hash, random, keys }: ErasePorts,
): Promise<Erased | undefined> {
  const { parts } = found;
  const agents = await forgetInAgents(store, found, { hash, ...(keys === undefined ? {} : { opener: keys }) });
  const rows = await rowsOf(store, found);
  const records = await recordsOf(store, found);
  // First, since it can be done again: whoever dies here finds all content still listed the next time.
  const gone = keys?.destroy(scopesOf(found, hash)) ?? [];
  const before = [...found.keys].filter((key) => keys?.isDestroyed(key) === true);
  const destroyed = [...new Set([...gone, ...before])].sort();
  const content = part(ERASURE_PART, erasureContent(by, reason, parts, destroyed), random);
  const written = await store.commit({
    ...records,
    rows: [...rows.removed, await erasureGuard(store)],
    entries: [{ type: "log.erased", parts: [content] }],
    erase: parts,
  });
  if (!written.ok) return undefined;
  return {
    entries: parts.map(({ seq }) => seq),
    parts: parts.reduce((count, { names }) => count + names.length, 0),
    runs: found.runs.size,
    rows: rows.removed.length + agents.changed + found.calls.size + found.approvals.size,
    kept: [...new Set(agents.kept > 0 ? [...rows.kept, "agent" as const] : rows.kept)],
    keys: destroyed.length,
    shared: [...found.keys].some((key) => !destroyed.includes(key)),
  };
}

/** What is to be erased, and whose rows go with it. */
export interface Found {
  /** Names of people. */
  readonly subjects: Set<string>;
  readonly parts: ErasedParts[];
  readonly runs: Set<string>;
  readonly calls: Set<string>;
  readonly approvals: Set<string>;
  /** Roots of the trees of runs whose prompts and answers go, too. */
  readonly conversations: Set<string>;
  /** With which the content that goes was sealed. */
  readonly keys: Set<string>;
}

/** A key of one call does not exist. */
function scopesOf({ subjects, runs, conversations }: Found, hash: Hash): readonly string[] {
  return [
    ...[...conversations].map((root) => sealScope("conversation", root, hash)),
    ...[...subjects].map((subject) => sealScope("subject", subject, hash)),
    ...[...runs].map((run) => sealScope("run", run, hash)),
  ];
}

export function nothingFound(): Found {
  const sets = { subjects: new Set<string>(), runs: new Set<string>(), calls: new Set<string>() };
  return { ...sets, approvals: new Set(), conversations: new Set(), keys: new Set(), parts: [] };
}

/** Reads the whole log: who a run was for stands in its first entry, and only there. */
async function collect(store: Store, target: ErasureTarget): Promise<Found> {
  const found = nothingFound();
  if ("subject" in target) found.subjects.add(target.subject);
  if ("run" in target) found.runs.add(target.run);
  const roots = new RunRoots();
  for (let from = 0; ; ) {
    const entries = await store.entries({ from, limit: PAGE });
    for (const entry of entries) see(entry, parseHeader(entry.header), target, found, roots);
    const last = entries.at(-1);
    if (last === undefined) break;
    from = last.seq + 1;
  }
  await addConversations(store, roots, found);
  return found;
}

/** Read by themselves: what a model was asked before a call may name whose data the call holds. */
async function addConversations(store: Store, roots: RunRoots, found: Found): Promise<void> {
  for (const run of found.runs) found.conversations.add(roots.of(run));
  // Of a run that goes whole all parts are listed.
  const others = [...roots.runsOf(found.conversations)].filter((run) => !found.runs.has(run));
  for await (const { entry, erased } of conversationsOf(store, others)) {
    found.parts.push(erased);
    seeKeys(entry, found);
  }
  found.parts.sort((one, other) => one.seq - other.seq);
}

function see(entry: StoredEntry, header: EntryHeader, target: ErasureTarget, found: Found, roots: RunRoots): void {
  const run = header.run?.id;
  roots.see(entry, header);
  if ("subject" in target) {
    if (run !== undefined && isFor(entry, header, target.subject)) found.runs.add(run);
    if (header.call !== undefined && holdsDataOf(entry, header, target.subject)) {
      found.calls.add(header.call);
      if (run !== undefined) found.conversations.add(roots.of(run));
    }
  }
  const isMeant =
    "call" in target
      ? header.call === target.call
      : (run !== undefined && found.runs.has(run)) || (header.call !== undefined && found.calls.has(header.call));
  if (!isMeant || !isErasable(header.type)) return;
  if (header.call !== undefined) found.calls.add(header.call);
  if (header.approval !== undefined) found.approvals.add(header.approval);
  const names = entry.parts.filter(({ bytes }) => bytes !== null).map(({ name }) => name);
  if (names.length > 0) found.parts.push({ seq: entry.seq, names });
  seeKeys(entry, found);
}

/** Of an entry whose content goes. */
export function seeKeys({ parts }: StoredEntry, found: Found): void {
  for (const { bytes } of parts) {
    const key = bytes === null ? undefined : sealedIn(bytes)?.key;
    if (key !== undefined) found.keys.add(key);
  }
}

const decoder = new TextDecoder();

function isFor(entry: StoredEntry, { type }: EntryHeader, subject: string): boolean {
  return type === "run.started" && principalIn(entry) === subject;
}

/** For whom a run was made, as its first entry has it. */
export function principalIn({ parts }: StoredEntry): string | undefined {
  const bytes = parts.find(({ name }) => name === "context")?.bytes ?? null;
  if (bytes === null) return undefined;
  const content = JSON.parse(decoder.decode(bytes)) as { readonly principal?: { readonly id?: unknown } };
  const id = content.principal?.id;
  return typeof id === "string" ? id : undefined;
}

/** The tool's policy has said whose data it is, whoever the run was for. */
function holdsDataOf(entry: StoredEntry, { type }: EntryHeader, subject: string): boolean {
  return type === "call.proposed" && subjectIn(entry) === subject;
}

export function subjectIn({ parts }: StoredEntry): string | undefined {
  const bytes = parts.find(({ name }) => name === SUBJECT_PART)?.bytes ?? null;
  const subject: unknown = bytes === null ? undefined : JSON.parse(decoder.decode(bytes));
  return typeof subject === "string" ? subject : undefined;
}

/** Calls and approvals keep their states; a digest is a guess away from its arguments, so that it goes with them. */
export async function recordsOf(
  store: Store,
  found: Pick<Found, "calls" | "approvals">,
): Promise<Pick<Transaction, "calls" | "approvals">> {
  const calls: RowWrite<CallRecord>[] = [];
  for (const id of found.calls) {
    const call = await store.call(id);
    if (call === undefined || (call.proposed === "" && call.digest === "" && call.bytes === null)) continue;
    if (call.state === "pending" || call.state === "approved" || call.state === "executing") {
      throw new SafeRunError("record.busy", `call \`${id}\` is ${call.state}: end it first`, { retryable: true });
    }
    const { keep: _, ...kept } = call;
    const row = { ...kept, version: call.version + 1, proposed: "", digest: "", bytes: null };
    calls.push({ row, expect: call.version });
  }
  const approvals: RowWrite<ApprovalRecord>[] = [];
  for (const id of found.approvals) {
    const approval = await store.approval(id);
    if (approval !== undefined && approval.digest !== "")
      approvals.push({ row: withoutContent(approval), expect: approval.version });
  }
  return { calls, approvals };
}

/** Who answered, when, and what the rules were, stays. */
function withoutContent(approval: ApprovalRecord): ApprovalRecord {
  const { sticky: _, scope: __, masked: ___, keep: ____, ...kept } = approval;
  const { edit, decision, votes, reasons, version } = kept;
  const empty = { digest: "", bytes: "{}" };
  return {
    ...kept,
    ...empty,
    version: version + 1,
    requesters: [],
    reasons: reasons.map((reason) => ({ ...reason, reason: "" })),
    edit: edit === null ? null : { ...edit, ...empty },
    votes: votes.map((vote) => ({ ...vote, note: null })),
    decision: decision === null ? null : { ...decision, ...empty, note: null },
  };
}

async function rowsOf(store: Store, found: Found) {
  const removed: RowWrite<StateRow>[] = [];
  const kept: StateKind[] = [];
  const words = [...found.runs, ...found.calls, ...found.approvals, ...found.subjects];
  const marks = new Set(words.map((word) => JSON.stringify(word)));
  const sticky = new Set<string>();
  for (const id of found.approvals) for (const row of (await store.approval(id))?.sticky ?? []) sticky.add(row);
  const isMeant = ({ kind, id, value }: StateRow): boolean =>
    sticky.has(id) || found.runs.has(id) || textsOf(kind, id, value).some((text) => marks.has(text));
  for (const kind of KINDS) {
    for await (const row of rowsIn(store, kind)) {
      if (!isMeant(row)) continue;
      if (isHolding(row.value)) kept.push(kind);
      else removed.push({ row: { ...row, version: row.version + 1, due: null, value: null }, expect: row.version });
    }
  }
  return { removed, kept };
}

async function* rowsIn(store: Store, kind: StateKind): AsyncIterable<StateRow> {
  for (let after: string | undefined; ; ) {
    const rows = await store.rows({ kind, limit: PAGE, ...(after === undefined ? {} : { after }) });
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

/** Every JSON text that stands in the row, whole: an id is made of names and JSON texts. */
function textsOf(kind: StateKind, id: string, value: Json): readonly string[] {
  const whole = `${id} ${JSON.stringify(value)}`;
  const inner = whole.replaceAll('\\"', '"');
  const runs = kind === "sticky" ? id.split("/").map((step) => JSON.stringify(step)) : [];
  return [...(whole.match(/"(?:[^"\\]|\\.)*"/g) ?? []), ...(inner.match(/"(?:[^"\\]|\\.)*"/g) ?? []), ...runs];
}

/** What is held must be settled where it stands. */
function isHolding(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  return ("held" in value && value.held !== "0") || ("state" in value && value.state === "held");
}
