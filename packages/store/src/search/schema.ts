/**
 * The tables of `search.db`: derived from the log, never evidence. Whatever is wrong with it, it is made again.
 *
 * An *item* is a call with all its entries, or one entry that is about no call; its number is the position of its first
 * entry. Which items have a name (a tool, a verdict …) is a bitmap per chunk of positions, so that any combination of
 * names is a few operations on words, and writing a batch of entries touches one row for each name in it.
 */
import { closeSync, openSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { SafeRunError } from "@saferun/core";
import { pragma } from "../sqlite/schema.ts";

const SCHEMA_VERSION = 1;
/** "SFRI" */
const APPLICATION_ID = 0x53465249;

/** Positions in one chunk. */
export const CHUNK = 16_384;

/** In `names`, the field of agents' names that headers do not hold: of the starts of their runs. */
export const AGENT_NAME = "agent name";

/** In `arguments`, the path of the step in an entry's header. */
export const STEP_PATH = 0;

const SCHEMA = `
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), log TEXT NOT NULL, position INTEGER NOT NULL, leaf BLOB) STRICT;
CREATE TABLE paths (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, since INTEGER NOT NULL) STRICT;
CREATE TABLE off (path TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE names (id INTEGER PRIMARY KEY, field TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (field, value)) STRICT;
CREATE TABLE bits (name INTEGER NOT NULL, chunk INTEGER NOT NULL, bits BLOB NOT NULL, PRIMARY KEY (name, chunk)) STRICT, WITHOUT ROWID;
CREATE TABLE places (chunk INTEGER PRIMARY KEY, distances BLOB NOT NULL) STRICT;
CREATE TABLE late (item INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (item, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE ids (field TEXT NOT NULL, id TEXT NOT NULL, item INTEGER NOT NULL, PRIMARY KEY (field, id, item)) STRICT, WITHOUT ROWID;
CREATE TABLE arguments (path INTEGER NOT NULL, item INTEGER NOT NULL, value ANY NOT NULL, PRIMARY KEY (path, item, value)) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(text, content='', contentless_delete=1, detail=none, tokenize='ascii');
`;

/** What the policies say about search, as text paths of arguments (`customer.id`, `lines[].sku`). */
export interface SearchDeclarations {
  /** Answered from the index, from the entry on at which they are first declared. */
  readonly index?: readonly string[];
  /** Never found and not written to the index, in any tool. Turning one off makes the index again. */
  readonly off?: readonly string[];
}

export function searchPath(directory: string): string {
  return `${directory}/search.db`;
}

/** The file whose lock says which process keeps the index up. */
export function leasePath(directory: string): string {
  return `${directory}/search.lock`;
}

/** A connection that writes. A file that is damaged or another's is replaced by an empty one. */
export function openIndex(path: string, busyMs: number): DatabaseSync {
  try {
    return connectIndex(path, busyMs);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    removeIndex(path);
    return connectIndex(path, busyMs);
  }
}

/** @throws SafeRunError `record.corrupt` for a file that is no index of this version. */
export function openIndexReadOnly(path: string, busyMs: number): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
  try {
    db.exec("PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16384");
    if (!isIndex(db)) throw foreign();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export function removeIndex(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
}

/** True where only a new file helps: SQLite calls it damaged, or it is none of ours. */
export function isDamaged(error: unknown): boolean {
  if (error instanceof SafeRunError) return error.code === "record.corrupt";
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return false;
  const code = error.errcode & 0xff;
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Forgets everything and begins before the first entry of this log. Inside a transaction. */
export function resetIndex(db: DatabaseSync, log: string, off: readonly string[]): void {
  for (const { name } of db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE V%'")
    .all()) {
    db.exec(`DROP TABLE ${String(name)}`);
  }
  for (const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()) {
    db.exec(`DROP TABLE ${String(name)}`);
  }
  createTables(db);
  db.prepare("INSERT INTO state (id, log, position, leaf) VALUES (1, ?, 0, NULL)").run(log);
  const add = db.prepare("INSERT INTO off (path) VALUES (?)");
  for (const path of off) add.run(path);
}

function connectIndex(path: string, busyMs: number): DatabaseSync {
  // SQLite would make it readable for others; its WAL takes over the mode of this file.
  closeSync(openSync(path, "a", 0o600));
  const db = new DatabaseSync(path, { timeout: busyMs });
  try {
    // NORMAL: after a power cut the last batches may be missing and are read again; the file itself stays whole.
    db.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; " +
        "PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000",
    );
    if (!isIndex(db)) {
      db.exec("BEGIN IMMEDIATE");
      // Another process may have been first.
      if (!isIndex(db)) createTables(db);
      db.exec("COMMIT");
    }
    return db;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    db.close();
    throw error;
  }
}

function createTables(db: DatabaseSync): void {
  db.exec(SCHEMA);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/** False for an empty file. @throws SafeRunError `record.corrupt`. */
function isIndex(db: DatabaseSync): boolean {
  const version = pragma(db, "user_version");
  if (version === 0 && db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined) return false;
  const strange = db.prepare("SELECT 1 FROM sqlite_schema WHERE type IN ('trigger', 'view') LIMIT 1").get();
  if (version !== SCHEMA_VERSION || pragma(db, "application_id") !== APPLICATION_ID || strange !== undefined)
    throw foreign();
  return true;
}

function foreign(): SafeRunError {
  return new SafeRunError("record.corrupt", "the search index is of another version, or another program's");
}
