import {
  type ApprovalRecord,
  type Approver,
  createSweeper,
  decideApproval,
  JUMP_MS,
  LIMITS,
  resumeApprovals,
  suspendApprovals,
} from "@saferun/core";
import { describe, expect, it } from "vitest";
import { ANN, asking, BOB, CY, LEO, person, portsOf, say, terms } from "./people.ts";
import { asked, decision, type World, world } from "./world.ts";

describe("several people [A10~]", () => {
  it("a call runs once enough distinct people agree, each recorded; until then they are told how many more", async () => {
    const at = asking(terms({ need: 2 }));
    const answer = at.call({ amount: 500 });
    await asked(at);
    expect(await say(at, ANN)).toMatchObject({
      status: "recorded",
      missing: [{ route: "finance", people: 1 }],
      message: "recorded; 1 more with the role `finance` must agree",
    });
    expect(await say(at, ANN)).toMatchObject({ status: "refused", reason: "already-voted" });
    expect(await say(at, person("local:Ann", "finance"))).toMatchObject({ reason: "already-voted" });
    expect(await say(at, LEO)).toMatchObject({ status: "refused", reason: "not-allowed" });
    expect(at.ran).toEqual([]);
    expect(await say(at, BOB)).toMatchObject({ status: "applied", approval: { state: "approved" } });
    expect(await answer).toMatchObject({ status: "ran" });
    expect(at.ran).toEqual([{ amount: 500 }]);
    expect((await at.log()).filter((type) => type.startsWith("approval"))).toEqual([
      "approval.requested",
      "approval.voted",
      "approval.decided",
      "approval.consumed",
    ]);
  });

  it("one no of an allowed person ends it", async () => {
    const at = asking(terms({ need: 2 }));
    const answer = at.call({ amount: 500 });
    await asked(at);
    await say(at, ANN);
    expect(await say(at, LEO, { verdict: "deny" })).toMatchObject({ reason: "not-allowed" });
    expect(await say(at, BOB, { verdict: "deny" })).toMatchObject({ status: "applied" });
    expect(await say(at, CY)).toMatchObject({ reason: "already-decided" });
    expect((await answer).status).toBe("denied");
    expect(at.ran).toEqual([]);
  });

  it("an edit begins anew, its editor does not count on it, and a card from before it is stale (trap 14)", async () => {
    const at = asking(terms({ need: 2 }));
    const answer = at.call({ amount: 500 });
    const { version } = await asked(at);
    await say(at, ANN);
    expect(await say(at, BOB, { args: { amount: 450 } })).toMatchObject({ missing: [{ people: 2 }] });
    expect(await say(at, CY, { version })).toMatchObject({ reason: "stale-version" });
    expect(await say(at, BOB)).toMatchObject({ reason: "already-voted" });
    expect(await say(at, CY)).toMatchObject({ status: "recorded" });
    expect(await say(at, ANN)).toMatchObject({ status: "applied", approval: { decision: { edited: true } } });
    expect(await answer).toMatchObject({ status: "ran", permit: { edited: true } });
    expect(at.ran).toEqual([{ amount: 450 }]);
  });

  it("people are told again when what they are asked has changed", async () => {
    const at = asking(terms({ need: 2 }));
    const answer = at.call({ amount: 500 });
    await asked(at);
    await say(at, BOB, { args: { amount: 450 } });
    expect(await asked(at, 2)).toMatchObject({ edit: { bytes: '{"amount":450}', by: { id: "bob" } } });
    await say(at, ANN, { verdict: "deny" });
    await answer;
  });

  it("every reason's route has to be satisfied; the shortest time and only what all let be edited", async () => {
    const at = asking(
      terms({ need: 1, withinMs: 9_000 }),
      terms({ route: "legal", roles: ["legal"], withinMs: 5_000, editable: [] }),
    );
    const answer = at.call({ amount: 500 });
    const approval = await asked(at);
    expect(approval.deadline - approval.createdAt).toBe(5_000);
    expect(await say(at, ANN, { args: { amount: 1 } })).toMatchObject({ reason: "not-editable" });
    expect(await say(at, ANN)).toMatchObject({ status: "recorded", missing: [{ route: "legal" }] });
    expect(await say(at, LEO)).toMatchObject({ status: "applied" });
    expect((await answer).status).toBe("ran");
  });

  it("votes at the same moment all count, and it runs once", async () => {
    const at = asking(terms({ need: 3 }));
    const answer = at.call({ amount: 500 });
    await asked(at);
    const said = await Promise.all([ANN, BOB, CY].map((by) => say(at, by)));
    expect(said.map(({ status }) => status).sort()).toEqual(["applied", "recorded", "recorded"]);
    expect((await answer).status).toBe("ran");
    expect(at.ran).toHaveLength(1);
  });

  it("nobody approves their own agent's call where the policy says so", async () => {
    const at = asking(terms({ not: ["requester"] }));
    const principal = { id: "ann", kind: "person", roles: [], labels: {} } as const;
    const run = at.gate.openRun({ agent: "bot", environment: "prod", principal, owner: "local:bob" });
    const answer = at.gate.call(run, { tool: "refund", args: {} }, () => at.ran.push({}));
    await asked(at);
    for (const by of [ANN, BOB, person("local:ann", "finance"), person("BOB", "finance")])
      expect(await say(at, by)).toMatchObject({ reason: "not-allowed" });
    expect(at.ran).toEqual([]);
    expect(await say(at, CY)).toMatchObject({ status: "applied" });
    expect((await answer).status).toBe("ran");
  });
});

