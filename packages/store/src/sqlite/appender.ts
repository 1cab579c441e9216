/**
 * The one place that writes `log.db`: many requests → one transaction, one fsync. Synchronous; runs in the writer thread.
 *
 * The head is read inside the transaction, so that several processes append to one chain. What is kept between
 * transactions is believed only while `PRAGMA data_version` says that nobody else has written.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  type Appended,
  type ApprovalRecord,
  appendEntries,
  appendLeaf,
  begins,
  bytesOf,
  type CallRecord,
  type ChainHead,
  type CommitResult,
  type Conflict,
  countBytes,
  equalBytes,
  type Hash,
  invariant,
  type LogHeads,
  type LogTree,
  parseHeader,
  peakCount,
  protect,
  type QuotaMark,
  SafeRunError,
  type StoredEntry,
  type Transaction,
  type Unmoved,
} from "@saferun/core";
import { archiveConflict, readBase, removeArchived } from "./archive-rows.ts";
import { createBallast, MADE_AGAIN, noRoom, RELEASED, starts } from "./ballast.ts";
import { isBusy, isFileError, storeFailure } from "./failure.ts";
import { blob, type ConnectOptions, connect, integer, PARTS_PER_ENTRY, pragma, row, text, writeRow } from "./schema.ts";
import { StateTable } from "./state-table.ts";

export type Request =
  | { readonly kind: "commit"; readonly transaction: Transaction; readonly now: number }
  | { readonly kind: "checkpoint"; readonly size: number; readonly note: string };

export type Answer =
  | { readonly ok: true; readonly result: CommitResult | null }
  | { readonly ok: false; readonly error: Error };

export interface AppenderOptions extends ConnectOptions {
  readonly path: string;
  readonly writerId: string;
  readonly hash: Hash;
  /** Hears that the disk is full, and that it is not any more. */
  readonly tell?: (message: string) => void;
}

export interface Appender {
  /** One transaction for all of them; answers in the order of the requests, durable when it returns. */
  apply(requests: readonly Request[]): Answer[];
  /** Marks the writer as closed and lets go of the file. */
  close(): void;
}

const MAKE_AGAIN_MS = 1_000;

function isFull(answer: Answer): boolean {
  return !answer.ok && answer.error instanceof SafeRunError && answer.error.code === "record.full";
}

/** Runs whose chain heads are kept between transactions. */
const KEPT_RUNS = 1_000;

interface Connection {
  readonly db: DatabaseSync;
  readonly statements: ReturnType<typeof prepareAll>;
  readonly state: StateTable;
  /** `data_version` for which `heads` is what the file says; null when it must be read. */
  seen: number | null;
}

