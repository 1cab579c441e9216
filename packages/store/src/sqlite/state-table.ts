/**
 * The state rows as the writer sees them inside its transaction: what is read is kept, what is written goes to the file once
 * for the whole group of requests, however many of them wrote it.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Json, RowWrite, StateKind, StateRow, StateRows } from "@saferun/core";
import { integer, row, text } from "./schema.ts";

/** Rows that are kept between transactions. */
const KEPT = 10_000;

/** A row as it stands; null where there is none. */
type Known = { readonly version: number; readonly due: number | null; readonly value: Json } | null;

interface Place {
  readonly kind: StateKind;
  readonly id: string;
  readonly known: Known;
  /** The row in the file; null: there is none. */
  readonly held: { readonly number: number; readonly due: number | null } | null;
}

export class StateTable implements StateRows {
  readonly #statements: ReturnType<typeof prepareAll>;
  /** What the file holds, or will hold when the group is committed. */
  readonly #rows = new Map<string, Place>();
  /** Of the group: not in the file yet. */
  readonly #dirty = new Set<string>();
  /** Of one request: forgotten when it comes to nothing. */
  readonly #tried = new Map<string, Place>();

  constructor(db: DatabaseSync) {
    this.#statements = prepareAll(db);
  }

  /** Another connection has written, or the group was undone: nothing that was kept can be believed. */
  forget(): void {
    this.#rows.clear();
    this.#dirty.clear();
    this.#tried.clear();
  }

  get(kind: StateKind, id: string): Json | undefined {
    return this.#known(kind, id)?.value;
  }

  put(kind: StateKind, id: string, value: Json, due: number | null): void {
    this.write({ kind, id, version: (this.#known(kind, id)?.version ?? 0) + 1, due, value });
  }

  /** The first row whose compare-and-set does not hold. */
  conflictIn(writes: readonly RowWrite<StateRow>[]): { readonly kind: StateKind; readonly id: string } | undefined {
    const held = writes.find(({ row: { kind, id }, expect }) => this.versionOf(kind, id) !== expect);
    return held === undefined ? undefined : { kind: held.row.kind, id: held.row.id };
  }

  /** Null where there is no such row. */
  versionOf(kind: StateKind, id: string): number | null {
    return this.#known(kind, id)?.version ?? null;
  }

  write({ kind, id, version, due, value }: StateRow): void {
    const { held } = this.#place(kind, id);
    this.#tried.set(keyOf(kind, id), { kind, id, known: value === null ? null : { version, due, value }, held });
  }

  /** The request came through: its rows belong to the group. */
  keep(): void {
    for (const [key, place] of this.#tried) {
      this.#rows.set(key, place);
      this.#dirty.add(key);
    }
    this.#tried.clear();
  }

  /** The request came to nothing. */
  drop(): void {
    this.#tried.clear();
  }

  /** Before the group's commit. */
  flush(): void {
    for (const key of this.#dirty) {
      const place = this.#rows.get(key);
      if (place !== undefined) this.#rows.set(key, { ...place, held: this.#put(place) });
    }
    this.#dirty.clear();
    if (this.#rows.size > KEPT) this.#rows.clear();
  }

  /** By its number, and without `due` where that stays: no index is touched by a row that only has another value. */
  #put({ kind, id, known, held }: Place): Place["held"] {
    const { add, set, move, remove } = this.#statements;
    if (known === null) {
      if (held !== null) remove.run(held.number);
      return null;
    }
    const { version, due } = known;
    const value = JSON.stringify(known.value);
    if (held === null) return { number: Number(add.run(kind, id, version, due, value).lastInsertRowid), due };
    if (held.due === due) set.run(version, value, held.number);
    else move.run(version, due, value, held.number);
    return { number: held.number, due };
  }

  #known(kind: StateKind, id: string): Known {
    return this.#place(kind, id).known;
  }

  #place(kind: StateKind, id: string): Place {
    const key = keyOf(kind, id);
    const place = this.#tried.get(key) ?? this.#rows.get(key);
    if (place !== undefined) return place;
    const found = row(this.#statements.get, kind, id);
    const read = { kind, id, ...(found === undefined ? { known: null, held: null } : readRow(found)) };
    this.#rows.set(key, read);
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

function keyOf(kind: StateKind, id: string): string {
  return `${kind}\u0000${id}`;
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
