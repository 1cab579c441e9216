/**
 * Somebody who can write the store's file changes one thing in it, at random: a column, a row, two rows against one another.
 * Says what was done and which positions a verifier has to name.
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { LogFault } from "@saferun/core";

const FAULTS = ["change", "delete", "insert", "reorder", "swap"] as const;
type Fault = (typeof FAULTS)[number];

interface Table {
  readonly table: string;
  /** The column that numbers its rows. */
  readonly key: string;
  /** Those that can be changed. */
  readonly columns: readonly string[];
  /** What can be done to its rows. */
  readonly faults: readonly Fault[];
  /** Those that are swapped, where others are the same in every row. */
  readonly swapped?: readonly string[];
}

/** The tables that the log is, and those that its entries account for: a row of these is named by its id. */
const TABLES: readonly Table[] = [
  { table: "entries", key: "seq", columns: ["seq", "run", "leaf", "header"], faults: FAULTS },
  { table: "parts", key: "id", columns: ["id", "name", "salt", "bytes"], faults: FAULTS },
  // One that is gone changes nothing: the next covers the same entries. All of them is another matter.
  { table: "checkpoints", key: "size", columns: ["size", "note"], faults: ["change", "insert", "reorder", "swap"] },
  // The head is one row: it can be changed, and no more.
  { table: "log", key: "id", columns: ["log", "size", "peaks"], faults: ["change"] },
  ...[
    {
      table: "runs",
      columns: ["id", "n", "leaf", "agent", "environment", "started", "last"],
      swapped: ["id", "leaf"],
    },
    { table: "calls", columns: ["id", "version", "state", "run", "key", "created"], swapped: ["id", "state", "run"] },
    { table: "approvals", columns: ["id", "version", "state", "created"], swapped: ["id"] },
  ].map((rows) => ({ ...rows, key: "number", faults: ["change", "delete", "insert", "swap"] as const })),
];
const PARTS_PER_ENTRY = 1_024;

/** Every place at which something can be done, so that rounds go through all of them. */
export const PLACES = TABLES.flatMap(({ table, key, columns, faults, swapped = columns }) =>
  faults.flatMap((fault) =>
    columns
      .filter((column) => fault === "change" || fault === "swap" || column === columns[0])
      .filter((column) => fault !== "swap" || (column !== key && swapped.includes(column)))
      .map((column) => ({ table, key, column, fault })),
  ),
);
export type Place = (typeof PLACES)[number];

export interface Tampering {
  readonly what: string;
  /** True for a fault that says where it was done. */
  isNamed(fault: LogFault): boolean;
}

/** A generator of numbers from 0 to 1 that a seed repeats (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Row = Readonly<Record<string, SQLInputValue>>;

/** Does it, or undefined where it would change nothing. */
export function tamper(db: DatabaseSync, place: Place, random: () => number): Tampering | undefined {
  const { table, key, column, fault } = place;
  const rows = db.prepare(`SELECT * FROM ${table} ORDER BY ${key}`).all() as Row[];
  const pick = (): Row => rows[Math.floor(random() * rows.length)] ?? {};
  const [one, two] = [pick(), pick()];
  const seqOf = (row: Row): number =>
    table === "parts" ? Math.floor(Number(row[key]) / PARTS_PER_ENTRY) : Number(row[key]);
  const done = (seqs: readonly number[]): Tampering => ({
    what: `${fault} ${table}.${column} of ${seqs.join(" and ")}`,
    // The head speaks of the whole log: wherever it no longer agrees is its place.
    isNamed: ({ seq }) => table === "log" || seqs.includes(seq),
  });
  const set = (name: string, value: SQLInputValue, row: Row): void => {
    db.prepare(`UPDATE ${table} SET ${name} = ? WHERE ${key} = ?`).run(value, row[key] ?? null);
  };
  if (key === "number" && fault === "swap") return swapRows(db, place, one, two);
  if (key === "number") return tamperRow(db, place, one, rows, random);
  switch (fault) {
    case "change": {
      const value = changed(one[column] ?? null, random);
      if (column === key && rows.some((row) => row[key] === value)) return undefined;
      set(column, value, one);
      return done(column === key ? [seqOf(one), seqOf({ [key]: value })] : [seqOf(one)]);
    }
    case "delete":
      db.prepare(`DELETE FROM ${table} WHERE ${key} = ?`).run(one[key] ?? null);
      return done([seqOf(one)]);
    case "insert": {
      const at = Number(rows.at(-1)?.[key]) + 1 + Math.floor(random() * 3);
      insert(db, table, { ...one, [key]: at });
      return done([seqOf(one), seqOf({ [key]: at }), seqOf(rows.at(-1) ?? one) + 1]);
    }
    case "reorder": {
      if (one[key] === two[key]) return undefined;
      for (const row of [one, two]) db.prepare(`DELETE FROM ${table} WHERE ${key} = ?`).run(row[key] ?? null);
      insert(db, table, { ...one, [key]: two[key] ?? null });
      insert(db, table, { ...two, [key]: one[key] ?? null });
      return done([seqOf(one), seqOf(two)]);
    }
    case "swap": {
      if (isSame(one[column] ?? null, two[column] ?? null)) return undefined;
      set(column, two[column] ?? null, one);
      set(column, one[column] ?? null, two);
      return done([seqOf(one), seqOf(two)]);
    }
  }
}

