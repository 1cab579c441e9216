import {
  type ApprovalRecord,
  type Approver,
  createSweeper,
  decideApproval,
  type GrantTerms,
  type JsonObject,
  JUMP_MS,
  LIMITS,
  liftDenial,
  type PauseReason,
  resumeApprovals,
  revokeGrant,
  suspendApprovals,
} from "@saferun/core";
import { nodeHash, nodeRandom } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { asked, decision, headerOf, type World, world } from "./world.ts";

type Terms = PauseReason["approval"];

const terms = (change: Partial<Terms>): Terms => ({
  route: "finance",
  to: ["cli"],
  roles: ["finance"],
  need: 1,
  withinMs: 60_000,
  show: [],
  editable: ["amount"],
  ...change,
});
const person = (id: string, ...roles: string[]): Approver => ({ id, via: "test", verified: true, roles });
const ANN = person("ann", "finance");
const BOB = person("bob", "finance");
const CY = person("cy", "finance");
const LEO = person("leo", "legal");

/** Every call asks these routes. */
function asking(...routes: readonly Terms[]): World {
  const pauses = routes.map((approval, index) => ({ id: `r${index}`, digest: `d${index}`, reason: "ask", approval }));
  return world({ judge: () => decision("pause", "r0", { pauses }) });
}

const portsOf = ({ store, clock }: World) => ({ store, clock, hash: nodeHash, random: nodeRandom });

interface Said {
  readonly verdict?: "approve" | "deny";
  readonly args?: JsonObject;
  readonly version?: number;
}

const say = (at: World, by: Approver, { verdict = "approve", ...more }: Said = {}) =>
  decideApproval(portsOf(at), { approval: at.paused.at(-1)?.id ?? "", verdict, by, ...more });

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

describe("what a person has denied", () => {
  const twice = async (at: World, args: JsonObject, run = at.run) =>
    at.gate.call(run, { tool: "refund", args, maxWaitMs: 0 }, () => at.ran.push(args));
  const person1 = { id: "user-1", kind: "person", roles: [], labels: {} } as const;

  it("stays denied: the same tool and arguments, in the run and for its principal for a day (trap 27)", async () => {
    const at = asking(terms({}));
    const run = at.gate.openRun({ agent: "bot", environment: "prod", principal: person1 });
    await twice(at, { order: 7 }, run);
    const { id } = await asked(at);
    await decideApproval(portsOf(at), { approval: id, verdict: "deny", by: ANN, note: "not theirs" });
    const again = {
      denial: { status: "denied", rules: [`sticky:${id}`], reason: "a person denied this call before: not theirs" },
    };
    expect(await twice(at, { order: 7 }, run)).toMatchObject(again);
    const later = at.gate.openRun({ agent: "other", environment: "prod", principal: person1 });
    expect(await twice(at, { order: 7 }, later)).toMatchObject(again);
    // Another call, and another person's, are asked about.
    expect(await twice(at, { order: 8 }, run)).toMatchObject({ denial: { status: "pending" } });
    const stranger = at.gate.openRun({ agent: "bot", environment: "prod" });
    expect(await twice(at, { order: 7 }, stranger)).toMatchObject({ denial: { status: "pending" } });
    at.clock.time += 86_400_000;
    const tomorrow = at.gate.openRun({ agent: "bot", environment: "prod", principal: person1 });
    expect(await twice(at, { order: 7 }, tomorrow)).toMatchObject({ denial: { status: "pending" } });
    expect(await twice(at, { order: 7 }, run)).toMatchObject(again);
    expect(at.ran).toEqual([]);
  });

  it("a person may lift it, on record; a rule's denial is never kept", async () => {
    const at = asking(terms({}));
    await twice(at, { order: 7 });
    const { id } = await asked(at);
    await decideApproval(portsOf(at), { approval: id, verdict: "deny", by: ANN });
    expect(await liftDenial(portsOf(at), id, { by: BOB, why: "a mistake" })).toBe(true);
    expect(await liftDenial(portsOf(at), id, { by: BOB, why: "a mistake" })).toBe(false);
    expect(await twice(at, { order: 7 })).toMatchObject({ denial: { status: "pending" } });
    expect((await at.log()).filter((type) => type === "denial.lifted")).toHaveLength(1);
    let strict = true;
    const ruled = world({ judge: () => decision(strict ? "deny" : "allow") });
    await ruled.call({ order: 7 });
    strict = false;
    expect((await ruled.call({ order: 7 })).status).toBe("ran");
  });
});

