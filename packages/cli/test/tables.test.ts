/** The tables beside the log: rebuilt from its entries after every way that a call can go, and each change of a row found. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { decideApproval, liftStops, recover, stopCalls } from "@saferun/core";
import { nodeClock, nodeHash, nodeRandom, openReadOnlySqliteStore, verifyStoreAndTables } from "@saferun/store";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { makePlace, type Place } from "./saferun.ts";
import { openSample, pendingApproval } from "./sample.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let place: Place;
let count = 0;
beforeAll(async () => {
  place = makePlace();
  let now = Date.now();
  const clock = { ...nodeClock, now: () => now };
  const { gate, run, execute, store } = openSample(place.store, clock);
  const ports = { store, clock, hash: nodeHash, random: nodeRandom };
  const by = { id: "local:ann", via: "cli", verified: false };
  await gate.call(run, { tool: "orders.get", args: { id: 17 }, key: "a" }, execute);
  await gate.call(run, { tool: "orders.get", args: { id: 17 }, key: "a" }, execute);
  await gate.call(run, { tool: "orders.get", args: { id: 18 } }, () => {
    throw new Error("out of order");
  });
  await gate.call(run, { tool: "shell.exec", args: { cmd: "id" } }, execute);
  await gate.call(run, { tool: "a tool with spaces", args: {} }, execute);
  await gate.call(run, { tool: "orders.get", args: 7 }, execute);
  for (const [verdict, args] of [
    ["approve", undefined],
    ["approve", { amount: 6_000 }],
    ["deny", undefined],
  ] as const) {
    const waiting = gate.call(run, { tool: "stripe.refund", args: { amount: 9_000 } }, execute);
    const approval = await pendingApproval(store, "stripe.refund");
    await decideApproval(ports, { approval, verdict, by, ...(args === undefined ? {} : { args }) });
    await waiting;
  }
  const given = new AbortController();
  const aborted = gate.call(run, { tool: "stripe.refund", args: { amount: 9_001 }, signal: given.signal }, execute);
  await pendingApproval(store, "stripe.refund");
  given.abort();
  await aborted;
  const expiring = gate.call(run, { tool: "mail.send", args: { to: "x" } }, execute);
  await pendingApproval(store, "mail.send");
  now += 2_000;
  await expiring;
  const other = gate.openRun({ agent: "other", environment: "prod" });
  const lost = await gate.admit(other, { tool: "orders.get", args: { id: 1 } });
  if (!lost.admitted) throw new Error("it is allowed");
  now += 600_000;
  await recover(store, clock);
  await gate.call(other, { tool: "stripe.refund", args: { amount: 9_002 }, maxWaitMs: 0 }, execute);
  const admin = { id: "local:ann", kind: "person", roles: ["admin"], local: true } as const;
  const scope = { agent: "gone", tool: null, run: null };
  const stopped = await stopCalls(ports, { scope, reason: "it is gone", by: admin });
  await liftStops(ports, { id: stopped.id ?? "", reason: "it is back", by: admin });
  await stopCalls(ports, { scope, reason: "gone again", by: admin });
  await store.close();
});
afterAll(() => place.remove());

async function verified(change: (db: DatabaseSync) => void) {
  const directory = join(place.cwd, `copy-${count++}`);
  cpSync(place.store, directory, { recursive: true });
  const db = new DatabaseSync(join(directory, "log.db"));
  change(db);
  db.close();
  const store = openReadOnlySqliteStore({ directory });
  const { status, faults } = await verifyStoreAndTables(store);
  await store.close();
  return { status, faults: faults.map(({ fault, where }) => `${fault} ${where}`) };
}

describe("the tables beside the log [L3~]", () => {
  it("are what its entries say, after every end of a call", async () => {
    const db = new DatabaseSync(join(place.store, "log.db"), { readOnly: true });
    const states = db
      .prepare("SELECT DISTINCT state FROM calls ORDER BY state")
      .all()
      .map(({ state }) => state);
    db.close();
    expect(states).toEqual(["denied", "expired", "failed", "pending", "succeeded", "unknown"]);
    expect(await verified(() => {})).toEqual({ status: "self-consistent", faults: [] });
  });

  it("name each row that was changed, removed or added", async () => {
    const source = new DatabaseSync(join(place.store, "log.db"), { readOnly: true });
    const rows = ["runs", "calls", "approvals"].flatMap((table) =>
      source
        .prepare(`SELECT '${table}' AS tab, id FROM ${table}`)
        .all()
        .map(({ tab, id }) => [String(tab), String(id)] as const),
    );
    source.close();
    expect(rows.length).toBeGreaterThan(15);
    for (const [table, id] of rows) {
      const where = `${table}/${id}`;
      expect(await verified((db) => db.prepare(`DELETE FROM ${table} WHERE id = ?`).run(id))).toEqual({
        status: "faulty",
        faults: [`missing ${where}`],
      });
    }
    const columns: [table: string, change: string][] = [
      ["runs", "n = n + 1"],
      ["runs", "leaf = zeroblob(32)"],
      ["runs", "agent = 'nobody'"],
      ["runs", "environment = 'dev'"],
      ["runs", "started = started + 1"],
      ["runs", "last = last + 1"],
      ["calls", "state = 'approved'"],
      ["calls", "version = version + 1"],
      ["calls", "run = 'run_other'"],
      ["calls", "created = created + 1"],
      ["calls", "record = '{}'"],
      ["calls", "record = json_set(record, '$.state', 'approved'), state = 'approved'"],
      ["calls", "record = json_set(record, '$.approval', 'appr_other')"],
      ["calls", "record = json_set(record, '$.revision', 'other')"],
      ["calls", "record = json_set(record, '$.owner', 'other')"],
      ["calls", "record = 'no json'"],
      ["approvals", "state = 'approved'"],
      ["approvals", "record = json_set(record, '$.state', 'suspended'), state = 'suspended'"],
      ["approvals", "record = json_set(record, '$.call', 'call_other')"],
    ];
    for (const [table, change] of columns) {
      const [, id = ""] = rows.find(([name]) => name === table) ?? [];
      const found = await verified((db) => db.prepare(`UPDATE ${table} SET ${change} WHERE id = ?`).run(id));
      expect([change, found]).toEqual([change, { status: "faulty", faults: [`changed ${table}/${id}`] }]);
    }
    const rowsOfState: [kind: string, change: string, fault: RegExp][] = [
      ["stops", "json_set(value, '$.stops', json('[]'))", /^missing stops\/stop_/],
      ["stops", "json_set(value, '$.stops[0].scope.tool', 'none')", /^changed stops\/stop_/],
      ["pot", "json_set(value, '$.raised', '1000000')", /^changed pot\//],
      ["pot", "'no json'", /^changed pot\//],
    ];
    for (const [kind, change, fault] of rowsOfState) {
      const first = "id = (SELECT min(id) FROM state WHERE kind = ?1)";
      const found = await verified((db) =>
        db.prepare(`UPDATE state SET value = ${change} WHERE kind = ?1 AND ${first}`).run(kind),
      );
      expect([change, found]).toEqual([change, { status: "faulty", faults: [expect.stringMatching(fault)] }]);
    }
    const added = await verified((db) =>
      db.exec(`INSERT INTO approvals (id, version, state, created, record)
        SELECT 'appr_forged', version, state, created, json_set(record, '$.id', 'appr_forged') FROM approvals LIMIT 1`),
    );
    expect(added).toEqual({ status: "faulty", faults: ["inserted approvals/appr_forged"] });
  });
});
