/**
 * Reads the log behind its writer and writes `search.db`: one batch, one transaction. Synchronous; runs in the index's
 * thread, or in a command that wants the index to be complete.
 *
 * How far the index is stands in it and is read inside each transaction, so that any number of processes may index one
 * store: whoever comes second goes on where the first has stopped.
 */
import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import {
  type ArgumentPath,
  agentNameIn,
  argumentsIn,
  equalBytes,
  type Hash,
  InvariantError,
  idsOf,
  type Json,
  namesOf,
  parseArgumentPath,
  readableHeader,
  SafeRunError,
  type SearchScope,
  type StoredEntry,
  searchableParts,
  textsIn,
  valuesAt,
  wordsOf,
} from "@saferun/core";
import { createReader, type Reader } from "../sqlite/reader.ts";
import { blob, integer, pragma, row, text } from "../sqlite/schema.ts";
import { type Bitmap, bitmapOf, bytesOf, clearBit, isEmpty, setBit } from "./bitmap.ts";
import { forgetArchived } from "./forget-archived.ts";
import { createPlaces } from "./places.ts";
import {
  AGENT_NAME,
  CHUNK,
  openIndex,
  openIndexReadOnly,
  resetIndex,
  type SearchDeclarations,
  STEP_PATH,
} from "./schema.ts";
import { storedValue } from "./value.ts";

export interface IndexerOptions {
  /** Path of `log.db`. */
  readonly log: string;
  /** Path of `search.db`. */
  readonly index: string;
  /** Absent: as the index has them already. */
  readonly declarations?: SearchDeclarations;
  readonly hash: Hash;
  readonly busyMs: number;
}

/** How far the index is behind the log. */
export interface IndexPosition {
  /** Entries that the index holds. */
  readonly indexed: number;
  /** Entries of the log. */
  readonly size: number;
}

export interface Indexer {
  /** Indexes up to `most` entries; none: only says how far it is. */
  advance(most: number): IndexPosition;
  /**
   * Makes the rows of these entries again from what the log still holds, and no trace of what it does not.
   * @throws SafeRunError `record.busy` where somebody reads the index: its WAL may still hold some.
   */
  forget(entries: readonly number[]): void;
  /** Leaves no trace of the entries that were archived. @throws SafeRunError as `forget` does. */
  forgetArchived(): void;
  close(): void;
}

/** Calls whose items are kept in memory. */
const KEPT_CALLS = 20_000;