describe("a clock that goes back", () => {
  it("by more than five minutes makes an approval that was given before worth nothing, and it is asked again", async () => {
    const at = asking(terms({ withinMs: 10_000_000 }));
    const first = await abandoned(at);
    await say(at, ANN);
    at.clock.time -= JUMP_MS + 1;
    expect(await at.call({ amount: 500 }, { key: "k", maxWaitMs: 0 })).toMatchObject({ denial: { status: "pending" } });
    expect(at.ran).toEqual([]);
    expect(await say(at, BOB, { version: first.version })).toMatchObject({ reason: "stale-version" });
    // The clock stays where it is: what is approved by it now holds.
    expect(await say(at, BOB)).toMatchObject({ status: "applied" });
    expect(await at.call({ amount: 500 }, { key: "k", maxWaitMs: 0 })).toMatchObject({ status: "ran" });
    expect(at.ran).toHaveLength(1);
  });

  it("by less does not make an approval valid for longer than that", async () => {
    const at = asking(terms({ withinMs: 10_000_000 }));
    await abandoned(at);
    await say(at, ANN);
    at.clock.time += LIMITS.approvalValidMs;
    // Anything that is recorded at its end keeps the time.
    await at.store.commit({ entries: [{ type: "call.lost" }] });
    at.clock.time -= 60_000;
    expect(await at.call({ amount: 500 }, { key: "k", maxWaitMs: 0 })).toMatchObject({ denial: { status: "expired" } });
    expect(at.ran).toEqual([]);
  });
});

/** A question that nobody in this process waits for any more, as after a crash. */
async function abandoned(at: World): Promise<ApprovalRecord> {
  const answer = await at.call({ amount: 500 }, { key: "k", maxWaitMs: 0 });
  expect(answer).toMatchObject({ denial: { status: "pending" } });
  return asked(at);
}

/** The places of later levels that messages of the outbox go to. */
async function outgoing(at: World): Promise<string[]> {
  const rows = await at.store.rows({ kind: "outbox", limit: 99 });
  return rows.flatMap((row) => JSON.stringify(row).match(/pagerduty:payments|email:cfo@example\.com/) ?? []).sort();
}

describe("time, when whoever waited is gone (trap 17)", () => {
  it("silence denies at the stored deadline, whichever process looks, and once", async () => {
    const at = asking(terms({ withinMs: 60_000 }));
    const { id, deadline } = await abandoned(at);
    const sweepers = [createSweeper(portsOf(at)), createSweeper(portsOf(at))];
    at.clock.time = deadline - 1;
    expect((await sweepers[0]?.step())?.expired).toEqual([]);
    at.clock.time = deadline;
    const swept = await Promise.all(sweepers.map((sweeper) => sweeper.step()));
    expect(swept.flatMap(({ expired }) => expired)).toEqual([id]);
    expect((await at.log()).filter((type) => type === "approval.expired")).toHaveLength(1);
    expect(await say(at, ANN)).toMatchObject({ reason: "expired" });
    expect(await at.call({ amount: 500 }, { key: "k" })).toMatchObject({ denial: { status: "expired" } });
    expect(at.ran).toEqual([]);
  });

  it("writes down once that the people of each later level are asked, also when two processes look", async () => {
    const after = [
      { afterMs: 10_000, to: ["pagerduty:payments"] },
      { afterMs: 20_000, to: ["email:cfo@example.com"] },
    ];
    const at = asking(terms({ after }), terms({ route: "legal", roles: ["legal"] }));
    const { id, createdAt } = await abandoned(at);
    const sweepers = [createSweeper(portsOf(at)), createSweeper(portsOf(at))];
    const sweep = async () =>
      (await Promise.all(sweepers.map((sweeper) => sweeper.step()))).flatMap(({ escalated }) => escalated);
    at.clock.time = createdAt + 9_999;
    expect(await sweep()).toEqual([]);
    expect(await outgoing(at)).toEqual([]);
    at.clock.time = createdAt + 10_000;
    expect(await sweep()).toEqual([id]);
    expect(await outgoing(at)).toEqual(["pagerduty:payments"]);
    at.clock.time = createdAt + 45_000;
    expect(await sweep()).toEqual([id]);
    expect(await sweep()).toEqual([]);
    expect(await outgoing(at)).toEqual(["email:cfo@example.com", "pagerduty:payments"]);
    expect((await at.log()).filter((type) => type === "approval.escalated")).toHaveLength(2);
    // It is the same question: whoever was asked first may still answer.
    expect(await say(at, ANN)).toMatchObject({ status: "recorded" });
  });
});

