import {
  type Approver,
  decideApproval,
  type GrantTerms,
  type JsonObject,
  liftDenial,
  revokeGrant,
} from "@saferun/core";
import { describe, expect, it } from "vitest";
import { ANN, asking, BOB, portsOf, say, terms } from "./people.ts";
import { asked, decision, headerOf, type World, world } from "./world.ts";

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
