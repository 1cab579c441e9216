/** A query as sets of items, chunk by chunk: which ones it may hold for, and whether that is sure. */
import type { DatabaseSync } from "node:sqlite";
import {
  type ArgumentPath,
  fits,
  holds,
  isOff,
  type NumberTest,
  type Query,
  type SearchScope,
  unreachable,
} from "@saferun/core";
import { blob, integer, text } from "../sqlite/schema.ts";
import { type Bitmap, bitmapOf, emptyBitmap, intersect, isEmpty, setBit, subtract, unite } from "./bitmap.ts";
import type { Places } from "./places.ts";
import { CHUNK, STEP_PATH } from "./schema.ts";
import { LONG_TEXT, valueCondition } from "./value.ts";

/** Every item of the chunk for which the query holds, and, unless it is sure, others. */
export interface Found {
  readonly bits: Bitmap;
  readonly sure: boolean;
}

export type Find = (chunk: number) => Found;

export interface PlanContext {
  readonly db: DatabaseSync;
  readonly places: Places;
  readonly paths: readonly { readonly id: number; readonly path: ArgumentPath; readonly since: number }[];
  readonly scope: SearchScope;
  /** The first position whose entry is not before this time, ms. */
  firstAt(time: number): number;
}

export function plan(query: Query, context: PlanContext): Find {
  switch (query.kind) {
    case "all":
      return (chunk) => ({ bits: itemsIn(chunk, context.places), sure: true });
    case "and":
      return everyOf(
        byCost(query.of).map((part) => plan(part, context)),
        context,
      );
    case "or":
      return anyOf(query.of.map((part) => plan(part, context)));
    case "not":
      return noneOf(plan(query.of, context), context);
    case "name":
      return names(query, context);
    case "id":
      return ids(query, context);
    case "step":
      return values(STEP_PATH, { kind: "number", test: query.test }, context);
    case "entry":
      return entries(query.test, context);
    case "time":
      return range(query, context);
    case "argument":
      return argument(query, context);
    case "text":
      return words(query, context);
    default:
      return unreachable(query);
  }
}

/** What is looked at first: a set that is empty spares the others. */
function byCost(parts: readonly Query[]): Query[] {
  const cost = (part: Query): number =>
    part.kind === "text" ? 2 : part.kind === "argument" || part.kind === "step" ? 1 : 0;
  return [...parts].sort((one, other) => cost(one) - cost(other));
}

function everyOf(parts: readonly Find[], { places }: PlanContext): Find {
  return (chunk) => {
    const bits = itemsIn(chunk, places);
    let sure = true;
    for (const find of parts) {
      const found = find(chunk);
      intersect(bits, found.bits);
      sure &&= found.sure;
      if (isEmpty(bits)) return { bits, sure: true };
    }
    return { bits, sure };
  };
}

function anyOf(parts: readonly Find[]): Find {
  return (chunk) => {
    const bits = emptyBitmap();
    let sure = true;
    for (const find of parts) {
      const found = find(chunk);
      unite(bits, found.bits);
      sure &&= found.sure;
    }
    return { bits, sure };
  };
}

/** What is only perhaps excluded stays in: it is looked at. */
function noneOf(find: Find, { places }: PlanContext): Find {
  return (chunk) => {
    const bits = itemsIn(chunk, places);
    const { bits: excluded, sure } = find(chunk);
    if (sure) subtract(bits, excluded);
    return { bits, sure };
  };
}

function names({ field, pattern }: Extract<Query, { kind: "name" }>, { db }: PlanContext): Find {
  const ids =
    "exact" in pattern && pattern.or === undefined
      ? db.prepare("SELECT id FROM names WHERE field = ? AND value = ?").all(field, pattern.exact)
      : db
          .prepare("SELECT id, value FROM names WHERE field = ?")
          .all(field)
          .filter(({ value }) => fits(pattern, text(value, "value")));
  return bitsOf(
    ids.map(({ id }) => integer(id, "id")),
    db,
  );
}

function bitsOf(ids: readonly number[], db: DatabaseSync): Find {
  const read = db.prepare("SELECT bits FROM bits WHERE name = ? AND chunk = ?");
  return (chunk) => {
    const bits = emptyBitmap();
    for (const id of ids) {
      const found = read.get(id, chunk);
      if (found !== undefined) unite(bits, bitmapOf(blob(found.bits, "bits")));
    }
    return { bits, sure: true };
  };
}

function ids({ field, prefix, value }: Extract<Query, { kind: "id" }>, { db }: PlanContext): Find {
  const within = "item >= ? AND item < ?";
  const read = db.prepare(
    prefix
      ? `SELECT item FROM ids WHERE field = ? AND id >= ? AND id < ? AND ${within}`
      : `SELECT item FROM ids WHERE field = ? AND id = ? AND ${within}`,
  );
  const wanted = prefix ? [field, value, `${value}\u{10ffff}`] : [field, value];
  return (chunk) => {
    const bits = emptyBitmap();
    const [low, high] = [chunk * CHUNK, (chunk + 1) * CHUNK];
    for (const { item } of read.all(...wanted, low, high)) setBit(bits, integer(item, "item") % CHUNK);
    return { bits, sure: true };
  };
}

