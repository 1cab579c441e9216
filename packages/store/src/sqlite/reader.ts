/** Reads of `log.db`, on the caller's thread over a connection that cannot write. */
import type { DatabaseSync } from "node:sqlite";
import {
  type ApprovalRecord,
  type ApprovalSummary,
  type CallEntry,
  type CallInState,
  type CallRecord,
  type Hash,
  type Json,
  type LogFault,
  parseHeader,
  type RunSummary,
  SafeRunError,
  type StateKind,
  type StateRow,
  type StoredEntry,
  type Stray,
  SUMMARY_CHARACTERS,
  type TreeHead,
  treeRoot,
} from "@saferun/core";
import { split } from "./appender.ts";
import { readBase } from "./archive-rows.ts";
import { CALL_ENTRIES, callEntriesIn } from "./call-entries.ts";
import { createPackedReader } from "./packed.ts";
import { isGone } from "./processes.ts";
import { blob, connectReadOnly, integer, OPEN_CALLS, PARTS_PER_ENTRY, pragma, row, text } from "./schema.ts";
import { checkTables, createCallRows, type TableStates } from "./table-check.ts";

/** Entries read in one go; bounds the memory of a page whatever `limit` says. */
const MOST_ENTRIES = 10_000;

export function createReader(path: string, options: { readonly busyMs: number; readonly hash: Hash }) {
  const db = connectReadOnly(path, options.busyMs);
  const statements = prepareAll(db);
  const packed = createPackedReader(db);

  function entries(query: { from: number; limit: number; run?: string }): StoredEntry[] {
    return packed(query.from, Math.max(0, Math.min(query.limit, MOST_ENTRIES)), query.run);
  }

  function callEntries({ run, from, limit }: { run: string; from: number; limit: number }): CallEntry[] {
    const rows = statements.callEntries.all(run, from, Math.max(0, Math.min(limit, MOST_ENTRIES)));
    return callEntriesIn(rows);
  }

  function head(): TreeHead & { readonly log: string } {
    const found = row(statements.head) ?? {};
    const size = integer(found.size, "size");
    const root = treeRoot({ size, peaks: split(blob(found.peaks, "peaks")) }, options.hash);
    return { log: text(found.log, "log"), size, root };
  }

  /** Openings that are surely gone, or the others. */
  function writers(areGone: boolean): string[] {
    return statements.writers.all().flatMap((found) => {
      const [boot, namespace] = [text(found.boot, "boot"), text(found.namespace, "namespace")];
      const identity = { boot, namespace, pid: integer(found.pid, "pid"), started: text(found.started, "started") };
      return (found.closed === 1 || isGone(identity)) === areGone ? [text(found.id, "id")] : [];
    });
  }

  return {
    head,
    callRow: createCallRows(db),
    /** Position of the first entry that is not archived. */
    firstEntry: (): number => readBase(db).size,
    tableFaults: (states: TableStates, seen: number, first: number): LogFault[] => {
      // One snapshot for both: what was written since is read first, so that no row is ahead of its entry.
      db.exec("BEGIN");
      try {
        if (readBase(db).size !== first) throw archivedMeanwhile();
        for (let from = seen, page = entries({ from, limit: MOST_ENTRIES }); page.length > 0; ) {
          for (const entry of page) {
            const header = parseHeader(entry.header);
            states.log.see(entry, header);
            states.protections.see(entry, header);
          }
          from = (page.at(-1)?.seq ?? from) + 1;
          page = entries({ from, limit: MOST_ENTRIES });
        }
        return checkTables(db, states);
      } finally {
        db.exec("COMMIT");
      }
    },
    entries,
    callEntries,
    leaves: ({ from, to }: { from: number; to: number }): Uint8Array[] =>
      statements.leaves.all(from, to).map((found) => blob(found.leaf, "leaf")),
    close: () => db.close(),
    /** Rows that belong to no entry. */
    strays: (): Stray[] => {
      // One snapshot for both: parts of an entry that comes in between are no strays.
      db.exec("BEGIN");
      const { size } = head();
      const { size: first } = readBase(db);
      const strays = [
        ...statements.strayEntries
          .all(first)
          .map((found) => ({ seq: integer(found.seq, "seq"), where: "entry" as const })),
        ...statements.strayParts
          .all(first * PARTS_PER_ENTRY, size * PARTS_PER_ENTRY)
          .map((found) => ({ seq: Math.floor(integer(found.id, "id") / PARTS_PER_ENTRY), where: "part" as const })),
      ];
      db.exec("COMMIT");
      return strays;
    },
    checkpoints: () =>
      statements.checkpoints
        .all()
        .map((found) => ({ size: integer(found.size, "size"), note: text(found.note, "note") })),
    call: (id: string) => callIn(row(statements.call, id)),
    callByKey: (run: string, key: string) => callIn(row(statements.callByKey, run, key)),
    callsIn: (states: readonly CallRecord["state"][], limit: number): CallInState[] => {
      const open = states.every((state) => OPEN_CALLS.includes(`'${state}'`));
      const statement = open ? statements.openCalls : statements.anyCalls;
      return statement.all(JSON.stringify(states), limit).map((found) => ({
        id: text(found.id, "id"),
        state: text(found.state, "state") as CallRecord["state"],
      }));
    },
    approval: (id: string) => approvalIn(row(statements.approval, id)),
    approvals: ({ state, limit }: { state?: ApprovalRecord["state"]; limit: number }): ApprovalSummary[] =>
      statements.approvals.all(state ?? null, state ?? null, limit).map(summaryIn),
    row: (kind: StateKind, id: string) => stateIn(kind, row(statements.stateRow, kind, id)),
    rows: ({ kind, after, limit }: { kind: StateKind; after?: string; limit: number }): StateRow[] =>
      statements.stateRows
        .all(kind, after ?? null, after ?? null, limit)
        .flatMap((found) => stateIn(kind, found) ?? []),
    dueRows: ({ kind, by, limit }: { kind: StateKind; by: number; limit: number }): StateRow[] =>
      statements.dueRows.all(kind, by, limit).flatMap((found) => stateIn(kind, found) ?? []),
    run: (id: string) => runIn(row(statements.run, id)),
    runs: ({ limit }: { limit: number }): RunSummary[] =>
      statements.runs.all(limit).flatMap((found) => runIn(found) ?? []),
    changeToken: () => String(pragma(db, "data_version")),
    deadWriters: (): string[] => writers(true),
    livingWriters: (): string[] => writers(false),
  };
}