export function createAppender(options: AppenderOptions): Appender {
  const { hash, writerId } = options;
  let connection: Connection | undefined;
  /** As of the last commit that is known to be durable. */
  let heads: LogHeads | undefined;
  const runs = new Map<string, ChainHead>();
  /** Set when a commit's fate is unknown: own entries may stand behind `heads`. */
  let doubtful = false;
  const ballast = createBallast(options.path, options.maxPages);
  /** When it was last tried to make it, ms of a clock that nobody sets; the first time is at once. */
  let triedAt = Number.NEGATIVE_INFINITY;
  let wasFull = false;

  function open(): Connection {
    if (connection !== undefined) return connection;
    const db = connect(options.path, options);
    if (options.maxPages !== undefined) {
      const most = options.maxPages - (ballast.isHeld() ? ballast.pages : 0);
      db.exec(`PRAGMA max_page_count = ${Math.floor(most)}`);
    }
    connection = { db, statements: prepareAll(db), state: new StateTable(db), seen: null };
    return connection;
  }

  /** After an error of the file the connection is never used again: its cache may hold what the disk does not. */
  function abandon(): void {
    const db = connection?.db;
    connection = undefined;
    doubtful = true;
    try {
      if (db?.isTransaction === true) db.exec("ROLLBACK");
    } finally {
      db?.close();
    }
  }

  function currentHeads(at: Connection): LogHeads {
    const version = pragma(at.db, "data_version");
    if (heads !== undefined && at.seen === version && !doubtful) return heads;
    const found = readHeads(at, heads, writerId, doubtful, hash);
    at.seen = version;
    runs.clear();
    at.state.forget();
    return found;
  }

  /** What throws in here undoes the whole transaction: an error of the file, or a row that no check foresaw. */
  function applyOpen(at: Connection, requests: readonly Request[]): Answer[] {
    at.statements.begin.run();
    const before = currentHeads(at);
    let next = before;
    const fresh = new Map<string, ChainHead>();
    const answers: Answer[] = [];
    for (const request of requests) {
      const chains = chainsOf(request, (id) => fresh.get(id) ?? runs.get(id) ?? readRun(at.statements, id));
      const done = perform(at, request, { ...next, runs: chains }, hash);
      answers.push(done.answer);
      if (!done.answer.ok) continue;
      next = done.heads;
      for (const { id } of (request.kind === "commit" ? request.transaction.archive?.runs : undefined) ?? []) {
        fresh.delete(id);
        runs.delete(id);
      }
      for (const [id, chain] of done.heads.runs) fresh.set(id, chain);
    }
    at.state.flush();
    const { size, peaks } = next.tree;
    if (size > before.tree.size) writeRow(at.statements.setHead, size, joined(peaks));
    at.statements.commit.run();
    heads = next;
    doubtful = false;
    if (runs.size > KEPT_RUNS) runs.clear();
    for (const [id, chain] of fresh) runs.set(id, chain);
    return answers;
  }

  /** All or none of them; after an error of the file it is opened anew for the next, and nothing of it is tried again. */
  function attempt(requests: readonly Request[]): Answer[] {
    if (requests.length === 0) return [];
    try {
      return applyOpen(open(), requests);
    } catch (error) {
      const failure = storeFailure(error);
      const untouched = isBusy(error) && connection?.db.isTransaction === false;
      try {
        if (!untouched) abandon();
      } catch {
        // The file is already given up; what counts is the first error.
      }
      return requests.map(() => ({ ok: false, error: failure }));
    }
  }

  /** Whether room is kept for the end. It is looked for once a second where it is not. */
  function keepsRoom(): boolean {
    if (ballast.isHeld()) return true;
    const now = performance.now();
    if (now < triedAt + MAKE_AGAIN_MS) return false;
    triedAt = now;
    const { db } = open();
    const left = options.maxPages && options.maxPages - pragma(db, "page_count") + pragma(db, "freelist_count");
    if (!ballast.make(left)) return false;
    if (options.maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${options.maxPages - ballast.pages}`);
    if (wasFull) options.tell?.(MADE_AGAIN);
    wasFull = false;
    return true;
  }

  /** On a full disk: what ends something goes through, what starts something is refused. */
  function attemptEnds(requests: readonly Request[]): Answer[] {
    if (!wasFull) options.tell?.(RELEASED);
    wasFull = true;
    const isStart = (request: Request) => request.kind === "commit" && starts(request.transaction.entries);
    const done = attempt(requests.filter((request) => !isStart(request))).values();
    return requests.map((request): Answer => {
      const answer = isStart(request) ? undefined : done.next().value;
      return answer ?? { ok: false, error: noRoom() };
    });
  }

  return {
    apply(requests) {
      let keeps: boolean;
      try {
        keeps = keepsRoom();
      } catch (error) {
        return requests.map(() => ({ ok: false, error: storeFailure(error) }));
      }
      if (!keeps) return attemptEnds(requests);
      const answers = attempt(requests);
      if (!answers.every(isFull)) return answers;
      ballast.release();
      triedAt = performance.now();
      return attemptEnds(requests);
    },
    close() {
      try {
        open().statements.closeWriter.run(writerId);
      } finally {
        connection?.db.close();
        connection = undefined;
      }
    },
  };
}

function prepareAll(db: DatabaseSync) {
  return {
    begin: db.prepare("BEGIN IMMEDIATE"),
    commit: db.prepare("COMMIT"),
    head: db.prepare("SELECT log, size, peaks FROM log WHERE id = 1"),
    setHead: db.prepare("UPDATE log SET size = ?, peaks = ? WHERE id = 1"),
    entry: db.prepare("SELECT header, leaf FROM entries WHERE seq = ?"),
    addEntry: db.prepare("INSERT INTO entries (seq, run, leaf, header) VALUES (?, ?, ?, ?)"),
    addPart: db.prepare("INSERT INTO parts (id, name, salt, bytes) VALUES (?, ?, ?, ?)"),
    erasePart: db.prepare("UPDATE parts SET salt = NULL, bytes = NULL WHERE id >= ? AND id < ? AND name = ?"),
    run: db.prepare("SELECT n, leaf FROM runs WHERE id = ?"),
    addRun: db.prepare(
      `INSERT INTO runs (id, n, leaf, agent, environment, started, last) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET n = excluded.n, leaf = excluded.leaf, last = excluded.last,
         agent = iif(agent = '', excluded.agent, agent), environment = iif(environment = '', excluded.environment, environment)`,
    ),
    callVersion: db.prepare("SELECT version FROM calls WHERE id = ?"),
    callOfKey: db.prepare("SELECT id FROM calls WHERE run = ? AND key = ?"),
    addCall: db.prepare(
      "INSERT INTO calls (id, version, state, run, key, created, record) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ),
    setCall: db.prepare(
      "UPDATE calls SET version = ?, state = ?, run = ?, key = ?, created = ?, record = ? WHERE id = ?",
    ),
    approvalVersion: db.prepare("SELECT version FROM approvals WHERE id = ?"),
    addApproval: db.prepare("INSERT INTO approvals (id, version, state, created, record) VALUES (?, ?, ?, ?, ?)"),
    setApproval: db.prepare("UPDATE approvals SET version = ?, state = ?, created = ?, record = ? WHERE id = ?"),
    checkpoint: db.prepare("SELECT note FROM checkpoints WHERE size = ?"),
    addCheckpoint: db.prepare("INSERT INTO checkpoints (size, note) VALUES (?, ?)"),
    closeWriter: db.prepare("UPDATE writers SET closed = 1 WHERE id = ?"),
  } satisfies Record<string, StatementSync>;
}

type Statements = Connection["statements"];

interface Performed {
  readonly heads: LogHeads;
  readonly answer: Answer;
}

/** Everything is checked before the first row is written: a request that cannot be leaves nothing behind, and harms no other. */
function perform({ db, statements, state }: Connection, request: Request, heads: LogHeads, hash: Hash): Performed {
  const done = (result: CommitResult | null, after = heads): Performed => ({
    heads: after,
    answer: { ok: true, result },
  });
  let appended: Appended;
  let reached: readonly QuotaMark[] = [];
  try {
    if (request.kind === "checkpoint") {
      addCheckpoint(statements, request.size, request.note, heads.tree.size);
      return done(null);
    }
    const { archive } = request.transaction;
    const conflict =
      conflictIn(statements, state, request.transaction) ??
      (archive === undefined ? undefined : archiveConflict(db, archive));
    if (conflict !== undefined) return done({ ok: false, conflict });
    const { protection } = request.transaction;
    // The store's time, which never goes back.
    const now = Math.max(request.now, heads.lastTime);
    const objection = protection === undefined ? null : protect(protection, state, now);
    if (objection !== null) {
      state.drop();
      return done({ ok: false, objection });
    }
    appended = appendEntries(request.transaction.entries, heads, request.now, hash);
    const { counted, entries } = request.transaction;
    if (counted !== undefined) {
      reached = countBytes(counted, { begins: begins(entries), bytes: bytesOf(appended.entries) }, state, now);
    }
  } catch (error) {
    if (isFileError(error)) throw error;
    state.drop();
    return { heads, answer: { ok: false, error: storeFailure(error) } };
  }
  const { calls = [], approvals = [], rows = [] } = request.transaction;
  writeEntries(statements, request.transaction, appended.entries, appended.heads);
  for (const { seq, names } of request.transaction.erase ?? []) {
    for (const name of names) statements.erasePart.run(seq * PARTS_PER_ENTRY, (seq + 1) * PARTS_PER_ENTRY, name);
  }
  for (const { row: call, expect } of calls) writeCall(statements, call, expect === null);
  for (const { row: approval, expect } of approvals) writeApproval(statements, approval, expect === null);
  for (const { row: changed } of rows) state.write(changed);
  const { archive } = request.transaction;
  if (archive !== undefined) removeArchived(db, archive, appended.heads.tree.size);
  state.keep();
  const range = { from: heads.tree.size, to: appended.heads.tree.size };
  return done({ ok: true, ...range, ...(reached.length === 0 ? {} : { reached }) }, appended.heads);
}

/** The ends of the chains that a request continues; a run without one is new. */
function chainsOf(request: Request, chainOf: (run: string) => ChainHead | undefined): Map<string, ChainHead> {
  const chains = new Map<string, ChainHead>();
  for (const { run } of request.kind === "commit" ? request.transaction.entries : []) {
    const chain = run === undefined || chains.has(run) ? undefined : chainOf(run);
    if (run !== undefined && chain !== undefined) chains.set(run, chain);
  }
  return chains;
}

function conflictIn(statements: Statements, state: StateTable, transaction: Transaction): Conflict | undefined {
  for (const { row: call, expect } of transaction.calls ?? []) {
    if (versionIn(statements.callVersion, call.id) !== expect) return { kind: "call", id: call.id };
    const holder = call.key === null ? undefined : row(statements.callOfKey, call.run, call.key);
    if (holder !== undefined && holder.id !== call.id) return { kind: "call", id: call.id };
  }
  for (const { row: approval, expect } of transaction.approvals ?? []) {
    if (versionIn(statements.approvalVersion, approval.id) !== expect) return { kind: "approval", id: approval.id };
  }
  const { unmoved } = transaction;
  return state.conflictIn(transaction.rows ?? []) ?? (unmoved && movedIn(statements, state, unmoved));
}

/** The first run, or the tree itself, that has moved on since the history was read. */
function movedIn(statements: Statements, state: StateTable, { root, tree, runs }: Unmoved): Conflict | undefined {
  if (state.versionOf("tree", root) !== tree) return { kind: "tree", id: root };
  const moved = runs.find(({ id, entries }) => (readRun(statements, id)?.n ?? 0) !== entries);
  return moved === undefined ? undefined : { kind: "run", id: moved.id };
}

function versionIn(statement: StatementSync, id: string): number | null {
  const found = row(statement, id);
  return found === undefined ? null : integer(found.version, "version");
}

function writeEntries(
  statements: Statements,
  transaction: Transaction,
  entries: readonly StoredEntry[],
  heads: LogHeads,
): void {
  for (const [index, { seq, header, leaf, parts }] of entries.entries()) {
    invariant(parts.length <= PARTS_PER_ENTRY, "an entry with more parts than its header has room for");
    const draft = transaction.entries[index];
    writeRow(statements.addEntry, seq, draft?.run ?? null, leaf, header);
    for (const [place, part] of parts.entries()) {
      writeRow(statements.addPart, seq * PARTS_PER_ENTRY + place, part.name, part.salt, part.bytes);
    }
  }
  writeRuns(statements, transaction, heads);
}

/** One row for each run that the entries belong to, as it stands after the last of them. */
function writeRuns(statements: Statements, { entries }: Transaction, heads: LogHeads): void {
  const named = new Map<string, { agent: string; environment: string }>();
  for (const { run, agent = "", environment = "" } of entries) {
    if (run === undefined) continue;
    const known = named.get(run);
    named.set(run, { agent: known?.agent || agent, environment: known?.environment || environment });
  }
  for (const [id, { agent, environment }] of named) {
    const run = heads.runs.get(id);
    if (run === undefined || run.leaf === null) continue;
    writeRow(statements.addRun, id, run.n, run.leaf, agent, environment, heads.lastTime, heads.lastTime);
  }
}

function writeCall(statements: Statements, call: CallRecord, isNew: boolean): void {
  const { id, version, state, run, key, createdAt } = call;
  const record = JSON.stringify(call);
  if (isNew) writeRow(statements.addCall, id, version, state, run, key, createdAt, record);
  else writeRow(statements.setCall, version, state, run, key, createdAt, record, id);
}

function writeApproval(statements: Statements, approval: ApprovalRecord, isNew: boolean): void {
  const { id, version, state, createdAt } = approval;
  const record = JSON.stringify(approval);
  if (isNew) writeRow(statements.addApproval, id, version, state, createdAt, record);
  else writeRow(statements.setApproval, version, state, createdAt, record, id);
}

function addCheckpoint(statements: Statements, size: number, note: string, treeSize: number): void {
  invariant(size <= treeSize, "a checkpoint over more entries than there are");
  const known = row(statements.checkpoint, size);
  if (known === undefined) statements.addCheckpoint.run(size, note);
  else if (known.note !== note) {
    throw new SafeRunError("record.corrupt", `two different checkpoints over ${size} entries`);
  }
}

/**
 * The heads as the file has them now, inside the transaction. What was known before must be the beginning of it:
 * a file that went back or another history fails here, before anything is appended to it.
 */
function readHeads(
  { db, statements }: Connection,
  known: LogHeads | undefined,
  writerId: string,
  ownToo: boolean,
  hash: Hash,
): LogHeads {
  const found = row(statements.head);
  if (found === undefined) throw new SafeRunError("record.corrupt", "the store has no head");
  const [log, size] = [text(found.log, "log"), integer(found.size, "size")];
  const tree: LogTree = { size, peaks: split(blob(found.peaks, "peaks")) };
  if (tree.peaks.length !== peakCount(size)) throw new SafeRunError("record.corrupt", "the store's head is damaged");
  let writer: LogHeads["writer"] = known?.writer ?? { id: writerId, n: 0, leaf: null };
  if (known !== undefined) {
    let grown = known.tree;
    if (log !== known.log || size < grown.size) throw wentBack();
    const base = grown.size < size ? readBase(db) : grown;
    if (base.size > grown.size) {
      // What others wrote since is archived already: it cannot be followed, and own entries not be told from others.
      if (ownToo) throw new SafeRunError("record.unavailable", "the log was archived meanwhile: open the store again");
      grown = { size: base.size, peaks: base.peaks };
    }
    for (let seq = grown.size; seq < size; seq++) {
      const { header, leaf } = readEntry(statements, seq);
      grown = appendLeaf(grown, leaf, hash);
      if (ownToo && parseHeader(header).writer.id === writerId) writer = { id: writerId, n: writer.n + 1, leaf };
    }
    if (!equalBytes(joined(grown.peaks), joined(tree.peaks))) throw wentBack();
  }
  const lastTime = size === 0 ? 0 : parseHeader(readEntry(statements, size - 1).header).time;
  return { log, writer, runs: new Map(), tree, lastTime };
}

function wentBack(): SafeRunError {
  return new SafeRunError(
    "record.corrupt",
    "the store no longer continues the history that this process has written to: it was restored or changed",
  );
}

function readEntry(statements: Statements, seq: number): { header: Uint8Array; leaf: Uint8Array } {
  const found = row(statements.entry, seq);
  if (found === undefined)
    throw new SafeRunError("record.corrupt", `the store has no entry ${seq}, which its head counts`);
  return { header: blob(found.header, "header"), leaf: blob(found.leaf, "leaf") };
}

function readRun(statements: Statements, id: string): ChainHead | undefined {
  const found = row(statements.run, id);
  return found === undefined ? undefined : { n: integer(found.n, "n"), leaf: blob(found.leaf, "leaf") };
}

function joined(peaks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(peaks.length * 32);
  for (const [index, peak] of peaks.entries()) bytes.set(peak, index * 32);
  return bytes;
}

/** The 32-byte hashes of a head row. */
export function split(bytes: Uint8Array): Uint8Array[] {
  const peaks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 32) peaks.push(bytes.slice(at, at + 32));
  return peaks;
}