describe("suspended questions", () => {
  it("cannot be approved, keep their deadline, and are asked again", async () => {
    const at = asking(terms({ need: 2, withinMs: 100_000 }));
    const answer = at.call({ amount: 500 });
    const first = await asked(at);
    await say(at, ANN);
    expect(await suspendApprovals(portsOf(at), { why: "stop" })).toEqual([first.id]);
    expect(await say(at, BOB)).toMatchObject({ reason: "suspended" });
    expect(await resumeApprovals(portsOf(at), { why: "lifted" })).toEqual([first.id]);
    const again = await asked(at, 2);
    expect(again).toMatchObject({ id: first.id, deadline: first.deadline, state: "pending" });
    expect(await say(at, BOB, { version: first.version })).toMatchObject({ reason: "stale-version" });
    expect(await say(at, BOB)).toMatchObject({ status: "recorded" });
    expect(at.ran).toEqual([]);
    expect(await say(at, ANN)).toMatchObject({ status: "applied" });
    expect((await answer).status).toBe("ran");
    expect(at.ran).toHaveLength(1);
  });

  it("an approval that was not used yet permits nothing any more", async () => {
    const at = asking(terms({}));
    await abandoned(at);
    await say(at, ANN);
    await suspendApprovals(portsOf(at), { why: "stop" });
    expect(await at.call({ amount: 500 }, { key: "k", maxWaitMs: 0 })).toMatchObject({ denial: { status: "pending" } });
    expect(at.ran).toEqual([]);
  });

  it("may be denied, and expire", async () => {
    const at = asking(terms({}));
    const { deadline } = await abandoned(at);
    await suspendApprovals(portsOf(at), { why: "stop" });
    at.clock.time = deadline;
    expect((await createSweeper(portsOf(at)).step()).expired).toHaveLength(1);
    const other = asking(terms({}));
    await abandoned(other);
    await suspendApprovals(portsOf(other), { why: "stop" });
    expect(await say(other, ANN, { verdict: "deny" })).toMatchObject({ status: "applied" });
  });
});

describe("a pending answer", () => {
  it("[A12] says what it waits for; asked again after approval it runs exactly once", async () => {
    const at = asking(terms({}));
    const call = () => at.call({ amount: 500 }, { key: "k", maxWaitMs: 200 });
    const first = await call();
    const { id } = await asked(at);
    expect(first).toMatchObject({
      denial: { status: "pending", approval: id, retry: true, reason: `the call waits for a person (pending ${id})` },
    });
    expect(await call()).toMatchObject({ denial: { status: "pending", approval: id } });
    expect(at.paused).toHaveLength(1);
    await say(at, ANN);
    expect(at.ran).toEqual([]);
    const answers = await Promise.all([call(), call(), call()]);
    expect(answers.map(({ status }) => status).sort()).toEqual(["denied", "denied", "ran"]);
    expect(at.ran).toEqual([{ amount: 500 }]);
  });

  it("with other arguments is refused, and after a denial it never runs", async () => {
    const at = asking(terms({}));
    await abandoned(at);
    expect(await at.call({ amount: 501 }, { key: "k", maxWaitMs: 0 })).toMatchObject({
      denial: { rules: ["call.mismatch"] },
    });
    await say(at, ANN, { verdict: "deny" });
    expect(await at.call({ amount: 500 }, { key: "k", maxWaitMs: 0 })).toMatchObject({
      denial: { status: "denied", reason: "a person denied this call" },
    });
    expect(at.ran).toEqual([]);
  });

  it("as many as people can answer may be open in one run; the next one is denied", async () => {
    const at = asking(terms({}));
    const call = (index: number, run = at.run) =>
      at.gate.call(run, { tool: "refund", args: { index }, key: `k${index}`, maxWaitMs: 0 }, () => at.ran.push({}));
    for (let index = 0; index < LIMITS.waitingCalls; index++) await call(index);
    expect(await call(-1)).toMatchObject({ denial: { status: "denied", rules: ["approval.waiting"] } });
    expect(await call(0)).toMatchObject({ denial: { status: "pending" } });
    const other = at.gate.openRun({ agent: "bot", environment: "prod" });
    expect(await call(-2, other)).toMatchObject({ denial: { status: "pending" } });
    // One that is decided makes room.
    await decideApproval(portsOf(at), { approval: at.paused[0]?.id ?? "", verdict: "deny", by: ANN });
    await call(0);
    expect(await call(-3)).toMatchObject({ denial: { status: "pending" } });
    expect(at.ran).toEqual([]);
  });
});