/** A row that entries account for: changed, gone, or one more. */
function tamperRow(
  db: DatabaseSync,
  { table, column, fault }: Place,
  row: Row,
  rows: readonly Row[],
  random: () => number,
): Tampering | undefined {
  const done = (...ids: SQLInputValue[]): Tampering => ({
    what: `${fault} ${table}.${column} of ${ids.join(" and ")}`,
    isNamed: ({ where }) => ids.some((id) => where === `${table}/${String(id)}`),
  });
  const { number = null, id = null } = row;
  if (fault === "delete") {
    db.prepare(`DELETE FROM ${table} WHERE number = ?`).run(number);
    return done(id);
  }
  if (fault === "insert") {
    insert(db, table, { ...row, number: Number(rows.at(-1)?.number) + 1, id: `${String(id)}x` });
    return done(`${String(id)}x`);
  }
  const value = changed(row[column] ?? null, random);
  if (column === "id" && rows.some((other) => other.id === value)) return undefined;
  db.prepare(`UPDATE ${table} SET ${column} = ? WHERE number = ?`).run(value, number);
  return column === "id" ? done(id, value) : done(id);
}

/** A value of two rows that entries account for, each in the other's place. */
function swapRows(db: DatabaseSync, { table, column }: Place, one: Row, two: Row): Tampering | undefined {
  const [first, second] = [one[column] ?? null, two[column] ?? null];
  if (isSame(first, second)) return undefined;
  const set = db.prepare(`UPDATE ${table} SET ${column} = ? WHERE number = ?`);
  // An id stands in one row only, at each moment.
  if (column === "id") set.run("between", one.number ?? null);
  set.run(first, two.number ?? null);
  set.run(second, one.number ?? null);
  const named = [one.id, two.id].map((id) => `${table}/${String(id)}`);
  return {
    what: `swap ${table}.${column} of ${named.join(" and ")}`,
    isNamed: ({ where }) => named.includes(where),
  };
}

function insert(db: DatabaseSync, table: string, row: Row): void {
  const names = Object.keys(row);
  const marks = names.map(() => "?").join(", ");
  db.prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${marks})`).run(
    ...names.map((name) => row[name] ?? null),
  );
}

/** Another value of the same type. */
function changed(value: SQLInputValue, random: () => number): SQLInputValue {
  if (value === null) return "run0";
  if (typeof value === "number" || typeof value === "bigint") return Number(value) + 1 + Math.floor(random() * 1_000);
  if (typeof value === "string") {
    const at = Math.floor(random() * value.length);
    return value.slice(0, at) + (value[at] === "0" ? "1" : "0") + value.slice(at + 1);
  }
  const bytes = Uint8Array.from(value as Uint8Array);
  const at = Math.floor(random() * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  return bytes;
}

function isSame(left: SQLInputValue, right: SQLInputValue): boolean {
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right) === 0;
  return left === right;
}