/** Rows of one path; a text that was too long to keep makes the chunk unsure. */
function values(path: number, test: Parameters<typeof valueCondition>[0], { db }: PlanContext): Find {
  const { sql, values: wanted } = valueCondition(test);
  const read = db.prepare(
    `SELECT item, value = '${LONG_TEXT}' AS long FROM arguments WHERE path = ? AND item >= ? AND item < ? AND ${sql}`,
  );
  return (chunk) => {
    const bits = emptyBitmap();
    let sure = true;
    for (const { item, long } of read.all(path, chunk * CHUNK, (chunk + 1) * CHUNK, ...wanted)) {
      setBit(bits, integer(item, "item") % CHUNK);
      if (long === 1 && test.kind !== "present") sure = false;
    }
    return { bits, sure };
  };
}

/** Before its path was declared any call with arguments may hold the value. */
function argument({ path, test }: Extract<Query, { kind: "argument" }>, context: PlanContext): Find {
  if (isOff(path, context.scope)) return () => ({ bits: emptyBitmap(), sure: true });
  const declared = context.paths.find((one) => one.path.join("\n") === path.join("\n"));
  const read = context.db.prepare(
    "SELECT id FROM names WHERE field = 'part' AND value IN ('arguments', 'request', 'decision')",
  );
  const anyArguments = bitsOf(
    read.all().map(({ id }) => integer(id, "id")),
    context.db,
  );
  const known = declared === undefined ? undefined : values(declared.id, test, context);
  const since = declared === undefined ? Number.POSITIVE_INFINITY : declared.since;
  return (chunk) =>
    known !== undefined && since <= chunk * CHUNK ? known(chunk) : { bits: anyArguments(chunk).bits, sure: false };
}

function entries(test: NumberTest, { db, places }: PlanContext): Find {
  const late = db.prepare("SELECT item, seq FROM late WHERE item >= ? AND item < ?");
  return (chunk) => {
    const bits = emptyBitmap();
    const low = chunk * CHUNK;
    for (const [at, distance] of places.chunk(chunk).entries()) {
      if (distance <= at && holds(test, low + at)) setBit(bits, at - distance);
    }
    for (const { item, seq } of late.all(low, low + CHUNK)) {
      if (holds(test, integer(seq, "seq"))) setBit(bits, integer(item, "item") - low);
    }
    return { bits, sure: true };
  };
}

function range({ from, to }: Extract<Query, { kind: "time" }>, { places, firstAt }: PlanContext): Find {
  const first = from <= 0 ? 0 : firstAt(from);
  const end = Number.isFinite(to) ? firstAt(to) : Number.POSITIVE_INFINITY;
  return (chunk) => {
    const bits = emptyBitmap();
    const low = chunk * CHUNK;
    for (const [at, distance] of places.chunk(chunk).entries()) {
      if (distance === 0 && low + at >= first && low + at < end) setBit(bits, at);
    }
    return { bits, sure: true };
  };
}

/** The index knows that the words stand in one entry; that they follow one another, only the payload. */
function words({ words: wanted, prefix }: Extract<Query, { kind: "text" }>, { db, places }: PlanContext): Find {
  const match = wanted.map((word, at) => `"${word}"${prefix && at === wanted.length - 1 ? " *" : ""}`).join(" AND ");
  const hits = db.prepare("SELECT rowid FROM words WHERE words MATCH ? AND rowid >= ? AND rowid < ?");
  const late = db.prepare("SELECT item, seq FROM late WHERE item >= ? AND item < ? ORDER BY seq");
  return (chunk) => {
    const bits = emptyBitmap();
    const low = chunk * CHUNK;
    const distances = places.chunk(chunk);
    for (const { rowid } of hits.all(match, low, low + CHUNK)) {
      const at = integer(rowid, "rowid") - low;
      const distance = distances[at] ?? at + 1;
      // An item that began in an earlier chunk is found there.
      if (distance <= at) setBit(bits, at - distance);
    }
    const others = late
      .all(low, low + CHUNK)
      .map((found) => ({ item: integer(found.item, "item"), seq: integer(found.seq, "seq") }));
    for (const close of closeTogether(others)) {
      const [first = 0, last = 0] = [close[0]?.seq, close.at(-1)?.seq];
      const found = new Set(hits.all(match, first, last + 1).map(({ rowid }) => integer(rowid, "rowid")));
      for (const { item, seq } of close) if (found.has(seq)) setBit(bits, item - low);
    }
    return { bits, sure: wanted.length === 1 };
  };
}

/** Most calls that go over a chunk's end are finished soon behind it: one question for each stretch, not for each entry. */
function closeTogether<Row extends { readonly seq: number }>(rows: readonly Row[]): Row[][] {
  const groups: Row[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    if (row.seq - last > GAP) groups.push([]);
    groups.at(-1)?.push(row);
    last = row.seq;
  }
  return groups;
}

const GAP = 256;

function itemsIn(chunk: number, places: Places): Bitmap {
  const bits = emptyBitmap();
  for (const [at, distance] of places.chunk(chunk).entries()) if (distance === 0) setBit(bits, at);
  return bits;
}
