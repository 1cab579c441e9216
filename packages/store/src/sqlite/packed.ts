/**
 * Entries that follow one another, many in one row: an array of bytes for each column of each row costs Node several times
 * what reading, hashing and parsing it costs. What a group holds comes as one, and is cut up here.
 */
import type { DatabaseSync } from "node:sqlite";
import type { StoredEntry, StoredPart } from "@saferun/core";
import { blob, damaged, PARTS_PER_ENTRY, text } from "./schema.ts";

/** Entries in one row. */
const GROUP = 64;
/** Parts over this size are read one by one, so that a group fits into memory whatever its entries hold. */
const LARGE_BYTES = 65_536;
/** A page ends early behind a group that is as large. */
const PAGE_BYTES = 16_777_216;

/**
 * Pages of entries from a position on, in their order; with `run`, of that run alone.
 * A page holds at most `limit` entries; fewer than are there only beyond 64 of them, when they are large.
 */
export function createPackedReader(db: DatabaseSync): (from: number, limit: number, run?: string) => StoredEntry[] {
  // `||` and `group_concat` put bytes together as they are; what is no blob shows, so that no length is one of characters.
  const lists = `json_group_array(seq), json_group_array(run), json_group_array(length(leaf)), json_group_array(length(header)),
    CAST(group_concat(leaf || header, '') AS BLOB), total(typeof(leaf) <> 'blob' OR typeof(header) <> 'blob')`;
  // The positions that follow one another, in half the time of any that come next: only a damaged log has others.
  const following = db.prepare(`SELECT ${lists} FROM entries WHERE seq >= ? AND seq < ?`);
  const next = db.prepare(
    `SELECT ${lists} FROM (SELECT seq, run, leaf, header FROM entries WHERE seq >= ? ORDER BY seq LIMIT ?)`,
  );
  const ofRun = db.prepare(
    `SELECT ${lists} FROM (SELECT seq, run, leaf, header FROM entries WHERE run = ? AND seq >= ? ORDER BY seq LIMIT ?)`,
  );
  const pieces = `json_group_array(id), json_group_array(name), json_group_array(length(salt)), json_group_array(length(bytes)),
    CAST(group_concat(ifnull(salt, x'') || iif(length(bytes) > ${LARGE_BYTES}, x'', ifnull(bytes, x'')), '') AS BLOB),
    total(typeof(salt) NOT IN ('blob', 'null') OR typeof(bytes) NOT IN ('blob', 'null'))`;
  const contents = db.prepare(`SELECT ${pieces} FROM parts WHERE id >= ? AND id < ?`);
  // Between the entries of a run lie those of others: only its own parts are read.
  const contentsOfRun = db.prepare(
    `SELECT ${pieces} FROM (SELECT p.id, p.name, p.salt, p.bytes
       FROM (SELECT seq FROM entries WHERE run = ? AND seq >= ? AND seq <= ? ORDER BY seq) e CROSS JOIN parts p
       WHERE p.id >= e.seq * ${PARTS_PER_ENTRY} AND p.id < (e.seq + 1) * ${PARTS_PER_ENTRY} ORDER BY p.id)`,
  );
  const large = db.prepare("SELECT bytes FROM parts WHERE id = ?");
  for (const statement of [following, next, ofRun, contents, contentsOfRun, large]) statement.setReturnArrays(true);

  function group(row: unknown, run?: string): Group {
    const [seqs, runs, leaves, sizes, packed] = columns(row, "header");
    const cut = cutter(packed, "header");
    const entries = seqs.map((seq, index): Writable => {
      // A copy: what is kept of an entry is mostly its leaf, and must not keep the group.
      const leaf = cut(leaves[index]).slice();
      return {
        seq: Number(seq),
        header: cut(sizes[index]),
        leaf,
        parts: NO_PARTS,
        columns: { run: textOrNull(runs[index]), parts: 0 },
      };
    });
    cut.end();
    return { entries, bytes: packed.length + addParts(entries, run) };
  }

  /** Their bytes. Beyond 2^53 / 1,024 a position has no parts: no entry of a log stands there. */
  function addParts(entries: readonly Writable[], run?: string): number {
    const safe = entries.filter(({ seq }) => Number.isSafeInteger((seq + 1) * PARTS_PER_ENTRY));
    const [first, last] = [safe[0], safe.at(-1)];
    if (first === undefined || last === undefined) return 0;
    const found =
      run === undefined
        ? contents.get(first.seq * PARTS_PER_ENTRY, (last.seq + 1) * PARTS_PER_ENTRY)
        : contentsOfRun.get(run, first.seq, last.seq);
    const [ids, names, salts, sizes, packed] = columns(found, "bytes");
    const cut = cutter(packed, "bytes");
    let [at, bytes] = [0, packed.length];
    for (const entry of safe) {
      const [begin, end] = [entry.seq * PARTS_PER_ENTRY, (entry.seq + 1) * PARTS_PER_ENTRY];
      const parts: StoredPart[] = [];
      let places = 0;
      for (; at < ids.length && Number(ids[at]) < end; at++) {
        const id = Number(ids[at]);
        const salt = salts[at] === null ? null : cut(salts[at]);
        const size = sizes[at] ?? null;
        const isLarge = Number(size) > LARGE_BYTES;
        const content = size === null ? null : isLarge ? largePart(id) : cut(size);
        if (isLarge) bytes += Number(size);
        // Between two entries lie the parts of one that is gone.
        if (id < begin) continue;
        // Erased since the group was read: gone are both.
        const isErased = isLarge && content === null;
        parts.push({ name: text(names[at], "name"), salt: isErased ? null : salt, bytes: content });
        places = id - begin + 1;
      }
      if (parts.length === 0) continue;
      entry.parts = parts;
      entry.columns = { run: entry.columns.run, parts: places };
    }
    return bytes;
  }

  function largePart(id: number): Uint8Array | null {
    const [found = null] = (large.get(id) as unknown[] | undefined) ?? [];
    return found === null ? null : blob(found, "bytes");
  }

  return (from, limit, run) => {
    const page: StoredEntry[] = [];
    let position = from;
    let isGapless = run === undefined;
    for (let bytes = 0; page.length < limit; ) {
      if ((bytes >= PAGE_BYTES && page.length >= GROUP) || !Number.isSafeInteger(position)) break;
      const wanted = Math.min(GROUP, limit - page.length);
      const row =
        run !== undefined
          ? ofRun.get(run, position, wanted)
          : isGapless
            ? following.get(position, position + wanted)
            : next.get(position, wanted);
      const found = group(row, run);
      page.push(...found.entries);
      bytes += found.bytes;
      position = (found.entries.at(-1)?.seq ?? position - 1) + 1;
      if (found.entries.length === wanted) continue;
      if (!isGapless) break;
      isGapless = false;
    }
    return page;
  };
}

