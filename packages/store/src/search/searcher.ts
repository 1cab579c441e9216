/**
 * Answers queries from `search.db`, chunk by chunk in the order of the log. What the index cannot say for sure (a phrase,
 * an argument that was not declared) is looked up in the payloads, within a time.
 */
import type { DatabaseSync } from "node:sqlite";
import {
  type Hash,
  matches,
  parseQuery,
  readableHeader,
  SafeRunError,
  type SearchItem,
  type StoredEntry,
  toHex,
  withAgentIds,
} from "@saferun/core";
import { createReader, type Reader } from "../sqlite/reader.ts";
import { text } from "../sqlite/schema.ts";
import { type Bitmap, positionsIn } from "./bitmap.ts";
import { indexedOf, readDeclarations } from "./indexer.ts";
import { createPlaces } from "./places.ts";
import { plan } from "./plan.ts";
import { AGENT_NAME, CHUNK, openIndexReadOnly } from "./schema.ts";

export interface SearchRequest {
  /** The query's text. */
  readonly query: string;
  /** Items of one answer, at most 1,000. */
  readonly limit: number;
  readonly order?: "newest" | "oldest";
  /** From an answer to the same query. */
  readonly cursor?: string;
  /** ms since 1970, for `since:7d`. */
  readonly now: number;
  /** Time for looking up payloads. Default 300 ms. */
  readonly withinMs?: number;
}

export interface SearchAnswer {
  readonly items: readonly SearchItem[];
  /** To go on with; null when everything was looked at. */
  readonly cursor: string | null;
  /** True when it ends before its limit because the time was up. */
  readonly cut: boolean;
  /** The last position that was looked at; null when none was. */
  readonly reached: number | null;
  /** Entries that the index holds, and entries of the log: the difference is not found yet. */
  readonly indexed: number;
  readonly size: number;
}

export interface Searcher {
  /** @throws SafeRunError `query.invalid`, also for a cursor of another search; what SQLite throws. */
  search(request: SearchRequest): SearchAnswer;
  close(): void;
}

const MOST_ITEMS = 1_000;
const PAYLOAD_MS = 300;
/** What the index alone may take; a query of many terms that hold for nothing reads all of it. */
const LONGEST_MS = 1_000;

export interface SearcherOptions {
  /** Path of `log.db`. */
  readonly log: string;
  /** Path of `search.db`. */
  readonly index: string;
  readonly hash: Hash;
  readonly busyMs: number;
}

export function createSearcher(options: SearcherOptions): Searcher {
  const reader = createReader(options.log, options);
  let db: DatabaseSync;
  try {
    db = openIndexReadOnly(options.index, options.busyMs);
  } catch (error) {
    reader.close();
    throw error;
  }

  function search(request: SearchRequest): SearchAnswer {
    const { order = "newest", withinMs = PAYLOAD_MS } = request;
    const limit = Math.max(1, Math.min(MOST_ITEMS, Math.floor(request.limit)));
    const query = withAgentIds(parseQuery(request.query, request.now), () => agentNames(db), options.hash);
    const { log, size } = reader.head();
    const indexed = Math.min(size, indexedOf(db, log));
    const mark = markOf(`${log} ${order} ${request.query}`, options.hash);
    const from = request.cursor === undefined ? undefined : parseCursor(request.cursor, mark);
    const places = createPlaces(db);
    const { scope, paths } = readDeclarations(db);
    const find = plan(query, { db, places, paths, scope, firstAt: (time) => firstAt(reader, size, time) });

    const started = performance.now();
    const items: SearchItem[] = [];
    let reached = from ?? null;
    /** Spent on payloads. */
    let lookedMs = 0;
    const answer = (isCut: boolean, isEnd: boolean): SearchAnswer => ({
      items,
      cursor: isEnd || reached === null ? null : printCursor(reached, mark),
      cut: isCut,
      reached,
      indexed,
      size,
    });
    for (const chunk of chunksIn(indexed, order, from)) {
      const { bits, sure } = find(chunk);
      for (const seq of inOrder(bits, chunk, order)) {
        if (seq >= indexed || (from !== undefined && (order === "newest" ? seq >= from : seq <= from))) continue;
        if (items.length === limit) return answer(false, false);
        if (lookedMs > withinMs) return answer(true, false);
        reached = seq;
        const looks = performance.now();
        const item = { seq, entries: entriesAt(reader, places.entriesOf(seq)) };
        if (sure || matches(query, item, scope)) items.push(item);
        if (!sure) lookedMs += performance.now() - looks;
      }
      if (items.length === limit) continue;
      reached = order === "newest" ? chunk * CHUNK : Math.min(indexed, (chunk + 1) * CHUNK) - 1;
      const isLast = order === "newest" ? chunk === 0 : reached === indexed - 1;
      if (!isLast && performance.now() - started > LONGEST_MS) return answer(true, false);
    }
    return answer(false, true);
  }

  return {
    search(request) {
      // One snapshot for all that it reads.
      db.exec("BEGIN");
      try {
        return search(request);
      } finally {
        db.exec("COMMIT");
      }
    },
    close() {
      reader.close();
      db.close();
    },
  };
}

