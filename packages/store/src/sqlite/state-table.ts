/**
 * The state rows as the writer sees them inside its transaction: what is read is kept, what is written goes to the file once
 * for the whole group of requests, however many of them wrote it.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Json, RowWrite, StateKind, StateRow, StateRows } from "@saferun/core";
import { integer, row, text, writeRow } from "./schema.ts";

/** Rows that are kept between transactions. */
const KEPT = 10_000;

/** A row as it stands; null where there is none. */
type Known = { readonly version: number; readonly due: number | null; readonly value: Json } | null;

interface Place {
  readonly kind: StateKind;
  readonly id: string;
  /** What the file holds, or will hold when the group is committed. */
  known: Known;
  /** The row in the file; null: there is none. */
  held: { readonly number: number; readonly due: number | null } | null;
}

export class StateTable implements StateRows {
  readonly #statements: ReturnType<typeof prepareAll>;
  readonly #places = new Map<StateKind, Map<string, Place>>();
  #count = 0;
  /** Of the group: not in the file yet. */
  readonly #dirty = new Set<Place>();
  /** Of one request, with what stood there before: put back when it comes to nothing. */
  readonly #tried: { readonly place: Place; readonly before: Known }[] = [];

  constructor(db: DatabaseSync) {
    this.#statements = prepareAll(db);
  }

  /** Another connection has written, or the group was undone: nothing that was kept can be believed. */
  forget(): void {
    this.#places.clear();
    this.#count = 0;
    this.#dirty.clear();
    this.#tried.length = 0;
  }

  get(kind: StateKind, id: string): Json | undefined {
    return this.#place(kind, id).known?.value;
  }

  put(kind: StateKind, id: string, value: Json, due: number | null): void {
    const place = this.#place(kind, id);
    this.#try(place, value === null ? null : { version: (place.known?.version ?? 0) + 1, due, value });
  }

  /** The first row whose compare-and-set does not hold. */
  conflictIn(writes: readonly RowWrite<StateRow>[]): { readonly kind: StateKind; readonly id: string } | undefined {
    const held = writes.find(({ row: { kind, id }, expect }) => this.versionOf(kind, id) !== expect);
    return held === undefined ? undefined : { kind: held.row.kind, id: held.row.id };
  }

  /** Null where there is no such row. */
  versionOf(kind: StateKind, id: string): number | null {
    return this.#place(kind, id).known?.version ?? null;
  }

  write({ kind, id, version, due, value }: StateRow): void {
    this.#try(this.#place(kind, id), value === null ? null : { version, due, value });
  }

  /** The request came through: its rows belong to the group. */
  keep(): void {
    for (const { place } of this.#tried) this.#dirty.add(place);
    this.#tried.length = 0;
  }

  /** The request came to nothing. */
  drop(): void {
    for (const { place, before } of this.#tried.reverse()) place.known = before;
    this.#tried.length = 0;
  }

  /** Before the group's commit. */
  flush(): void {
    for (const place of this.#dirty) place.held = this.#put(place);
    this.#dirty.clear();
    if (this.#count > KEPT) this.forget();
  }

  /** By its number, and without `due` where that stays: no index is touched by a row that only has another value. */
  #put({ kind, id, known, held }: Place): Place["held"] {
    const { add, set, move, remove } = this.#statements;
    if (known === null) {
      if (held !== null) writeRow(remove, held.number);
      return null;
    }
    const { version, due } = known;
    const value = JSON.stringify(known.value);
    if (held === null) return { number: writeRow(add, kind, id, version, due, value), due };
    if (held.due === due) writeRow(set, version, value, held.number);
    else writeRow(move, version, due, value, held.number);
    return { number: held.number, due };
  }

  #try(place: Place, known: Known): void {
    this.#tried.push({ place, before: place.known });
    place.known = known;
  }

  #place(kind: StateKind, id: string): Place {
    const places = this.#places.get(kind) ?? new Map<string, Place>();
    const place = places.get(id);
    if (place !== undefined) return place;
    const found = row(this.#statements.get, kind, id);
    const read = { kind, id, ...(found === undefined ? { known: null, held: null } : readRow(found)) };
    this.#places.set(kind, places.set(id, read));
    this.#count++;
    return read;
  }
}

function readRow(found: Record<string, unknown>): Pick<Place, "known" | "held"> {
  const due = found.due === null ? null : integer(found.due, "due");
  const value = JSON.parse(text(found.value, "value")) as Json;
  return {
    known: { version: integer(found.version, "version"), due, value },
    held: { number: integer(found.number, "number"), due },
  };
}

function prepareAll(db: DatabaseSync) {
  return {
    get: db.prepare("SELECT number, version, due, value FROM state WHERE kind = ? AND id = ?"),
    add: db.prepare("INSERT INTO state (kind, id, version, due, value) VALUES (?, ?, ?, ?, ?)"),
    set: db.prepare("UPDATE state SET version = ?, value = ? WHERE number = ?"),
    move: db.prepare("UPDATE state SET version = ?, due = ?, value = ? WHERE number = ?"),
    remove: db.prepare("DELETE FROM state WHERE number = ?"),
  };
}