function archivedMeanwhile(): SafeRunError {
  const message = "entries were archived while the log was read: verify again";
  return new SafeRunError("record.busy", message, { retryable: true });
}

export type Reader = ReturnType<typeof createReader>;

function prepareAll(db: DatabaseSync) {
  const statements = {
    head: db.prepare("SELECT log, size, peaks FROM log WHERE id = 1"),
    callEntries: db.prepare(CALL_ENTRIES),
    leaves: db.prepare("SELECT leaf FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq"),
    strayEntries: db.prepare("SELECT seq FROM entries WHERE seq < ?"),
    strayParts: db.prepare("SELECT id FROM parts WHERE id < ? OR id >= ?"),
    checkpoints: db.prepare("SELECT size, note FROM checkpoints ORDER BY size"),
    call: db.prepare("SELECT record FROM calls WHERE id = ?"),
    callByKey: db.prepare("SELECT record FROM calls WHERE run = ? AND key = ?"),
    openCalls: db.prepare(
      `SELECT id, state FROM calls WHERE ${OPEN_CALLS} AND state IN (SELECT value FROM json_each(?)) ORDER BY created, id LIMIT ?`,
    ),
    anyCalls: db.prepare(
      "SELECT id, state FROM calls WHERE state IN (SELECT value FROM json_each(?)) ORDER BY created, id LIMIT ?",
    ),
    approval: db.prepare("SELECT record FROM approvals WHERE id = ?"),
    // Arguments may have a megabyte: of each row only what a list shows leaves the database.
    approvals: db.prepare(
      `SELECT id, version, state, created, record ->> '$.call' AS call, record ->> '$.run' AS run, record ->> '$.tool' AS tool,
         record ->> '$.agent' AS agent, record ->> '$.environment' AS environment, record ->> '$.deadline' AS deadline,
         record ->> '$.decision.at' AS decided, record ->> '$.decision.validUntil' AS valid,
         substr(record ->> '$.bytes', 1, ${SUMMARY_CHARACTERS}) AS preview, length(record ->> '$.bytes') AS size
       FROM approvals WHERE ? IS NULL OR state = ? ORDER BY created DESC, id DESC LIMIT ?`,
    ),
    stateRow: db.prepare("SELECT id, version, due, value FROM state WHERE kind = ? AND id = ?"),
    stateRows: db.prepare(
      "SELECT id, version, due, value FROM state WHERE kind = ? AND (? IS NULL OR id > ?) ORDER BY id LIMIT ?",
    ),
    dueRows: db.prepare(
      "SELECT id, version, due, value FROM state WHERE kind = ? AND due <= ? ORDER BY due, id LIMIT ?",
    ),
    run: db.prepare("SELECT id, n, agent, environment, started, last FROM runs WHERE id = ?"),
    runs: db.prepare("SELECT id, n, agent, environment, started, last FROM runs ORDER BY number DESC LIMIT ?"),
    writers: db.prepare("SELECT id, boot, namespace, pid, started, closed FROM writers"),
  };
  // Positions that somebody bent beyond 2^53 must be reported, not thrown over.
  for (const statement of [statements.strayEntries, statements.strayParts, statements.checkpoints]) {
    statement.setReadBigInts(true);
  }
  return statements;
}

