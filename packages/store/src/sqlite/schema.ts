/** The tables of `log.db`, and how a connection to it is opened. */
import { chmodSync, existsSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { SafeRunError } from "@saferun/core";
import { isBusy } from "./failure.ts";

/**
 * `PRAGMA user_version` of a store that this code has written. Since 3 the tables are those of 2, and the rows of runs and
 * agents are written in a form that older programs do not read: what stands there is rewritten when it is next used.
 */
const SCHEMA_VERSION = 3;
/** Marks the file as SafeRun's: "SFRN". */
const APPLICATION_ID = 0x5346524e;
/** Before it a WAL could be reset under a reader (sqlite.org/wal.html, the WAL-reset bug). */
const OLDEST_SQLITE = [3, 51, 3] as const;

/** A part's row id is its entry's position × this + its place among the entry's parts: one b-tree, written at its end. */
export const PARTS_PER_ENTRY = 1_024;

/** The states in which a call is not final, as the partial index spells them. */
export const OPEN_CALLS = "state IN ('pending', 'approved', 'executing', 'unknown')";

/** The version that brought the table of states. */
const SINCE_STATE = 2;
const STATE = `
CREATE TABLE state (
  number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, due INTEGER,
  value TEXT NOT NULL, UNIQUE (kind, id)
) STRICT;
CREATE INDEX state_due ON state (kind, due) WHERE due IS NOT NULL;
`;

// Every index is one more page in each commit: none that no read needs.
const SCHEMA = `
CREATE TABLE log (id INTEGER PRIMARY KEY CHECK (id = 1), log TEXT NOT NULL, size INTEGER NOT NULL, peaks BLOB NOT NULL) STRICT;
CREATE TABLE entries (seq INTEGER PRIMARY KEY, run TEXT, leaf BLOB NOT NULL, header BLOB NOT NULL) STRICT;
CREATE INDEX entries_by_run ON entries (run) WHERE run IS NOT NULL;
CREATE TABLE parts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, salt BLOB, bytes BLOB) STRICT;
CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
CREATE TABLE runs (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, n INTEGER NOT NULL, leaf BLOB NOT NULL,
  agent TEXT NOT NULL, environment TEXT NOT NULL, started INTEGER NOT NULL, last INTEGER NOT NULL
) STRICT;
CREATE TABLE calls (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, state TEXT NOT NULL,
  run TEXT NOT NULL, key TEXT, created INTEGER NOT NULL, record TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX calls_by_key ON calls (run, key) WHERE key IS NOT NULL;
CREATE INDEX calls_open ON calls (created) WHERE ${OPEN_CALLS};
CREATE TABLE approvals (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, state TEXT NOT NULL,
  created INTEGER NOT NULL, record TEXT NOT NULL
) STRICT;
CREATE INDEX approvals_by_time ON approvals (created);
${STATE}
CREATE TABLE writers (
  id TEXT PRIMARY KEY, boot TEXT NOT NULL, namespace TEXT NOT NULL, pid INTEGER NOT NULL, started TEXT NOT NULL,
  closed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

export interface ConnectOptions {
  /** How long a locked file is waited for. */
  readonly busyMs: number;
  /** A bound on the file's size in pages; for tests of a full disk. */
  readonly maxPages?: number;
}

/** A connection that may write. Durable: WAL, and every commit waits for its fsync. */
export function connect(path: string, options: ConnectOptions): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: options.busyMs });
  try {
    useWal(db, options.busyMs);
    db.exec("PRAGMA synchronous = FULL; PRAGMA fullfsync = 1; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF");
    // The pages that 64 runs are writing stay in memory, and no more: every commit walks over what is kept. Each goes from the
    // WAL into the file once for many commits.
    db.exec("PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 4000");
    // Asked back: a build of SQLite that ignores the setting would lose what it acknowledged.
    if (pragma(db, "synchronous") !== 2) {
      throw new SafeRunError("record.unavailable", "this build of SQLite does not keep `synchronous = FULL`");
    }
    if (options.maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${Math.floor(options.maxPages)}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** @throws SafeRunError `record.newer`, `record.corrupt` for a file that is no store of this version. */
export function connectReadOnly(path: string, busyMs: number): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
  try {
    db.exec("PRAGMA trusted_schema = OFF");
    if (checkedVersion(db) < SINCE_STATE) {
      throw new SafeRunError(
        "record.corrupt",
        "the store's file lacks tables: open it once for writing, which brings them",
      );
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Creates the tables in a new file, accepts a file of this version.
 * @throws SafeRunError `record.newer`, `record.corrupt`.
 */
export function prepareSchema(db: DatabaseSync, newLogId: () => string): void {
  if (checkedVersion(db) === SCHEMA_VERSION) return;
  keepOlder(db);
  db.exec("BEGIN IMMEDIATE");
  try {
    const version = checkedVersion(db);
    // Another process may have been first.
    if (version < SCHEMA_VERSION) {
      if (version === 0) {
        db.exec(SCHEMA);
        db.prepare("INSERT INTO log (id, log, size, peaks) VALUES (1, ?, 0, x'')").run(newLogId());
      } else if (version < SINCE_STATE) db.exec(STATE);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
    }
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/**
 * Before anything in a store of an older version is changed, it is copied whole beside it (`log.db.v1`): whoever has to go
 * back to the older program has a store for it, as it was then. A copy that is there already is left as it is.
 */
function keepOlder(db: DatabaseSync): void {
  const version = pragma(db, "user_version");
  const path = db.location();
  if (version === 0 || path === null) return;
  const copy = `${path}.v${version}`;
  if (existsSync(copy)) return;
  const temporary = `${copy}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  try {
    db.prepare("VACUUM INTO ?").run(temporary);
    chmodSync(temporary, 0o600);
    renameSync(temporary, copy);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** @throws SafeRunError `record.unavailable` when this Node's SQLite is older than what the store can trust. */
export function checkSqliteVersion(version: string | undefined): void {
  const found = (version ?? "0").split(".").map(Number);
  for (const [index, least] of OLDEST_SQLITE.entries()) {
    const part = found[index] ?? 0;
    if (part > least) return;
    if (part < least) {
      const wanted = OLDEST_SQLITE.join(".");
      throw new SafeRunError(
        "record.unavailable",
        `this Node brings SQLite \`${version ?? "none"}\`, older than ${wanted}: update Node`,
      );
    }
  }
}

/** One integer that a pragma answers. */
export function pragma(db: DatabaseSync, name: string): number {
  return integer(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0], name);
}

type Row = Record<string, unknown>;

/** First row, or undefined; columns are checked by whoever reads them. */
export function row(statement: StatementSync, ...values: (string | number | null)[]): Row | undefined {
  return statement.get(...values);
}

/**
 * Writes exactly one row; its number. A file in which something else than SafeRun put a trigger, or took a row away under
 * the writer, would swallow it without an error.
 * @throws SafeRunError `record.corrupt` where it is none or several: then nothing of the transaction may stay.
 */
export function writeRow(statement: StatementSync, ...values: (string | number | null | Uint8Array)[]): number {
  const { changes, lastInsertRowid } = statement.run(...values);
  if (Number(changes) === 1) return Number(lastInsertRowid);
  throw new SafeRunError(
    "record.corrupt",
    `the store took a write of one row for one of ${changes}: its file was changed`,
  );
}

export function text(value: unknown, column: string): string {
  if (typeof value !== "string") throw damaged(column);
  return value;
}

export function integer(value: unknown, column: string): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number") throw damaged(column);
  return number;
}