/** @throws what SQLite throws; an index that does not fit the log is emptied first. */
export function createIndexer(options: IndexerOptions): Indexer {
  const reader = createReader(options.log, { busyMs: options.busyMs, hash: options.hash });
  let db: DatabaseSync;
  try {
    db = openIndex(options.index, options.busyMs);
  } catch (error) {
    reader.close();
    throw error;
  }
  const declared = declaredPaths(options.declarations);
  let batch = createBatch(db, reader);
  let position = -1;
  let ready = false;
  /** Differs once another connection has changed the index: what a batch remembers of it may be gone. */
  let seen = -1;

  /** Inside a transaction: the index begins with this log's entries and knows these declarations. */
  function prepare(log: string, size: number): number {
    const state = row(db.prepare("SELECT log, position, leaf FROM state WHERE id = 1"));
    const known = state === undefined ? 0 : integer(state.position, "position");
    const off = db
      .prepare("SELECT path FROM off")
      .all()
      .map(({ path }) => text(path, "path"));
    const newlyOff = declared.off.filter((path) => !off.includes(path));
    const fitting = state !== undefined && state.log === log && known <= size && isAt(reader, known, state.leaf);
    if (!fitting || newlyOff.length > 0) {
      const paths = fitting
        ? db
            .prepare("SELECT path FROM paths")
            .all()
            .map(({ path }) => text(path, "path"))
        : [];
      resetIndex(db, log, [...off, ...newlyOff]);
      // What is archived is not indexed: the log begins behind it.
      const first = reader.firstEntry();
      declare(db, [...paths, ...declared.index], 0);
      batch = createBatch(db, reader);
      return first;
    }
    declare(db, declared.index, known);
    const version = pragma(db, "data_version");
    if (known !== position || version !== seen) batch = createBatch(db, reader);
    seen = version;
    return known;
  }

  function within<Value>(work: () => Value): Value {
    db.exec("BEGIN IMMEDIATE");
    try {
      const value = work();
      db.exec("COMMIT");
      return value;
    } catch (error) {
      // What the batch remembers may not be what the file holds.
      position = -1;
      ready = false;
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }

  /** Pages of the past stand in the WAL until it is cut, and a reader keeps it. */
  function cutWal(): void {
    if (integer(row(db.prepare("PRAGMA wal_checkpoint(TRUNCATE)"))?.busy, "busy") === 0) return;
    throw new SafeRunError("record.busy", "another process reads the search index: end it", { retryable: true });
  }

  return {
    advance(most) {
      const { log, size } = reader.head();
      if (ready && (most === 0 || position >= size)) return { indexed: position, size };
      position = within(() => {
        const from = prepare(log, size);
        const entries = reader.entries({ from, limit: Math.min(most, size - from) });
        const last = entries.at(-1);
        if (last === undefined) return from;
        if (last.seq !== from + entries.length - 1) throw new SafeRunError("record.corrupt", "the log has a gap");
        for (const entry of entries) batch.add(entry);
        batch.flush();
        db.prepare("UPDATE state SET position = ?, leaf = ? WHERE id = 1").run(last.seq + 1, last.leaf);
        return last.seq + 1;
      });
      ready = true;
      return { indexed: position, size };
    },
    forget(entries) {
      within(() => {
        const { log, size } = reader.head();
        const known = prepare(log, size);
        for (const seq of entries) if (seq < known) batch.again(seq);
        batch.flush();
        // FTS5 keeps the words of a deleted row until its segments are merged.
        db.exec("INSERT INTO words (words) VALUES ('optimize')");
        position = known;
      });
      cutWal();
    },
    forgetArchived() {
      within(() => {
        const { log, size } = reader.head();
        const known = prepare(log, size);
        const lasting = forgetArchived(db, Math.min(known, reader.firstEntry()));
        batch = createBatch(db, reader);
        for (const item of lasting) batch.again(item);
        batch.flush();
        db.exec("INSERT INTO words (words) VALUES ('optimize')");
        position = known;
      });
      cutWal();
    },
    close() {
      reader.close();
      db.close();
    },
  };
}

/** How far an index is that somebody else keeps up. @throws what SQLite and the file system do. */
export function readPosition({ log, index, busyMs, hash }: IndexerOptions): IndexPosition {
  const reader = createReader(log, { busyMs, hash });
  try {
    const { log: id, size } = reader.head();
    if (statSync(index, { throwIfNoEntry: false }) === undefined) return { indexed: 0, size };
    const db = openIndexReadOnly(index, busyMs);
    try {
      return { indexed: Math.min(size, indexedOf(db, id)), size };
    } finally {
      db.close();
    }
  } finally {
    reader.close();
  }
}

/** Entries of this log that the index holds. */
export function indexedOf(db: DatabaseSync, log: string): number {
  const state = row(db.prepare("SELECT log, position FROM state WHERE id = 1"));
  return state === undefined || state.log !== log ? 0 : integer(state.position, "position");
}

function declaredPaths({ index = [], off = [] }: SearchDeclarations = {}): Required<SearchDeclarations> {
  for (const path of [...index, ...off]) {
    if (parseArgumentPath(path) === undefined) {
      throw new SafeRunError(
        "option.invalid",
        `\`${path}\` is no path of an argument: write \`customer.id\`, \`lines[].sku\``,
      );
    }
  }
  return { index, off };
}

function declare(db: DatabaseSync, paths: readonly string[], since: number): void {
  const add = db.prepare("INSERT OR IGNORE INTO paths (path, since) VALUES (?, ?)");
  for (const path of paths) add.run(path, since);
}

/** True when the last entry that was indexed is still the log's. */
function isAt(reader: Reader, position: number, leaf: unknown): boolean {
  if (position === 0) return true;
  const [found] = reader.leaves({ from: position - 1, to: position });
  return found !== undefined && leaf instanceof Uint8Array && equalBytes(found, leaf);
}

/** The paths that an index answers, and those that it must not hold. */
export function readDeclarations(db: DatabaseSync): {
  readonly paths: readonly { readonly id: number; readonly path: ArgumentPath; readonly since: number }[];
  readonly scope: SearchScope;
} {
  const paths = db
    .prepare("SELECT id, path, since FROM paths ORDER BY id")
    .all()
    .map((found) => ({ id: integer(found.id, "id"), path: pathOf(found.path), since: integer(found.since, "since") }));
  return {
    paths,
    scope: {
      off: db
        .prepare("SELECT path FROM off")
        .all()
        .map(({ path }) => pathOf(path)),
    },
  };
}

function pathOf(value: unknown): ArgumentPath {
  const path = parseArgumentPath(text(value, "path"));
  if (path === undefined) throw new SafeRunError("record.corrupt", "the search index names a path that is none");
  return path;
}

/** Rows of one transaction, with what is worth remembering until the next. */
function createBatch(db: DatabaseSync, reader: Reader) {
  const statements = {
    words: db.prepare("INSERT INTO words (rowid, text) VALUES (?, ?)"),
    forgetWords: db.prepare("DELETE FROM words WHERE rowid = ?"),
    name: db.prepare("SELECT id FROM names WHERE field = ? AND value = ?"),
    addName: db.prepare("INSERT INTO names (field, value) VALUES (?, ?)"),
    forgetName: db.prepare("DELETE FROM names WHERE id = ? AND NOT EXISTS (SELECT 1 FROM bits WHERE name = ?)"),
    bits: db.prepare("SELECT bits FROM bits WHERE name = ? AND chunk = ?"),
    setBits: db.prepare("INSERT OR REPLACE INTO bits (name, chunk, bits) VALUES (?, ?, ?)"),
    forgetBits: db.prepare("DELETE FROM bits WHERE name = ? AND chunk = ?"),
    addId: db.prepare("INSERT OR IGNORE INTO ids (field, id, item) VALUES (?, ?, ?)"),
    itemOf: db.prepare("SELECT item FROM ids WHERE field = 'call' AND id = ? ORDER BY item LIMIT 1"),
    argument: db.prepare("INSERT OR IGNORE INTO arguments (path, item, value) VALUES (?, ?, ?)"),
    forgetArguments: db.prepare("DELETE FROM arguments WHERE item = ?"),
    named: db.prepare(
      `SELECT name, bits FROM bits JOIN names ON names.id = name WHERE chunk = ? AND field IN ('tool', '${AGENT_NAME}')`,
    ),
  };
  const { paths, scope } = readDeclarations(db);
  const places = createPlaces(db);
  const names = new Map<string, number>();
  const dirty = new Map<string, { readonly name: number; readonly chunk: number; readonly bits: Bitmap }>();
  const said = new Set<string>();
  let calls = new Map<string, number>();

  function nameId(field: string, value: string): number {
    const key = `${field}:${value}`;
    let id = names.get(key);
    if (id === undefined) {
      const found = row(statements.name, field, value);
      id = found === undefined ? Number(statements.addName.run(field, value).lastInsertRowid) : integer(found.id, "id");
      if (names.size >= KEPT_CALLS) names.clear();
      names.set(key, id);
    }
    return id;
  }

  function bitsOf(name: number, chunk: number): Bitmap {
    const key = `${name}/${chunk}`;
    const known = dirty.get(key);
    if (known !== undefined) return known.bits;
    const found = row(statements.bits, name, chunk);
    const bits = bitmapOf(found === undefined ? undefined : blob(found.bits, "bits"));
    dirty.set(key, { name, chunk, bits });
    return bits;
  }

  function itemOf(call: string): number | undefined {
    const known = calls.get(call);
    if (known !== undefined) return known;
    const found = row(statements.itemOf, call);
    return found === undefined ? undefined : integer(found.item, "item");
  }

  function remember(call: string, item: number): void {
    // The older half goes: calls that end are not asked for again.
    if (calls.size >= KEPT_CALLS) calls = new Map([...calls].slice(KEPT_CALLS / 2));
    calls.set(call, item);
  }

  /** The entries of a call mostly say the same of it; the tables take it twice, which only costs time. */
  function once(fact: string, write: () => unknown): void {
    if (said.has(fact)) return;
    said.add(fact);
    write();
  }

  /** Names, ids, step, words and arguments of an entry, under its item. */
  function write(entry: StoredEntry, item: number): void {
    const header = readableHeader(entry);
    if (header === undefined) return;
    const chunk = Math.floor(item / CHUNK);
    const words = new Set<string>();
    let tool: Json | undefined;
    for (const { name, content } of searchableParts(entry)) {
      if (name === "tool") tool = content;
      for (const found of textsIn(name, content, scope)) for (const word of wordsOf(found)) words.add(word);
      const args = paths.length === 0 ? undefined : argumentsIn(name, content);
      if (args !== undefined) writeArguments(item, args);
    }
    if (words.size > 0) statements.words.run(entry.seq, [...words].join(" "));
    for (const [field, value] of namesOf(header, tool)) setBit(bitsOf(nameId(field, value), chunk), item % CHUNK);
    const named = agentNameIn(entry, header);
    if (named !== undefined) setBit(bitsOf(nameId(AGENT_NAME, named.name), chunk), item % CHUNK);
    const { step } = header;
    if (step !== undefined) once(`${item} step ${step}`, () => statements.argument.run(STEP_PATH, item, step));
    for (const [field, id] of idsOf(header))
      once(`${item} ${field} ${id}`, () => statements.addId.run(field, id, item));
  }

  function writeArguments(item: number, args: Json): void {
    for (const { id, path } of paths) {
      for (const value of valuesAt(args, path)) statements.argument.run(id, item, storedValue(value));
    }
  }

  return {
    add(entry: StoredEntry): void {
      const call = readableHeader(entry)?.call;
      const item = (call === undefined ? undefined : itemOf(call)) ?? entry.seq;
      if (call !== undefined) remember(call, item);
      places.add(entry.seq, item);
      write(entry, item);
    },
    /** The rows of the whole item, from what the log holds now. */
    again(seq: number): void {
      const item = places.itemOf(seq);
      const chunk = Math.floor(item / CHUNK);
      statements.forgetArguments.run(item);
      // Only names of tools that nobody knows and of agents can be content; every other name stands in headers, which stay.
      for (const found of statements.named.all(chunk)) {
        const name = integer(found.name, "name");
        clearBit(bitsOf(name, chunk), item % CHUNK);
      }
      for (const member of places.entriesOf(item)) {
        statements.forgetWords.run(member);
        const [entry] = reader.entries({ from: member, limit: 1 });
        if (entry?.seq === member) write(entry, item);
        else if (member >= reader.firstEntry()) throw new InvariantError("an entry that was indexed is gone");
      }
    },
    flush(): void {
      places.flush();
      for (const { name, chunk, bits } of dirty.values()) {
        if (isEmpty(bits)) {
          statements.forgetBits.run(name, chunk);
          statements.forgetName.run(name, name);
          names.clear();
        } else statements.setBits.run(name, chunk, bytesOf(bits));
      }
      dirty.clear();
      said.clear();
    },
  };
}
