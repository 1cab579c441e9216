/**
 * Entries about calls with the parts that say what was asked and decided, as texts and without the hashes and salts that prove
 * them: several times as fast as reading whole entries.
 */
import { CALL_PARTS, type CallEntry } from "@saferun/core";
import { integer, PARTS_PER_ENTRY, text } from "./schema.ts";

/** Headers are canonical: a type is always written like this. `GLOB`, since `instr` takes several times as long. */
const OF_A_CALL = `(CAST(header AS TEXT) GLOB '*"type":"call.*' OR CAST(header AS TEXT) GLOB '*"type":"approval.*')`;
const OF_A_DECISION = `CAST(header AS TEXT) GLOB '*"type":"call.[dp]*'`;

const NAMES = CALL_PARTS.map((name) => `'${name}'`).join(", ");

function query(entries: string): string {
  return `
SELECT e.seq AS seq, CAST(e.header AS TEXT) AS header, p.name AS name, CAST(p.bytes AS TEXT) AS bytes
FROM (${entries}) e LEFT JOIN parts p
  ON p.id >= e.seq * ${PARTS_PER_ENTRY} AND p.id < (e.seq + 1) * ${PARTS_PER_ENTRY} AND p.name IN (${NAMES})
ORDER BY e.seq, p.id`;
}

/** Of a run, from a position, at most so many. */
export const CALL_ENTRIES = query(
  `SELECT seq, header FROM entries WHERE run = ? AND seq >= ? AND ${OF_A_CALL} ORDER BY seq LIMIT ?`,
);

/** Between two positions: all that is about calls, or only proposals and decisions. */
export const CALLS_BETWEEN = query(`SELECT seq, header FROM entries WHERE seq >= ? AND seq < ? AND ${OF_A_CALL}`);
export const DECISIONS_BETWEEN = query(
  `SELECT seq, header FROM entries WHERE seq >= ? AND seq < ? AND ${OF_A_DECISION}`,
);

/** One row for each part, in the order of the entries. */
export function callEntriesIn(rows: Iterable<Record<string, unknown>>): CallEntry[] {
  const entries: CallEntry[] = [];
  let parts = new Map<string, string | null>();
  for (const row of rows) {
    const seq = integer(row.seq, "seq");
    if (entries.at(-1)?.seq !== seq) {
      parts = new Map();
      entries.push({ seq, header: text(row.header, "header"), parts });
    }
    if (row.name === null) continue;
    parts.set(text(row.name, "name"), row.bytes === null ? null : text(row.bytes, "bytes"));
  }
  return entries;
}