/** Those that headers hold by ids. */
function agentNames(db: DatabaseSync): readonly string[] {
  const found = db.prepare("SELECT value FROM names WHERE field = ?").all(AGENT_NAME);
  return found.map(({ value }) => text(value, "value"));
}

function* chunksIn(indexed: number, order: "newest" | "oldest", from: number | undefined): Generator<number> {
  const last = Math.floor((indexed - 1) / CHUNK);
  const start = from === undefined ? (order === "newest" ? last : 0) : Math.floor(from / CHUNK);
  if (order === "newest") for (let chunk = Math.min(start, last); chunk >= 0; chunk--) yield chunk;
  else for (let chunk = start; chunk <= last; chunk++) yield chunk;
}

function inOrder(bits: Bitmap, chunk: number, order: "newest" | "oldest"): number[] {
  const positions = positionsIn(bits).map((at) => chunk * CHUNK + at);
  return order === "newest" ? positions.reverse() : positions;
}

/** Entries of an item mostly lie close together: those are read in one go. */
function entriesAt(reader: Reader, positions: readonly number[]): StoredEntry[] {
  const [first = 0, last = 0] = [positions[0], positions.at(-1)];
  if (last - first < CLOSE) {
    const wanted = new Set(positions);
    return reader.entries({ from: first, limit: last - first + 1 }).filter(({ seq }) => wanted.has(seq));
  }
  return positions.flatMap((from) => reader.entries({ from, limit: 1 }).filter(({ seq }) => seq === from));
}

const CLOSE = 16;

/** The first position whose entry is not before this time: store time never goes back. */
function firstAt(reader: Reader, size: number, time: number): number {
  let [low, high] = [0, size];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [entry] = reader.entries({ from: middle, limit: 1 });
    const header = entry === undefined ? undefined : readableHeader(entry);
    if ((header?.time ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function markOf(search: string, hash: Hash): string {
  return toHex(hash.sha256(new TextEncoder().encode(search))).slice(0, 12);
}

/** Opaque: the search that it belongs to, and the last position that was looked at. */
function printCursor(reached: number, mark: string): string {
  return `${mark}${reached.toString(36)}`;
}

function parseCursor(cursor: string, mark: string): number {
  const reached = /^[0-9a-f]{12}[0-9a-z]{1,11}$/.test(cursor) ? Number.parseInt(cursor.slice(mark.length), 36) : -1;
  if (!Number.isSafeInteger(reached) || reached < 0) {
    throw new SafeRunError("query.invalid", "the cursor is none that a search has given");
  }
  if (!cursor.startsWith(mark)) {
    throw new SafeRunError(
      "query.invalid",
      "the cursor belongs to another search: ask the same query in the same order",
    );
  }
  return reached;
}
