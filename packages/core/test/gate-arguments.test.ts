/** What the policies make of arguments, counted at the tool: exactly that runs, or nothing does. */
import type { Decision, JsonObject, PolicySet, StoredEntry } from "@saferun/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policiesOf } from "../src/policy/testing/judging.ts";
import { asked, decision, headerOf, type World, world } from "./world.ts";

const SCHEMA = {
  type: "object",
  properties: {
    amount: { type: "integer", minimum: 1, maximum: 1_000 },
    customer: { type: "string" },
    note: { type: "string" },
  },
  required: ["amount", "customer"],
};
const CONTEXT = { customer: "cus_host" };

function policies(rules: readonly JsonObject[], tool: JsonObject = {}): PolicySet {
  const refund = { kind: "write", schema: SCHEMA, bind: { customer: "context.customer" }, ...tool };
  return policiesOf({ context: { customer: "string" }, tools: { refund }, rules });
}

const ALLOW = { id: "allow", tool: "refund", then: "allow" };
const CLAMP = { ...ALLOW, id: "clamp", change: { clamp: "args.amount", max: 100 } };
const PAUSE = {
  id: "pause",
  tool: "refund",
  when: "args.amount > 10",
  then: "pause",
  approval: { editable: ["amount", "note"] },
};

function at(rules: readonly JsonObject[], context: JsonObject = CONTEXT, tool: JsonObject = {}): World {
  const set = policies(rules, tool);
  return world({ policies: () => set, context });
}

/** The content of a part of the first entry of this type. */
async function part(where: World, type: string, name: string): Promise<unknown> {
  const entries = await where.store.entries({ from: 0, limit: 1_000 });
  const entry: StoredEntry | undefined = entries.find((one) => headerOf(one).type === type);
  const found = entry?.parts.find((one) => one.name === name)?.bytes;
  return found === undefined || found === null ? undefined : JSON.parse(new TextDecoder().decode(found));
}