describe("a grant", () => {
  const grant = { same: ["to"], forMs: 600_000, count: 2, sum: { path: "amount", most: 100 } } as const;
  const mayGrant = terms({ grantable: true });
  const call = (at: World, amount: number, to = "ann", run = at.run) =>
    at.gate.call(run, { tool: "refund", args: { amount, to }, maxWaitMs: 0 }, () => at.ran.push({ amount, to }));
  const PENDING = { denial: { status: "pending" } };

  /** The first call is asked about, and approved with the grant. */
  async function given(at: World, by: readonly Approver[] = [ANN], more: Partial<GrantTerms> = {}): Promise<string> {
    expect(await call(at, 500)).toMatchObject(PENDING);
    const { id } = await asked(at);
    for (const one of by)
      await decideApproval(portsOf(at), { approval: id, verdict: "approve", by: one, grant: { ...grant, ...more } });
    return id;
  }

  it("permits the like without a question: so many calls, so much, the same recipient, in this run", async () => {
    const at = asking(mayGrant);
    const id = await given(at);
    expect(await call(at, 101)).toMatchObject(PENDING);
    expect(await call(at, 10, "eve")).toMatchObject(PENDING);
    expect(await call(at, 0.5)).toMatchObject(PENDING);
    expect(await call(at, 10, "ann", at.gate.openRun({ agent: "bot", environment: "prod" }))).toMatchObject(PENDING);
    expect((await call(at, 60)).status).toBe("ran");
    // 40 are left of the sum, one call of the count.
    expect(await call(at, 41)).toMatchObject(PENDING);
    expect((await call(at, 40)).status).toBe("ran");
    expect(await call(at, 0)).toMatchObject(PENDING);
    expect(at.ran).toEqual([
      { amount: 60, to: "ann" },
      { amount: 40, to: "ann" },
    ]);
    const decisions = await at.store.entries({ from: 0, limit: 1_000 });
    expect(decisions.filter((entry) => JSON.stringify(headerOf(entry)).includes(`grant:${id}`))).toHaveLength(2);
  });

  it("is not used up twice by calls at the same moment", async () => {
    const at = asking(mayGrant);
    await given(at, [ANN], { count: 3, sum: { path: "amount", most: 1_000 } });
    await Promise.all(Array.from({ length: 8 }, (_, index) => call(at, index + 1)));
    expect(at.ran.length).toBeLessThanOrEqual(3);
    expect(at.ran.length).toBeGreaterThan(0);
  });

  it("ends when its time is over, when it is revoked, and when the rule changes", async () => {
    const over = asking(mayGrant);
    await given(over);
    over.clock.time += grant.forMs;
    expect(await call(over, 10)).toMatchObject(PENDING);
    const revoked = asking(mayGrant);
    expect(await revokeGrant(portsOf(revoked), await given(revoked), { by: BOB, why: "no more" })).toBe(true);
    expect(await call(revoked, 10)).toMatchObject(PENDING);
    let digest = "d0";
    const changed = world({
      judge: () => decision("pause", "r0", { pauses: [{ id: "r0", digest, reason: "", approval: mayGrant }] }),
    });
    await given(changed);
    digest = "d1";
    expect(await call(changed, 10)).toMatchObject(PENDING);
    expect([...over.ran, ...revoked.ran, ...changed.ran]).toEqual([]);
  });

  it("answers only reasons that its approvers saw, and never a denial", async () => {
    let judged = decision("pause", "r0", { pauses: [{ id: "r0", digest: "d0", reason: "", approval: mayGrant }] });
    const at = world({ judge: () => judged });
    await given(at);
    const other = { id: "r1", digest: "d1", reason: "", approval: mayGrant };
    judged = decision("pause", "r0", { pauses: [...judged.pauses, other] });
    expect(await call(at, 10)).toMatchObject(PENDING);
    judged = decision("deny");
    expect(await call(at, 10)).toMatchObject({ denial: { rules: ["deny"] } });
    expect(at.ran).toEqual([]);
  });

  it("needs a rule that says so, and everybody who agrees to the call", async () => {
    const fixed = asking(terms({}));
    await call(fixed, 500);
    const { id } = await asked(fixed);
    expect(await decideApproval(portsOf(fixed), { approval: id, verdict: "approve", by: ANN, grant })).toMatchObject({
      status: "refused",
      reason: "not-grantable",
    });
    const two = asking(terms({ grantable: true, need: 2 }));
    await call(two, 500);
    await say(two, ANN);
    await decideApproval(portsOf(two), { approval: two.paused[0]?.id ?? "", verdict: "approve", by: BOB, grant });
    expect(await call(two, 10)).toMatchObject(PENDING);
    const both = asking(terms({ grantable: true, need: 2 }));
    await given(both, [ANN, BOB]);
    expect((await call(both, 10)).status).toBe("ran");
  });

  it.each([
    { forMs: 90_000_000 },
    { count: 0 },
    { count: 1.5 },
    { same: ["__proto__ x"] },
    { sum: { path: "amount", most: -1 } },
  ])("%j is refused", async (more) => {
    const at = asking(mayGrant);
    await call(at, 500);
    const { id } = await asked(at);
    const request = { approval: id, verdict: "approve", by: ANN, grant: { ...grant, ...more } } as const;
    expect(await decideApproval(portsOf(at), request)).toMatchObject({ reason: "not-grantable" });
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
