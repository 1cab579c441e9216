/** A file whose rows take no write, and say nothing: what is not written is not done. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createGate, type Decision, type PolicySet, WITHOUT_LIMITS } from "@saferun/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore, type SqliteStore } from "../src/index.ts";

const ALLOWED: Decision = { verdict: "allow", by: ["all"], reason: "all", revision: "r1", rules: [], pauses: [] };
const POLICIES: PolicySet = {
  revision: "r1",
  evaluate: () => ALLOWED,
  explain: () => ALLOWED,
  kind: () => "write",
  declares: () => true,
  boundPaths: () => [],
  bound: (_tool, args) => args,
  ...WITHOUT_LIMITS,
};

let directory: string;
let store: SqliteStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-swallowed-"));
  store = openSqliteStore({ directory });
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Put there while the store is open: one that is opened with a trigger in it is refused. */
function swallow(table: string): void {
  const db = new DatabaseSync(join(directory, "log.db"));
  for (const when of ["UPDATE", "INSERT", "DELETE"])
    db.exec(`CREATE TRIGGER lost_${when} BEFORE ${when} ON ${table} BEGIN SELECT RAISE(IGNORE); END`);
  db.close();
}

it.each(["state", "entries", "parts", "runs", "calls", "log"])(
  "[L1~] where the rows of `%s` are lost no tool runs, and nothing is half written",
  async (table) => {
    const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom, notifier: { paused: () => {} } };
    const gate = createGate({ ...ports, policies: { current: () => POLICIES } });
    const run = gate.openRun({ agent: "bot", environment: "prod" });
    let ran = 0;
    const call = () => gate.call(run, { tool: "pay", args: {} }, () => ++ran);
    expect((await call()).status).toBe("ran");
    const { size } = await store.head();
    swallow(table);
    expect(await call()).toMatchObject({ status: "denied", denial: { status: "unavailable" } });
    expect(ran).toBe(1);
    expect((await store.head()).size).toBe(size);
    expect(await store.entries({ from: size, limit: 10 })).toEqual([]);
  },
);

it.each(["changed", "moved", "removed"])("a row of state that is %s is written once, or not at all", async (how) => {
  const row = { kind: "pot", id: "p", version: 1, due: null, value: { spent: 1 } } as const;
  await store.commit({ entries: [], rows: [{ row, expect: null }] });
  swallow("state");
  const next = { changed: { value: { spent: 2 } }, moved: { due: 5 }, removed: { value: null } }[how] ?? {};
  const written = store.commit({ entries: [], rows: [{ row: { ...row, version: 2, ...next }, expect: 1 }] });
  await expect(written).rejects.toMatchObject({ code: "record.corrupt" });
  expect(await store.row("pot", "p")).toEqual(row);
});
