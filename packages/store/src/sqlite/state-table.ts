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
    this.#tried.set(keyOf(kind, id), { kind, id, known: value === null ? null : { version, due, value } });
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
      if (place === undefined) continue;
      const { kind, id, known } = place;
      if (known === null) this.#statements.remove.run(kind, id);
      else this.#statements.set.run(kind, id, known.version, known.due, textOf(known.value));
    }
    this.#dirty.clear();
    if (this.#rows.size > KEPT) this.#rows.clear();
  }

  #known(kind: StateKind, id: string): Known {
    const key = keyOf(kind, id);
    const place = this.#tried.get(key) ?? this.#rows.get(key);
    if (place !== undefined) return place.known;
    const found = row(this.#statements.get, kind, id);
    const known: Known =
      found === undefined
        ? null
        : {
            version: integer(found.version, "version"),
            due: found.due === null ? null : integer(found.due, "due"),
            value: JSON.parse(text(found.value, "value")) as Json,
          };
    this.#rows.set(key, { kind, id, known });
    return known;
  }
}

function keyOf(kind: StateKind, id: string): string {
  return `${kind}\u0000${id}`;
}

/**
 * The last item of a list that was written → that list and its text. Most of a run's row is lists that grow at their end with
 * each of its calls: what is there already is not written out again, which is half of what the row costs.
 */
const lists = new WeakMap<object, { readonly list: readonly Json[]; readonly text: string }>();

/** As `JSON.stringify`; for values that nobody changes. */
function textOf(value: Json): string {
  if (Array.isArray(value)) return listText(value);
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${textOf(item)}`).join(",")}}`;
}

function listText(list: readonly Json[]): string {
  const [before, last] = list.slice(-2);
  if (!isObject(last) || !isObject(before)) return JSON.stringify(list);
  const same = lists.get(last);
  if (same?.list === list) return same.text;
  const known = lists.get(before);
  const grown = known?.list.length === list.length - 1 && known.list.every((item, index) => item === list[index]);
  const text = grown ? `${known.text.slice(0, -1)},${JSON.stringify(last)}]` : JSON.stringify(list);
  lists.delete(before);
  lists.set(last, { list, text });
  return text;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function prepareAll(db: DatabaseSync) {
  return {
    get: db.prepare("SELECT version, due, value FROM state WHERE kind = ? AND id = ?"),
    set: db.prepare(
      `INSERT INTO state (kind, id, version, due, value) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, due = excluded.due, value = excluded.value`,
    ),
    remove: db.prepare("DELETE FROM state WHERE kind = ? AND id = ?"),
  };
}
