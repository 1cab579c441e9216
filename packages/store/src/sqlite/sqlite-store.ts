/**
 * The durable store of the embedded gate: one SQLite file that several processes may write.
 *
 * Writes go to a thread that owns the writing connection, reads are answered here. A commit is acknowledged after its
 * fsync and never before.
 */
import type { DatabaseSync } from "node:sqlite";
import {
  type Clock,
  type CommitResult,
  InvariantError,
  type Random,
  SafeRunError,
  type Store,
  type Transaction,
  toHex,
} from "@saferun/core";
import type { Installation } from "../node/installation.ts";
import { nodeClock, nodeHash, nodeRandom } from "../node/ports.ts";
import { prepareDirectory } from "./directory.ts";
import { storeFailure } from "./failure.ts";
import { isGone, thisProcess } from "./processes.ts";
import { createReader } from "./reader.ts";
import { readsOf } from "./reads.ts";
import { checkSqliteVersion, connect, integer, prepareSchema, text } from "./schema.ts";
import { startWriter } from "./writer-client.ts";

export interface SqliteStoreOptions {
  /** Where the store lies; made (0700, with a `.gitignore` of `*`) when it is missing. */
  readonly directory: string;
  /** Given for the default path: only a store that carries this installation's id is opened. */
  readonly installation?: Installation;
  readonly clock?: Pick<Clock, "now">;
  readonly random?: Random;
  /** How long another process's write lock is waited for before `record.busy`. Default 5,000 ms. */
  readonly busyMs?: number;
  /** A bound on the file in pages of 4 KiB: `record.full` beyond it. For tests and quotas; default none. */
  readonly maxPages?: number;
  /** Told when the disk is full and when it is not any more, one line. Default: a process warning. */
  readonly onAlarm?: (message: string) => void;
}

export interface SqliteStore extends Store {
  readonly directory: string;
  /** Other openings of this store that may still write. */
  livingWriters(): Promise<readonly string[]>;
}

/**
 * Opens or creates a store. All checks run before it returns.
 * @throws SafeRunError `record.untrusted`, `record.unavailable`, `record.newer`, `record.corrupt`, `record.full`, `record.busy`.
 */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  try {
    return open(options);
  } catch (error) {
    throw storeFailure(error);
  }
}

function open(options: SqliteStoreOptions): SqliteStore {
  const { directory, busyMs = 5_000 } = options;
  const clock = options.clock ?? nodeClock;
  const random = options.random ?? nodeRandom;
  checkSqliteVersion(process.versions.sqlite);
  const path = prepareDirectory(directory, options.installation).log;
  const limits = { busyMs, ...(options.maxPages === undefined ? {} : { maxPages: options.maxPages }) };
  const writerId = toHex(random.bytes(16));
  register(path, writerId, limits, () => toHex(random.bytes(16)));
  const reader = createReader(path, { busyMs, hash: nodeHash });
  const logId = reader.head().log;
  const writer = startWriter({ path, writerId, ...limits }, options.onAlarm ?? warn);
  let closing: Promise<void> | undefined;

  const reads = readsOf(reader, () => closing !== undefined);

  return {
    ...reads,
    directory,
    logId,
    writerId,
    async commit(transaction: Transaction): Promise<CommitResult> {
      if (closing !== undefined) throw closed();
      distinct(transaction);
      const result = await writer.send({ kind: "commit", transaction, now: clock.now() });
      if (result === null) throw new InvariantError("a commit without a result");
      return result;
    },
    async addCheckpoint(size, note) {
      if (closing !== undefined) throw closed();
      await writer.send({ kind: "checkpoint", size, note });
    },
    livingWriters: async () => reader.livingWriters().filter((id) => id !== writerId),
    deadWriters: async () => (await reads.deadWriters()).filter((id) => id !== writerId),
    close() {
      if (closing === undefined) {
        // First, so that the writer is the last to go: SQLite then empties and removes the WAL.
        reader.close();
        closing = writer.close();
      }
      return closing;
    },
  };
}

/** Makes the tables where they are missing and enters this opening as a writer. */
function register(
  path: string,
  writerId: string,
  limits: { busyMs: number; maxPages?: number },
  newLogId: () => string,
): void {
  const db = connect(path, limits);
  try {
    prepareSchema(db, newLogId);
    const me = thisProcess();
    db.exec("BEGIN IMMEDIATE");
    checkEnd(db);
    const gone = db.prepare("UPDATE writers SET closed = 1 WHERE id = ?");
    for (const found of db.prepare("SELECT id, boot, namespace, pid, started FROM writers WHERE closed = 0").all()) {
      const [boot, namespace] = [text(found.boot, "boot"), text(found.namespace, "namespace")];
      const other = { boot, namespace, pid: integer(found.pid, "pid"), started: text(found.started, "started") };
      // Written down once, so that later openings need not ask the system again.
      if (isGone(other)) gone.run(text(found.id, "id"));
    }
    db.prepare("INSERT INTO writers (id, boot, namespace, pid, started, closed) VALUES (?, ?, ?, ?, ?, 0)").run(
      writerId,
      me.boot,
      me.namespace,
      me.pid,
      me.started,
    );
    db.exec("COMMIT");
  } finally {
    db.close();
  }
}

/** The last entry must be the one that the head counts: reading it also finds a file that was cut. */
function checkEnd(db: DatabaseSync): void {
  const { size } = db.prepare("SELECT size FROM log WHERE id = 1").get() ?? {};
  const { last } = db.prepare("SELECT max(seq) AS last FROM entries").get() ?? {};
  if (size === undefined || (last ?? -1) !== integer(size, "size") - 1) {
    throw new SafeRunError("record.corrupt", "the store's head does not count its entries: verify it, then restore it");
  }
}

function warn(message: string): void {
  process.emitWarning(message, { type: "SafeRunWarning" });
}

function closed(): SafeRunError {
  return new SafeRunError("record.unavailable", "the store is closed");
}

/** A transaction that writes one row twice has no meaning under compare-and-set. */
function distinct({ calls = [], approvals = [], rows = [] }: Transaction): void {
  const written = [
    calls.map(({ row }) => row.id),
    approvals.map(({ row }) => row.id),
    rows.map(({ row }) => JSON.stringify([row.kind, row.id])),
  ];
  for (const writes of written) {
    if (new Set(writes).size !== writes.length) {
      throw new SafeRunError("log.malformed", "a transaction that writes one row twice");
    }
  }
}