type Writable = { -readonly [Key in keyof StoredEntry]: StoredEntry[Key] } & {
  columns: NonNullable<StoredEntry["columns"]>;
};

interface Group {
  readonly entries: readonly Writable[];
  readonly bytes: number;
}

const NO_PARTS: readonly StoredPart[] = Object.freeze([]);

/** Four lists and what they describe. @throws SafeRunError `record.corrupt` for a value of another type. */
function columns(
  row: unknown,
  column: string,
): readonly [unknown[], unknown[], unknown[], unknown[], packed: Uint8Array] {
  if (!Array.isArray(row)) throw damaged(column);
  const [one, two, three, four, packed, others] = row as unknown[];
  if (others !== 0) throw damaged(column);
  return [
    list(one, column),
    list(two, column),
    list(three, column),
    list(four, column),
    packed === null ? EMPTY : blob(packed, column),
  ];
}

const EMPTY = new Uint8Array(0);

function list(json: unknown, column: string): unknown[] {
  return JSON.parse(text(json, column)) as unknown[];
}

/** Pieces of the bytes, one after another; they must add up. */
function cutter(packed: Uint8Array, column: string) {
  let at = 0;
  const cut = (size: unknown): Uint8Array => {
    const from = at;
    at += typeof size === "number" ? size : Number.NaN;
    if (!(at <= packed.length)) throw damaged(column);
    return packed.subarray(from, at);
  };
  cut.end = (): void => {
    if (at !== packed.length) throw damaged(column);
  };
  return cut;
}

function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : text(value, "run");
}
