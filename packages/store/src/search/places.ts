/** Which entry belongs to which item: for each position the distance back to its item's first entry, a chunk in one row. */
import type { DatabaseSync } from "node:sqlite";
import { SafeRunError } from "@saferun/core";
import { blob, integer, row } from "../sqlite/schema.ts";
import { CHUNK } from "./schema.ts";

/** No entry at this position yet. */
const NOWHERE = 0xffff_ffff;

export interface Places {
  add(seq: number, item: number): void;
  /** The item of an entry that was added. */
  itemOf(seq: number): number;
  /** Positions of the item's entries, ascending. */
  entriesOf(item: number): number[];
  /** Distances in the chunk; `NOWHERE` behind the last entry. Not to be written. */
  chunk(chunk: number): Uint32Array;
  /** There is no entry at this position any more. */
  clear(seq: number): void;
  flush(): void;
}

export function createPlaces(db: DatabaseSync): Places {
  const read = db.prepare("SELECT distances FROM places WHERE chunk = ?");
  const write = db.prepare("INSERT OR REPLACE INTO places (chunk, distances) VALUES (?, ?)");
  const addLate = db.prepare("INSERT OR IGNORE INTO late (item, seq) VALUES (?, ?)");
  const late = db.prepare("SELECT seq FROM late WHERE item = ? ORDER BY seq");
  let kept: { readonly chunk: number; readonly distances: Uint32Array } | undefined;
  let changed = false;

  function chunk(wanted: number): Uint32Array {
    if (kept?.chunk === wanted) return kept.distances;
    flush();
    const found = row(read, wanted);
    const distances = new Uint32Array(CHUNK).fill(NOWHERE);
    const bytes = found === undefined ? undefined : blob(found.distances, "distances");
    if (bytes?.length === distances.byteLength) new Uint8Array(distances.buffer).set(bytes);
    kept = { chunk: wanted, distances };
    return distances;
  }

  function flush(): void {
    if (changed && kept !== undefined) write.run(kept.chunk, new Uint8Array(kept.distances.buffer));
    changed = false;
  }

  return {
    add(seq, item) {
      chunk(Math.floor(seq / CHUNK))[seq % CHUNK] = seq - item;
      changed = true;
      if (Math.floor(seq / CHUNK) !== Math.floor(item / CHUNK)) addLate.run(item, seq);
    },
    itemOf(seq) {
      const distance = chunk(Math.floor(seq / CHUNK))[seq % CHUNK];
      if (distance === undefined || distance === NOWHERE)
        throw new SafeRunError("record.corrupt", "the search index has a gap");
      return seq - distance;
    },
    entriesOf(item) {
      const number = Math.floor(item / CHUNK);
      const distances = chunk(number);
      const found: number[] = [];
      for (let at = item % CHUNK; at < CHUNK; at++) {
        const seq = number * CHUNK + at;
        if (seq - (distances[at] ?? NOWHERE) === item) found.push(seq);
      }
      return [...found, ...late.all(item).map(({ seq }) => integer(seq, "seq"))];
    },
    chunk,
    clear(seq) {
      chunk(Math.floor(seq / CHUNK))[seq % CHUNK] = NOWHERE;
      changed = true;
    },
    flush,
  };
}