describe("calls at the same moment", () => {
  it("share what may wait: none finds room that another has taken", async () => {
    const at = asking(terms({}));
    const calls = Array.from({ length: LIMITS.waitingCalls + 40 }, (_, index) =>
      at.gate.call(at.run, { tool: "refund", args: { index }, maxWaitMs: 0 }, () => at.ran.push({})),
    );
    const answers = await Promise.all(calls);
    const told = answers.map((answer) => (answer.status === "denied" ? answer.denial.status : answer.status));
    expect(told.filter((status) => status === "pending")).toHaveLength(LIMITS.waitingCalls);
    expect(told.filter((status) => status === "denied")).toHaveLength(40);
    expect(at.paused).toHaveLength(LIMITS.waitingCalls);
    expect(at.ran).toEqual([]);
  });

  it("that are not written take no room", async () => {
    const { store } = asking(terms({}));
    let full = true;
    const failing = new Proxy(store, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (key === "commit" && full) return () => Promise.reject(new Error("no space left"));
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const pauses = [{ id: "r0", digest: "d0", reason: "ask", approval: terms({}) }];
    const at = world({ store: failing, judge: () => decision("pause", "r0", { pauses }) });
    const call = (index: number) => at.call({ index }, { maxWaitMs: 0 });
    for (let index = 0; index < LIMITS.waitingCalls; index++)
      expect(await call(index)).toMatchObject({ denial: { status: "unavailable" } });
    full = false;
    expect(await call(-1)).toMatchObject({ denial: { status: "pending" } });
  });
});

describe("whole promises", () => {
  it("[A10] a route: its roles, two of them, nobody for their own agent, the next level, and silence", async () => {
    const after = [{ afterMs: 10_000, to: ["pagerduty:payments"] }];
    const at = asking(terms({ need: 2, not: ["requester"], after, withinMs: 60_000 }));
    const run = at.gate.openRun({ agent: "bot", environment: "prod", owner: "cy" });
    const ask = (order: number) =>
      at.gate.call(run, { tool: "refund", args: { order }, key: `k${order}`, maxWaitMs: 0 }, () =>
        at.ran.push({ order }),
      );
    await ask(1);
    await ask(2);
    const [first, second] = [await asked(at, 1), await asked(at, 2)];
    const yes = (by: Approver) =>
      decideApproval(portsOf(at), { approval: first.id, verdict: "approve", by }).then((answer) =>
        answer.status === "refused" ? answer.reason : answer.status,
      );
    expect(await yes(LEO)).toBe("not-allowed");
    expect(await yes(CY)).toBe("not-allowed");
    expect(await yes(ANN)).toBe("recorded");
    expect((await ask(1)).status).toBe("denied");
    const sweeper = createSweeper(portsOf(at));
    at.clock.time = Math.max(first.createdAt, second.createdAt) + 10_000;
    await sweeper.step();
    await sweeper.step();
    expect(await outgoing(at)).toEqual(["pagerduty:payments", "pagerduty:payments"]);
    expect(await yes(BOB)).toBe("applied");
    expect((await ask(1)).status).toBe("ran");
    at.clock.time = second.deadline;
    expect((await sweeper.step()).expired).toEqual([second.id]);
    expect(await ask(2)).toMatchObject({ denial: { status: "expired" } });
    expect(at.ran).toEqual([{ order: 1 }]);
  });

  it("[A11] the same recipient, for a while, up to an amount; and a denial stays", async () => {
    const at = asking(terms({ grantable: true }));
    const pay = (amount: number, to: string) =>
      at.gate.call(at.run, { tool: "refund", args: { amount, to }, maxWaitMs: 0 }, () => at.ran.push({ amount, to }));
    await pay(80, "ann");
    const grant = { same: ["to"], forMs: 600_000, count: 9, sum: { path: "amount", most: 50 } };
    await decideApproval(portsOf(at), { approval: (await asked(at)).id, verdict: "approve", by: ANN, grant });
    expect((await pay(30, "ann")).status).toBe("ran");
    expect(await pay(30, "ann")).toMatchObject({ denial: { status: "pending" } });
    expect(await pay(10, "eve")).toMatchObject({ denial: { status: "pending" } });
    await say(at, BOB, { verdict: "deny" });
    expect(await pay(10, "eve")).toMatchObject({ denial: { rules: [`sticky:${at.paused.at(-1)?.id}`] } });
    at.clock.time += 600_000;
    expect(await pay(10, "ann")).toMatchObject({ denial: { status: "pending" } });
    expect(at.ran).toEqual([{ amount: 30, to: "ann" }]);
  });
});
