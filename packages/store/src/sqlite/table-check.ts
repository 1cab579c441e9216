/** The tables of runs, calls, approvals and protections against what the log says of them: each row that differs is named. */
import type { DatabaseSync } from "node:sqlite";
import {
  type CallRecord,
  type CallRow,
  isSameRun,
  type Json,
  type LogFault,
  type LogStates,
  PROTECTION_KINDS,
  type ProtectionStates,
  type StateRow,
} from "@saferun/core";
import { blob, integer, text } from "./schema.ts";

type Row = Record<string, unknown>;
type Values = Readonly<Record<string, unknown>>;

/** What the log says of the tables; both have seen every entry. */
export interface TableStates {
  readonly log: LogStates;
  readonly protections: ProtectionStates;
}

/** More would not help anybody. */
const MOST_FAULTS = 1_000;

/** One look at the tables, in one snapshot: the entries must have been read in it, or nothing may have been written since. */
export function checkTables(db: DatabaseSync, { log: states, protections }: TableStates): LogFault[] {
  const faults: LogFault[] = [];
  const add = (fault: LogFault): void => {
    if (faults.length < MOST_FAULTS) faults.push(fault);
  };
  checkTable(db, "runs", states.runs, states.settled, add, (row, state) => {
    const same = isSameRun(
      {
        n: integer(row.n, "n"),
        leaf: blob(row.leaf, "leaf"),
        agent: text(row.agent, "agent"),
        environment: text(row.environment, "environment"),
        started: integer(row.started, "started"),
        last: integer(row.last, "last"),
      },
      state,
    );
    return same ? [] : ["the run"];
  });
  checkTable(db, "calls", states.calls, states.settled, add, (row, { run, state, tool, revision, approval, owner }) => {
    const record = recordIn(row);
    const told = { run, state, revision, approval, owner, ...(tool === undefined ? {} : { tool }) };
    return [...differing(row, columnsOfCall(record)), ...differing(record, told)];
  });
  checkTable(db, "approvals", states.approvals, states.settled, add, (row, { run, call, state }) => {
    const record = recordIn(row);
    const columns = { id: record.id, version: record.version, state: record.state, created: record.createdAt };
    return [...differing(row, columns), ...differing(record, { run, call, state })];
  });
  for (const fault of protections.faults(protectionRows(db))) add(fault);
  return faults;
}

function* protectionRows(db: DatabaseSync): Generator<Pick<StateRow, "kind" | "id" | "value">> {
  const read = db.prepare("SELECT id, value FROM state WHERE kind = ?");
  for (const kind of PROTECTION_KINDS) {
    for (const row of read.iterate(kind) as Iterable<Row>) yield { kind, id: String(row.id), value: valueIn(row) };
  }
}

/** A row that cannot be read is a changed one: it says nothing that the log does. */
function valueIn(row: Row): Json {
  try {
    return JSON.parse(text(row.value, "value")) as Json;
  } catch {
    return null;
  }
}

/** Reads the row of a call as it says; undefined where there is none, or its columns are not what is written in it. */
export function createCallRows(db: DatabaseSync): (id: string) => CallRow | undefined {
  const read = db.prepare("SELECT * FROM calls WHERE id = ?");
  return (id) => {
    const row = read.get(id);
    if (row === undefined) return undefined;
    try {
      const record = JSON.parse(text(row.record, "record")) as CallRecord;
      return differing(row, columnsOfCall({ ...record })).length === 0 ? record : undefined;
    } catch {
      return undefined;
    }
  };
}

function columnsOfCall({ id, version, state, run, key, createdAt }: Values): Values {
  return { id, version, state, run, key, created: createdAt };
}

function checkTable<State extends { readonly seq: number }>(
  db: DatabaseSync,
  table: "runs" | "calls" | "approvals",
  states: ReadonlyMap<string, State>,
  /** Calls that were compared before. */
  ended: LogStates["settled"],
  add: (fault: LogFault) => void,
  differencesOf: (row: Row, state: State) => readonly string[],
): void {
  let [found, settled] = [0, 0];
  for (const row of db.prepare(`SELECT * FROM ${table}`).iterate() as Iterable<Row>) {
    const id = String(row.id);
    const state = states.get(id);
    const where = `${table}/${id}`;
    if (state === undefined && table === "calls" && ended.has(id)) {
      settled++;
      continue;
    }
    if (state === undefined) {
      add({ seq: 0, fault: "inserted", where, message: "no entry of the log speaks of this row" });
      continue;
    }
    found++;
    const different = differences(row, state, differencesOf);
    if (different.length === 0) continue;
    const message = `the row is not what the log says: ${[...new Set(different)].join(", ")}`;
    add({ seq: state.seq, fault: "changed", where, message });
  }
  if (table === "calls" && settled !== ended.size) {
    const message = `of ${ended.size} calls that have ended ${settled} have a row: it was changed while it was verified`;
    add({ seq: 0, fault: "changed", where: table, message });
  }
  if (found === states.size) return;
  const has = db.prepare(`SELECT 1 FROM ${table} WHERE id = ?`);
  for (const [id, { seq }] of states) {
    if (has.get(id) === undefined) {
      add({ seq, fault: "missing", where: `${table}/${id}`, message: "the row that the log speaks of is missing" });
    }
  }
}

/** A row that cannot be read is a changed one. */
function differences<State>(
  row: Row,
  state: State,
  of: (row: Row, state: State) => readonly string[],
): readonly string[] {
  try {
    return of(row, state);
  } catch {
    return ["it cannot be read"];
  }
}

function recordIn(row: Row): Values {
  return JSON.parse(text(row.record, "record")) as Values;
}

function differing(values: Values, expected: Values): string[] {
  return Object.keys(expected).filter((name) => (values[name] ?? null) !== (expected[name] ?? null));
}
