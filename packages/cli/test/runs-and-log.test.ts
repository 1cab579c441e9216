import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createFileSigner, signingKeyPath } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample, pendingApproval, type Sample } from "./sample.ts";

let place: Place;
let sample: Sample;
beforeEach(async () => {
  place = makePlace();
  sample = openSample(place.store);
  const { gate, run, execute } = sample;
  await gate.call(run, { tool: "orders.get", args: { id: 17 } }, execute);
  await gate.call(run, { tool: "shell.exec", args: { cmd: "id" } }, execute);
});
afterEach(async () => {
  await sample.store.close();
  place.remove();
});

function command(...args: string[]) {
  return saferun(place, [...args, "--store", place.store]);
}

describe("saferun log", () => {
  it("says who looked at what, and a verdict that was given twice once", async () => {
    const { gate, run, execute, store } = sample;
    const waiting = gate.call(run, { tool: "stripe.refund", args: { amount: 9_000 } }, execute);
    await command("approvals", "approve", await pendingApproval(store, "stripe.refund"));
    await waiting;
    await command("runs", run.id);
    expect((await command("log")).stdout).toMatch(new RegExp(`payload\\.viewed .*local:\\S+  runs  ${run.id}`));
    const found = (await command("log", "search", "tool:stripe.refund OR type:payload.viewed")).stdout;
    expect(found).toMatch(/stripe\.refund +pause +succeeded/);
    expect(found).toMatch(/payload\.viewed .*local:\S+ {2}runs/);
  });

  it("verifies no file that is not there, and says so", async () => {
    const missing = await command("log", "verify", "nowhere.bundle", "--pin", "x");
    expect(missing).toMatchObject({ code: 3, stderr: "saferun: there is no file `nowhere.bundle`\n" });
  });
});

describe("saferun runs", () => {
  it("[R1~] shows a run step by step while the agent still has the store open", async () => {
    const { gate, run, execute, store } = sample;
    const waiting = gate.call(run, { tool: "stripe.refund", args: { amount: 9_000 } }, execute);
    const approval = await pendingApproval(store, "stripe.refund");
    await command("approvals", "approve", approval, "--set", "amount=6000");
    await waiting;

    const list = (await command("runs", "--json")).json();
    expect(list).toEqual({ runs: [expect.objectContaining({ id: run.id, agent: "support", environment: "prod" })] });
    const shown = (await command("runs", run.id, "--json")).json();
    const value = (of: unknown) => ({ state: "present", value: of });
    expect(shown.steps).toMatchObject([
      {
        tool: "orders.get",
        state: "succeeded",
        decisions: [{ verdict: "allow", by: ["orders-read"] }],
        arguments: { proposed: value({ id: 17 }), ran: value({ id: 17 }) },
      },
      { tool: "shell.exec", state: "denied", decisions: [{ by: ["unmatched:prod"] }], arguments: { ran: null } },
      {
        tool: "stripe.refund",
        state: "succeeded",
        arguments: { proposed: value({ amount: 9_000 }), ran: value({ amount: 6_000 }) },
        approvals: [{ id: approval, state: "approved", answers: [{ edited: true }] }],
        result: value({ ok: true }),
      },
    ]);
    const text = (await command("runs", run.id)).stdout;
    expect(text).toContain("pause (refund-large) → approved by local:");
    expect(text).toMatch(/- amount {2}\$90\.00 \(9000\)\n.*\+ amount {2}\$60\.00 \(6000\)/);
  });

  it("says that a run does not exist", async () => {
    expect(await command("runs", "run_none")).toMatchObject({ code: 3, stdout: "" });
  });
});

describe("saferun log", () => {
  it("[L2~] verifies by a pinned key, and without one says that the signer is not proven", async () => {
    await sample.store.close();
    const key = (await command("log", "key")).stdout.trim();
    const loose = await command("log", "verify");
    expect(loose).toMatchObject({ code: 0 });
    expect(loose.stdout).toMatch(/^self-consistent, signer not proven/);
    expect(loose.stdout).toContain(`saferun log verify --pin '${key}'`);
    const pinned = await command("log", "verify", "--pin", key);
    expect(pinned.stdout).toMatch(/^verified up to entry \d+ at \d{4}-.* by key saferun\.local/);
    expect(pinned.code).toBe(0);
    expect((await command("log", "verify", "--pin", key, "--json")).json()).toMatchObject({
      status: "verified",
      unsigned: 0,
      key,
      faults: [],
    });
    const other = key.replace(/\+[0-9a-f]{8}\+/, "+00000000+");
    expect(await command("log", "verify", "--pin", other)).toMatchObject({ code: 3, stdout: "" });
  });

  it("[L3~] is not content with a log that has lost its signatures, and believes no key from the log (trap 22)", async () => {
    await sample.store.close();
    const key = createFileSigner(signingKeyPath(place.store)).vkey;
    const db = new DatabaseSync(join(place.store, "log.db"));
    db.exec("DELETE FROM checkpoints");
    const pinned = await command("log", "verify", "--pin", key);
    expect(pinned).toMatchObject({ code: 1 });
    expect(pinned.stdout).toMatch(/^not verified: nothing in this log is signed by key/);
    db.prepare("UPDATE parts SET bytes = ? WHERE id = 0").run(Buffer.from('"\u009b2J no key"'));
    db.close();
    const damaged = await command("log", "verify");
    expect(damaged).toMatchObject({ code: 1, stderr: "" });
    expect(damaged.stdout).toContain("entry 0: changed (key)");
  });

  it("[L3~] names the entry that was changed, while another process has the store open", async () => {
    const before = await command("log", "verify", "--json");
    expect(before).toMatchObject({ code: 0 });
    const db = new DatabaseSync(join(place.store, "log.db"), { timeout: 5_000 });
    const changed = db
      .prepare(
        `UPDATE entries SET header = CAST(replace(CAST(header AS TEXT), '"deny"', '"dent"') AS BLOB)
         WHERE CAST(header AS TEXT) LIKE '%"deny"%' RETURNING seq`,
      )
      .get();
    db.close();
    const text = await command("log", "verify");
    expect(text.code).toBe(1);
    expect(text.stdout).toContain(`entry ${changed?.seq}: changed`);
    expect((await command("log", "verify", "--json")).json()).toMatchObject({
      status: "faulty",
      faults: [{ seq: changed?.seq, fault: "changed" }],
    });
  });

  it("lists the last entries", async () => {
    expect((await command("log", "--limit", "2")).stdout).toMatch(/call\.proposed.*\n.*call\.decided\s+deny/);
    const entries = (await command("log", "--json", "--limit", "2")).json().entries;
    expect(entries).toMatchObject([
      { type: "call.proposed", tool: "shell.exec" },
      { type: "call.decided", verdict: "deny" },
    ]);
  });
});
