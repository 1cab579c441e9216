import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample, POLICY, pendingApproval, type Sample } from "./sample.ts";

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
  it("says that the process which asked has ended, since then an answer makes nothing run", async () => {
    const { id, answer } = await paused();
    answer.catch(() => {});
    expect((await approvals("show", id)).stderr).toBe("");
    await sample.store.close();
    expect((await approvals("show", id)).stderr).toContain("the process that asked has ended");
    const applied = await approvals("approve", id);
    expect(applied).toMatchObject({ code: 0, stderr: expect.stringContaining("a run of the same id") });
    expect(sample.ran).toEqual([]);
  });

  it("says of an id that is too short to mean one that it is too short", async () => {
    const { id } = await paused();
    const short = await approvals("show", id.slice(0, 9));
    expect(short).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("give six characters of its start or end at least"),
    });
  });

  it("[A9~] lists and shows what waits, whole, with nothing that a terminal obeys (trap 27)", async () => {
    expect(await approvals("list")).toMatchObject({ code: 0, stdout: "nothing waits for a person\n" });
    const { id, answer } = await paused();
    const list = await approvals();
    const [short = ""] = /appr_…[0-9a-f]{6}/.exec(list.stdout) ?? [];
    expect(short).toBe(`appr_…${id.slice(-6)}`);
    const shown = await approvals("show", short);
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining(id) });
    for (const text of [
      "stripe.refund",
      "$4,500.00 (450000)  ← may be edited",
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

  it("[L6~] a key in somebody's note is in no file of the store: commands mask as the gate does", async () => {
    const key = "AKIAIOSFODNN7EXAMPLE";
    const { id, answer } = await paused();
    expect((await approvals("deny", id, "--note", `not while ${key} is valid`)).code).toBe(0);
    expect(await answer).toMatchObject({ status: "denied" });
    await sample.store.close();
    const holding = readdirSync(place.store).filter((name) => readFileSync(join(place.store, name)).includes(key));
    expect(holding).toEqual([]);
    expect((await approvals("show", id)).stdout).toContain("not while [redacted] is valid");
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

  it("[A3~] says at once that the policies of this directory would not let the edited call run, and decides nothing", async () => {
    writeFileSync(join(place.cwd, "policies.yaml"), POLICY);
    const { id, answer } = await paused();
    const over = await approvals("approve", id, "--set", "amount=2000000", "--json");
    expect(over.code).toBe(1);
    expect(over.json()).toMatchObject({
      answer: "not_allowed",
      message: expect.stringContaining(
        "the policies deny the edited call, by unmatched:prod: No rule permits this call.",
      ),
      approval: { state: "pending", version: 1 },
    });
    // Policies that the call was not judged by have no say.
    const other = POLICY.replace("args.amount < 1000000", "args.amount < 1000");
    writeFileSync(join(place.cwd, "policies.yaml"), other);
    expect(await approvals("approve", id, "--set", "amount=600000")).toMatchObject({ code: 0 });
    expect(await answer).toMatchObject({ status: "ran", permit: { edited: true } });
  });

  it("denies: the tool did not run, and the agent is told the note", async () => {
    const { id, answer } = await paused();
    const deny = await approvals("deny", id, "--note", "ask the customer first");
    expect(deny).toMatchObject({ code: 0 });
    expect(deny.stdout).toMatch(/^applied: denied by local:.* via cli \(not verified\)\n$/);
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
      stdout: expect.stringMatching(/^already decided by local:.* via cli \(not verified\): /),
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
    expect(wrong.stderr).toMatch(/`amount`: .* it must be JSON/);
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

// Each command is a process of its own: a bound against a hang on a busy machine, not an expectation.
describe("several calls in one view", { timeout: 180_000 }, () => {
  const call = (amount: number) =>
    sample.gate.call(sample.run, { tool: "stripe.refund", args: { ...ARGS, amount } }, sample.execute);

  it("[A13] are shown whole and answered together, each bound on its own", async () => {
    const answers = [call(10_001), call(10_002), call(10_003)];
    const ids: string[] = [];
    while (ids.length < 3) {
      ids.splice(0, 3, ...(await sample.store.approvals({ state: "pending", limit: 9 })).map(({ id }) => id));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const [first = "", second = "", third = ""] = ids;
    const shown = await approvals("decide", first, second);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain(first);
    expect(shown.stdout).toContain(second);
    expect(shown.stdout.match(/amount {4}\$100\.0[123] \(1000[123]\)/g)).toHaveLength(2);
    expect((await approvals("show", first, "--json")).json()).toMatchObject({ state: "pending" });
    // One of them is decided meanwhile: it is refused alone, and decides nothing about the others.
    await approvals("deny", first);
    const decided = await approvals("decide", first, second, "--approve", "--json");
    expect(decided.code).toBe(1);
    expect((decided.json() as { answers: { answer: string }[] }).answers.map(({ answer }) => answer)).toEqual([
      "already_decided",
      "applied",
    ]);
    expect((await approvals("show", third, "--json")).json()).toMatchObject({ state: "pending" });
    const rest = await approvals("decide", "--all-of-run", sample.run.id, "--deny", "--note", "stop here");
    expect(rest).toMatchObject({ code: 0, stdout: expect.stringContaining(third) });
    expect((await Promise.all(answers)).filter(({ status }) => status === "ran")).toHaveLength(1);
  });

  it("says what it needs, and what is not there", async () => {
    expect((await approvals("decide")).code).not.toBe(0);
    expect((await approvals("decide", "--all-of-run", "run_none", "--approve")).stderr).toContain(
      "nothing waits in run",
    );
    expect((await approvals("decide", "appr_00000000", "--approve", "--deny")).stderr).toContain("not both");
  });

  it("a denial is lifted with a reason, once", async () => {
    const { answer, id } = await paused();
    await approvals("deny", id);
    await answer;
    expect((await approvals("lift", id, "--note", " ")).code).not.toBe(0);
    expect(await approvals("lift", id, "--note", "a mistake")).toMatchObject({ code: 0 });
    expect(await approvals("lift", id, "--note", "a mistake")).toMatchObject({ code: 1 });
    expect(await approvals("revoke", id, "--note", "x")).toMatchObject({ code: 1 });
  });
});

describe("a grant from the terminal", { timeout: 180_000 }, () => {
  const GRANTABLE = POLICY.replace(
    "stripe.refund: { kind: destructive }",
    "stripe.refund: { kind: destructive, recipients: [customer] }",
  ).replace("editable: [args.amount, args.metadata.reason] }", "editable: [args.amount], grantable: true }");
  const refund = (amount: number, customer = "cus_81") =>
    sample.gate.call(sample.run, { tool: "stripe.refund", args: { amount, customer }, maxWaitMs: 0 }, sample.execute);

  it("[A11~] lets the like run without a question, is listed with what is used, and is revoked", async () => {
    expect(GRANTABLE).toContain("grantable");
    await sample.store.close();
    sample = openSample(place.store, undefined, GRANTABLE);
    expect(await refund(6_000)).toMatchObject({ denial: { status: "pending" } });
    const id = await pendingApproval(sample.store, "stripe.refund");
    const wide = await approvals("approve", id, "--grant", "for=1h count=2 same=none");
    expect(wide).toMatchObject({ code: 2, stderr: expect.stringContaining("`same=none` is no part of a grant") });
    const given = await approvals("decide", id, "--approve", "--grant", "for=1h count=2 most=20000");
    expect(given).toMatchObject({ code: 0, stdout: expect.stringContaining("permitted too: up to 2 more calls") });
    expect((await refund(7_000)).status).toBe("ran");
    expect(await refund(13_001)).toMatchObject({ denial: { status: "pending" } });
    expect(await refund(6_000, "cus_99")).toMatchObject({ denial: { status: "pending" } });
    expect((await approvals("grants", "--json")).json()).toMatchObject({
      grants: [
        {
          ...{ approval: id, tool: "stripe.refund", same: { customer: "cus_81" }, calls: { used: 1, of: 2 } },
          sum: { path: "amount", used: 7_000, of: 20_000 },
        },
      ],
    });
    expect(await approvals("revoke", id, "--note", "no more")).toMatchObject({ code: 0 });
    expect((await approvals("grants")).stdout).toBe("nothing is permitted beside single calls\n");
    expect(await refund(6_001)).toMatchObject({ denial: { status: "pending" } });
    expect(sample.ran).toEqual([{ tool: "stripe.refund", args: { amount: 7_000, customer: "cus_81" } }]);
  });
});