describe("changed arguments", () => {
  it("[P7~] a clamp runs exactly the clamped arguments; what the agent wrote stands in the log beside them", async () => {
    const where = at([CLAMP]);
    const answer = await where.call({ amount: 500, note: "x" });
    const ran = { amount: 100, note: "x", customer: "cus_host" };
    const told = { amount: 100, note: "x" };
    expect(answer).toMatchObject({ status: "ran", permit: { args: ran, told, changed: true, edited: false } });
    expect(where.ran).toEqual([ran]);
    expect(await part(where, "call.proposed", "arguments")).toEqual({ amount: 500, note: "x" });
    expect(await part(where, "call.decided", "decision")).toMatchObject({
      decision: { changed: { args: ran, paths: ["amount", "customer"] } },
    });
  });

  it("[P7] clamp, drop, set and redact run as judged again; no change turns a deny or a pause into an allow", async () => {
    const schema = {
      ...SCHEMA,
      properties: { ...SCHEMA.properties, cc: { type: "string" }, ticket: { type: "string" } },
    };
    const changes = [
      { redact: "args.note", kinds: ["card", "iban", "secret"], match: 'r"ssn [0-9]+"' },
      { set: "args.ticket", to: "call.kind + ' for ' + context.customer" },
      { drop: "args.cc" },
      { clamp: "args.amount", max: 100 },
    ];
    const changing = { ...ALLOW, change: changes };
    const proposal = { amount: 500, cc: "a@b.cc", note: "card 4111 1111 1111 1111, ssn 123, key sk_live_abcdefghijkl" };
    const result = {
      amount: 100,
      note: "card [redacted], [redacted], key [redacted]",
      ticket: "write for cus_host",
      customer: "cus_host",
    };
    const alone = at([changing], CONTEXT, { schema });
    expect(await alone.call(proposal)).toMatchObject({ status: "ran", permit: { changed: true } });
    expect(alone.ran).toEqual([result]);

    // Each of these speaks about one version of the arguments only, and is heard all the same.
    for (const when of ["args.amount == 500", "has(args.cc)", "args.amount == 100", "!has(args.cc)"]) {
      const denied = at([changing, { id: "no", tool: "refund", when, then: "deny" }], CONTEXT, { schema });
      expect(await denied.call(proposal)).toMatchObject({ status: "denied", denial: { rules: ["no"] } });
      expect(denied.ran).toEqual([]);
      const paused = at([changing, { id: "ask", tool: "refund", when, then: "pause" }], CONTEXT, { schema });
      const answer = paused.call(proposal);
      expect((await asked(paused)).reasons.map(({ id }) => id)).toEqual(["ask"]);
      expect(paused.ran).toEqual([]);
      await paused.decide("deny");
      expect((await answer).status).toBe("denied");
      expect(paused.ran).toEqual([]);
    }
    // The allow that matched has to hold for what it has made of the arguments.
    const fallen = at([{ ...changing, when: "args.amount > 100" }], CONTEXT, { schema });
    expect(await fallen.call(proposal)).toMatchObject({ status: "denied", denial: { rules: ["unmatched:prod"] } });
    expect(fallen.ran).toEqual([]);
  });

  it("nothing to change is no change, and the host's own values are none that a model is told of", async () => {
    const where = at([CLAMP]);
    for (const customer of ["cus_host", "cus_evil"]) {
      const answer = await where.call({ amount: 50, customer });
      expect(answer).toMatchObject({ status: "ran", permit: { changed: false, told: { amount: 50 } } });
    }
    expect(where.ran).toEqual([
      { amount: 50, customer: "cus_host" },
      { amount: 50, customer: "cus_host" },
    ]);
  });

  it("[P7~] a change never runs what a deny or pause rule forbids, before or after it", async () => {
    const before = at([CLAMP, { id: "no", tool: "refund", when: "args.amount > 400", then: "deny" }]);
    expect(await before.call({ amount: 500 })).toMatchObject({ status: "denied", denial: { rules: ["no"] } });
    const after = at([CLAMP, { id: "no", tool: "refund", when: "args.amount == 100", then: "deny" }]);
    expect(await after.call({ amount: 500 })).toMatchObject({ status: "denied", denial: { rules: ["no"] } });
    expect([...before.ran, ...after.ran]).toEqual([]);
  });

  it("the approver sees the changed call, and exactly that runs (trap 14)", async () => {
    const where = at([CLAMP, PAUSE]);
    const answer = where.call({ amount: 500 });
    const approval = await asked(where);
    expect(JSON.parse(approval.bytes)).toEqual({ amount: 100, customer: "cus_host" });
    await where.decide("approve");
    expect(await answer).toMatchObject({ status: "ran", permit: { changed: true, edited: false } });
    expect(where.ran).toEqual([{ amount: 100, customer: "cus_host" }]);
    expect((await where.log()).filter((type) => type === "approval.requested").length).toBe(1);
  });

  it("policies that would change approved arguments once more ask anew, and the new ones run", async () => {
    let set = policies([ALLOW, PAUSE]);
    const where = world({ policies: () => set, context: CONTEXT });
    const answer = where.call({ amount: 500 });
    await asked(where);
    set = policies([CLAMP, PAUSE]);
    await where.decide("approve");
    const second = await asked(where, 2);
    expect(JSON.parse(second.bytes)).toEqual({ amount: 100, customer: "cus_host" });
    expect(where.ran).toEqual([]);
    await where.decide("approve");
    await answer;
    expect(where.ran).toEqual([{ amount: 100, customer: "cus_host" }]);
  });

  it("also where they would now simply allow the changed call", async () => {
    let set = policies([ALLOW, PAUSE]);
    const where = world({ policies: () => set, context: CONTEXT });
    const answer = where.call({ amount: 500 });
    await asked(where);
    set = policies([{ ...CLAMP, change: { clamp: "args.amount", max: 5 } }]);
    await where.decide("approve");
    const second = await asked(where, 2);
    expect(second.reasons.map(({ id }) => id)).toEqual(["pause"]);
    await where.decide("approve");
    await answer;
    expect(where.ran).toEqual([{ amount: 5, customer: "cus_host" }]);
  });

  it("a change that never settles never runs (trap 12)", async () => {
    const where = at([{ ...PAUSE, change: { set: "args.amount", to: "args.amount + 1" } }]);
    const answer = where.call({ amount: 50 });
    for (let round = 1; round <= 3; round++) {
      await asked(where, round);
      await where.decide("approve");
    }
    await asked(where, 4);
    await where.decide("deny");
    expect(await answer).toMatchObject({ status: "denied" });
    expect(where.ran).toEqual([]);
  });

  it("an object that the caller changes while the call waits is not what runs (trap 12)", async () => {
    const where = at([CLAMP, PAUSE]);
    const args = { amount: 500, note: "before" };
    const answer = where.call(args);
    await asked(where);
    args.amount = 9;
    args.note = "after";
    await where.decide("approve");
    await answer;
    expect(where.ran).toEqual([{ amount: 100, note: "before", customer: "cus_host" }]);
  });

  it("the key of a call belongs to what the agent wrote", async () => {
    const where = at([CLAMP]);
    await where.call({ amount: 500 }, { key: "k" });
    expect(await where.call({ amount: 500 }, { key: "k" })).toMatchObject({ denial: { rules: ["call.repeated"] } });
    expect(await where.call({ amount: 100 }, { key: "k" })).toMatchObject({ denial: { rules: ["call.mismatch"] } });
    expect(where.ran.length).toBe(1);
  });

  it.each<[string, Partial<Decision>]>([
    ["on a denial", { verdict: "deny", changed: { args: { amount: 1 }, paths: [] } }],
    ["with keys in two spellings (trap 10)", { changed: { args: { amount: 1, Amount: 2 }, paths: [] } }],
    ["with a value that is none", { changed: { args: { amount: Number.NaN }, paths: [] } }],
  ])("changed arguments %s never run", async (_name, more) => {
    const where = world({ judge: () => decision("allow", "r", more) });
    expect((await where.call({ amount: 500 })).status).toBe("denied");
    expect(where.ran).toEqual([]);
  });
});

