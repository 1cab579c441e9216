/** What the index holds of entries that were archived: gone from its tables, so that nothing of them is left in the file. */
import type { DatabaseSync } from "node:sqlite";
import { blob, integer } from "../sqlite/schema.ts";
import { bitmapOf, bytesOf, emptyBitmap, intersect, isEmpty, setBit } from "./bitmap.ts";
import { createPlaces } from "./places.ts";
import { CHUNK } from "./schema.ts";

/**
 * Removes the items whose entries all stand before `first`, and every archived entry's words; the other items that begin
 * before it, in their order: their rows must be made again from the entries that are left. Inside a transaction.
 */
export function forgetArchived(db: DatabaseSync, first: number): number[] {
  const lasting = itemsThatLast(db, first);
  const stays = new Set(lasting);
  db.prepare("DELETE FROM words WHERE rowid < ?").run(first);
  for (const table of ["arguments", "ids"] as const) {
    const gone = db.prepare(`DELETE FROM ${table} WHERE item = ?`);
    for (const found of db.prepare(`SELECT DISTINCT item FROM ${table} WHERE item < ?`).all(first)) {
      const item = integer(found.item, "item");
      if (!stays.has(item)) gone.run(item);
    }
  }
  db.prepare("DELETE FROM late WHERE seq < ?").run(first);
  for (let chunk = 0; chunk * CHUNK < first; chunk++) keepOnly(db, chunk, first, stays);
  db.exec("DELETE FROM names WHERE NOT EXISTS (SELECT 1 FROM bits WHERE bits.name = names.id)");
  return lasting;
}

function itemsThatLast(db: DatabaseSync, first: number): number[] {
  const items = new Set<number>();
  for (const found of db.prepare("SELECT DISTINCT item FROM late WHERE item < ? AND seq >= ?").all(first, first)) {
    items.add(integer(found.item, "item"));
  }
  const chunk = Math.floor(first / CHUNK);
  for (const [at, distance] of createPlaces(db).chunk(chunk).entries()) {
    const seq = chunk * CHUNK + at;
    if (seq >= first && distance <= at && seq - distance < first) items.add(seq - distance);
  }
  return [...items].sort((left, right) => left - right);
}

/** In a chunk's bitmaps and places. */
function keepOnly(db: DatabaseSync, chunk: number, first: number, stays: ReadonlySet<number>): void {
  const mask = emptyBitmap();
  for (let at = 0; at < CHUNK; at++) {
    const seq = chunk * CHUNK + at;
    if (seq >= first || stays.has(seq)) setBit(mask, at);
  }
  const write = db.prepare("UPDATE bits SET bits = ? WHERE name = ? AND chunk = ?");
  const remove = db.prepare("DELETE FROM bits WHERE name = ? AND chunk = ?");
  for (const found of db.prepare("SELECT name, bits FROM bits WHERE chunk = ?").all(chunk)) {
    const bits = bitmapOf(blob(found.bits, "bits"));
    intersect(bits, mask);
    if (isEmpty(bits)) remove.run(integer(found.name, "name"), chunk);
    else write.run(bytesOf(bits), integer(found.name, "name"), chunk);
  }
  const places = createPlaces(db);
  for (let at = 0; at < CHUNK && chunk * CHUNK + at < first; at++) {
    const seq = chunk * CHUNK + at;
    // An item that lasts is listed by its first position, whatever stands there.
    if (!stays.has(seq)) places.clear(seq);
  }
  places.flush();
}
