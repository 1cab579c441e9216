import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample, pendingApproval, type Sample } from "./sample.ts";

const ARGS = {
  amount: 450_000,
  customer: "cus_81",
  metadata: { reason: "duplicate\u202e\u001b[2J" },
  lines: [{ note: "a" }],
};

let place: Place;
let sample: Sample;
beforeEach(() => {
  place = makePlace();
  sample = openSample(place.store);
});
afterEach(async () => {
  await sample.store.close();
  place.remove();
});

function approvals(...args: string[]) {
  return saferun(place, ["approvals", ...args, "--store", place.store]);
}

async function paused() {
  const answer = sample.gate.call(sample.run, { tool: "stripe.refund", args: ARGS }, sample.execute);
  return { answer, id: await pendingApproval(sample.store, "stripe.refund") };
}

describe("saferun approvals", () => {
  it("[A9~] lists and shows what waits, whole, with nothing that a terminal obeys (trap 27)", async () => {
    expect(await approvals("list")).toMatchObject({ code: 0, stdout: "nothing waits for a person\n" });
    const { id, answer } = await paused();
    const list = await approvals();
    expect(list.stdout).toContain(id);
    const shown = await approvals("show", id.slice(0, 14));
    expect(shown.code).toBe(0);
    for (const text of [
      "stripe.refund",
      "450000  ← may be edited",
      "cus_81",
      "refunds over 50.00",
      "support",
      "prod",
    ]) {
      expect(shown.stdout).toContain(text);
    }
    expect(shown.stdout).toContain("duplicate\\u{202e}\\u001b[2J");
    expect(shown.stdout + list.stdout).not.toMatch(/[\u001b\u202e]/);
    expect((await approvals("show", id, "--json")).json()).toMatchObject({
      id,
      version: 1,
      state: "pending",
      tool: "stripe.refund",
      args: ARGS,
      editable: ["amount", "metadata.reason"],
      reasons: [{ id: "refund-large", reason: "refunds over 50.00 need a person" }],
      decision: null,
    });
    await approvals("deny", id);
    expect(await answer).toMatchObject({ status: "denied" });
  });

  it("[A3~] approves as edited: the tool runs once, with exactly the edited arguments", async () => {
    const { id, answer } = await paused();
    const edited = { ...ARGS, amount: 5_000, metadata: { reason: "only the difference" } };
    const approve = await approvals(
      ...["approve", id, "--set", "amount=5000", "--set", "metadata.reason=only the difference"],
      ...["--note", "as agreed", "--json"],
    );
    expect(approve.code).toBe(0);
    expect(approve.json()).toMatchObject({
      answer: "applied",
      approval: {
        decision: {
          verdict: "approve",
          by: expect.stringMatching(/^local:/),
          verified: false,
          edited: true,
          changed: ["amount", "metadata.reason"],
        },
      },
    });
    expect(await answer).toMatchObject({ status: "ran", permit: { edited: true } });
    expect(sample.ran).toEqual([{ tool: "stripe.refund", args: edited }]);
  });

  it("denies: the tool did not run, and the agent is told the note", async () => {
    const { id, answer } = await paused();
    const deny = await approvals("deny", id, "--note", "ask the customer first");
    expect(deny).toMatchObject({ code: 0 });
    expect(deny.stdout).toMatch(/^applied: denied by local:.*, not verified\n$/);
    expect(await answer).toMatchObject({ denial: { reason: "a person denied this call: ask the customer first" } });
    expect(sample.ran).toEqual([]);
  });

  it("gives each of the five answers in words, in JSON and as exit code (trap 15)", async () => {
    const { id, answer } = await paused();
    const stale = await approvals("approve", id, "--version", "7");
    expect(stale).toMatchObject({ code: 1, stdout: expect.stringMatching(/^stale version: /) });
    const locked = await approvals("approve", id, "--set", "customer=cus_99", "--json");
    expect(locked.code).toBe(1);
    expect(locked.json()).toMatchObject({ answer: "not_allowed", message: expect.stringContaining("customer") });
    const applied = await approvals("approve", id);
    expect(applied).toMatchObject({ code: 0, stdout: expect.stringMatching(/^applied: approved by local:/) });
    const second = await approvals("deny", id);
    expect(second).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^already decided by local:.*, not verified: /),
    });
    await answer;

    const quick = sample.gate.call(sample.run, { tool: "mail.send", args: { to: "ann@example.com" } }, sample.execute);
    const other = await pendingApproval(sample.store, "mail.send");
    expect(await quick).toMatchObject({ status: "denied", denial: { status: "expired" } });
    const expired = await approvals("approve", other, "--json");
    expect(expired).toMatchObject({ code: 1 });
    expect(expired.json()).toMatchObject({ answer: "expired", approval: { state: "expired" } });
    expect(sample.ran).toHaveLength(1);
  });

  it("refuses edits that are none, and approvals that are not there", async () => {
    const { id, answer } = await paused();
    const wrong = await approvals("approve", id, "--set", "amount=many");
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("`amount` must be JSON");
    const twice = await approvals("approve", id, "--args", '{"amount":1,"amount":2}');
    expect(twice).toMatchObject({ code: 2, stdout: "" });
    expect(twice.stderr).toContain("the key `amount` twice");
    expect(await approvals("show", "appr_ffffffff")).toMatchObject({ code: 3, stdout: "" });
    expect(await saferun(place, ["approvals", "list"])).toMatchObject({ code: 3 });
    await approvals("deny", id);
    await answer;
    expect(sample.ran).toEqual([]);
  });
});