describe("arguments that the host decides", () => {
  it("[P8] overrides what the model wrote on every way to the tool: allowed, approved, edited; and without it nothing runs", async () => {
    const allowed = at([ALLOW]);
    await allowed.call({ amount: 5, customer: "cus_evil" });
    await allowed.call({ amount: 5 });
    expect(allowed.ran).toEqual([
      { amount: 5, customer: "cus_host" },
      { amount: 5, customer: "cus_host" },
    ]);

    const approved = at([PAUSE]);
    const answer = approved.call({ amount: 50, customer: "cus_evil" });
    const approval = await asked(approved);
    expect(JSON.parse(approval.bytes)).toEqual({ amount: 50, customer: "cus_host" });
    expect(await approved.decide("approve", { amount: 40, customer: "cus_evil" })).toMatchObject({
      reason: "not-editable",
    });
    await approved.decide("approve", { amount: 40, customer: "cus_host" });
    await answer;
    expect(approved.ran).toEqual([{ amount: 40, customer: "cus_host" }]);

    const missing = at([ALLOW], {});
    expect(await missing.call({ amount: 5, customer: "cus_evil" })).toMatchObject({
      status: "denied",
      denial: { rules: ["bind:refund.customer"] },
    });
    expect(missing.ran).toEqual([]);
  });

  it("another value from the host while the call waited is asked about again", async () => {
    const set = policies([ALLOW, PAUSE]);
    const where = world({ policies: () => set, context: CONTEXT });
    const other = { ...where.run, context: { customer: "cus_other" } };
    const answer = where.gate.call(other, { tool: "refund", args: { amount: 50 } }, (permit) =>
      where.ran.push(permit.args),
    );
    await asked(where);
    Object.assign(other.context, { customer: "cus_third" });
    await where.decide("approve");
    const second = await asked(where, 2);
    expect(JSON.parse(second.bytes)).toEqual({ amount: 50, customer: "cus_third" });
    await where.decide("deny");
    await answer;
    expect(where.ran).toEqual([]);
  });
});

describe("arguments that do not fit the schema", () => {
  it.each<[string, JsonObject]>([
    ["a text where a number is meant (trap 7)", { amount: "5" }],
    ["too much", { amount: 5_000 }],
    ["an argument that the tool does not have (trap 10)", { amount: 5, Customer: "x" }],
    ["nothing", {}],
  ])("[P5~] never run, whatever the rules say: %s", async (_name, args) => {
    const where = at([ALLOW]);
    const answer = await where.call(args);
    expect(answer).toMatchObject({ status: "denied", denial: { rules: ["schema:refund"], retry: false } });
    expect(where.ran).toEqual([]);
    expect((await where.log()).slice(-2)).toEqual(["call.proposed", "call.decided"]);
  });

  it("[P5~] [A3~] as an approver edited them neither", async () => {
    const where = at([PAUSE]);
    const answer = where.call({ amount: 50 });
    await asked(where);
    expect(await where.decide("approve", { amount: 0, customer: "cus_host" })).toMatchObject({ status: "applied" });
    expect(await answer).toMatchObject({ status: "denied", denial: { rules: ["schema:refund"] } });
    expect(where.ran).toEqual([]);
  });

  it("[P5~] nor as a rule changed them", async () => {
    const where = at([{ ...ALLOW, change: { clamp: "args.amount", max: 0 } }]);
    expect(await where.call({ amount: 50 })).toMatchObject({ denial: { rules: ["schema:refund"] } });
    expect(where.ran).toEqual([]);
  });
});

describe("any proposal, any edit", () => {
  it("[P5~] [P7~] [P8~] runs only what fits, is bound and is within the clamp", async () => {
    const set = policies([CLAMP, PAUSE]);
    const value = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: -5, max: 1_100 }) },
      { weight: 1, arbitrary: fc.constantFrom<unknown>("5", null, 1.5, undefined, [5]) },
    );
    const args = fc.record(
      {
        amount: value,
        customer: fc.constantFrom<unknown>("cus_evil", "cus_host", 5, null),
        note: fc.constantFrom<unknown>("n", null, 1),
      },
      { requiredKeys: ["amount"] },
    );
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(args, args, fc.boolean(), async (proposal, edit, edits) => {
        const where = world({ policies: () => set, context: CONTEXT });
        const answer = where.call(proposal);
        for (let round = 1; round <= 3; round++) {
          await Promise.race([answer, asked(where, round).catch(() => undefined)]);
          if (where.paused.length < round) break;
          await where.decide("approve", edits && round === 1 ? edit : undefined);
        }
        if (where.paused.length > 0) await where.decide("deny");
        await answer;
        for (const one of where.ran) {
          ran++;
          const { amount, customer, note, ...rest } = one;
          expect(rest).toEqual({});
          expect(customer).toBe("cus_host");
          expect(Number.isInteger(amount) && Number(amount) >= 1 && Number(amount) <= 100).toBe(true);
          expect(note === undefined || typeof note === "string").toBe(true);
        }
      }),
      { numRuns: 200 },
    );
    expect(ran).toBeGreaterThan(20);
  });
});