export function blob(value: unknown, column: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw damaged(column);
  return value;
}

export function damaged(column: string): SafeRunError {
  return new SafeRunError("record.corrupt", `the store's column \`${column}\` holds a value of another type`);
}

/** 0: it is empty. @throws SafeRunError `record.newer`, `record.corrupt` for what no version of SafeRun has made. */
function checkedVersion(db: DatabaseSync): number {
  const version = pragma(db, "user_version");
  if (version > SCHEMA_VERSION) {
    throw new SafeRunError(
      "record.newer",
      `the store was written by a newer SafeRun (schema ${version}, this one knows ${SCHEMA_VERSION}): update SafeRun`,
    );
  }
  if (version > 0) {
    if (pragma(db, "application_id") !== APPLICATION_ID) {
      throw new SafeRunError("record.corrupt", "the store's file is a database of another program");
    }
    checkObjects(db, version < SINCE_STATE ? SCHEMA.replace(STATE, "") : SCHEMA);
    return version;
  }
  if (row(db.prepare("SELECT 1 FROM sqlite_master LIMIT 1")) !== undefined) {
    throw new SafeRunError("record.corrupt", "the store's file is a database of another program");
  }
  return 0;
}

/**
 * Exactly the tables and indexes above: a trigger would change rows behind a commit, a view in the place of a table would
 * show what nobody has written, an index of another form would hide entries.
 */
function checkObjects(db: DatabaseSync, schema: string): void {
  const found = db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  const expected = schema.split(";").map(oneLine).filter(Boolean).sort();
  const own = found.map(({ sql }) => oneLine(text(sql, "sql"))).sort();
  if (own.length !== expected.length || own.some((sql, index) => sql !== expected[index])) {
    throw new SafeRunError("record.corrupt", "the store's file has other tables than SafeRun makes: it was changed");
  }
}

function oneLine(sql: string): string {
  return sql.replace(/\s+/g, " ").trim();
}

/** The switch to WAL takes a lock that SQLite does not wait for by itself. */
function useWal(db: DatabaseSync, busyMs: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; ; waited += 10) {
    try {
      const mode = Object.values(db.prepare("PRAGMA journal_mode = WAL").get() ?? {})[0];
      if (mode === "wal") return;
      throw new SafeRunError(
        "record.unavailable",
        `the store's file system does not carry a WAL (\`${String(mode)}\`)`,
      );
    } catch (error) {
      if (!isBusy(error) || waited >= busyMs) throw error;
      Atomics.wait(pause, 0, 0, 10);
    }
  }
}