type Row = Record<string, unknown>;

function callIn(found: Row | undefined): CallRecord | undefined {
  return found === undefined ? undefined : (JSON.parse(text(found.record, "record")) as CallRecord);
}

function summaryIn(found: Row): ApprovalSummary {
  const state = text(found.state, "state");
  return {
    id: text(found.id, "id"),
    version: integer(found.version, "version"),
    state: state as ApprovalSummary["state"],
    call: text(found.call, "call"),
    run: text(found.run, "run"),
    tool: text(found.tool, "tool"),
    agent: text(found.agent, "agent"),
    environment: text(found.environment, "environment"),
    createdAt: integer(found.created, "created"),
    deadline: integer(found.deadline, "deadline"),
    decidedAt: found.decided === null ? null : integer(found.decided, "decided"),
    validUntil: found.valid === null ? null : integer(found.valid, "valid"),
    preview: text(found.preview, "preview"),
    whole: integer(found.size, "size") <= SUMMARY_CHARACTERS,
  };
}

function approvalIn(found: Row | undefined): ApprovalRecord | undefined {
  return found === undefined ? undefined : (JSON.parse(text(found.record, "record")) as ApprovalRecord);
}

function stateIn(kind: StateKind, found: Row | undefined): StateRow | undefined {
  if (found === undefined) return undefined;
  return {
    kind,
    id: text(found.id, "id"),
    version: integer(found.version, "version"),
    due: found.due === null ? null : integer(found.due, "due"),
    value: JSON.parse(text(found.value, "value")) as Json,
  };
}

function runIn(found: Row | undefined): RunSummary | undefined {
  if (found === undefined) return undefined;
  return {
    id: text(found.id, "id"),
    agent: text(found.agent, "agent"),
    environment: text(found.environment, "environment"),
    entries: integer(found.n, "n"),
    startedAt: integer(found.started, "started"),
    lastAt: integer(found.last, "last"),
  };
}
