/** What arguments count goes with the question from the gate on, and has no part in what runs. */
import {
  type ApprovalRecord,
  amountsOf,
  chosenGrant,
  fieldsOf,
  fieldText,
  grantText,
  type JsonObject,
  keepContent,
  offerText,
  type PolicySet,
  shownAmounts,
  type Transaction,
  typedArguments,
} from "@saferun/core";
import { createMemoryStore, nodeHash, nodeRandom } from "@saferun/store";
import { describe, expect, it } from "vitest";
import { policiesOf } from "../src/policy/testing/judging.ts";
import { asked, headerOf, VirtualClock, type World, world } from "./world.ts";

const SCHEMA = {
  type: "object",
  properties: { amount: { type: "integer" }, currency: { type: "string" } },
  required: ["amount"],
};
const UNITS = { amount: 'args.currency + "_cents"' };
const PAUSE = { id: "pause", tool: "refund", then: "pause", approval: { editable: ["amount", "currency"] } };
const LARGE = { amount: 450_000, currency: "usd" };

function at(tool: JsonObject, more: JsonObject = {}): World {
  const set: PolicySet = policiesOf({
    tools: { refund: { kind: "write", schema: SCHEMA, ...tool } },
    rules: [PAUSE],
    ...more,
  });
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const commit = (transaction: Transaction) => store.commit(keepContent(transaction, nodeHash, nodeRandom, undefined));
  return world({ policies: () => set, clock, store: { ...store, commit } });
}

const answers: Promise<unknown>[] = [];

async function question(where: World, args: JsonObject = LARGE): Promise<ApprovalRecord> {
  answers.push(where.call(args));
  return asked(where);
}

async function parts(where: World, type: string, name: string): Promise<unknown[]> {
  const entries = await where.store.entries({ from: 0, limit: 1_000 });
  const found = entries.filter((one) => headerOf(one).type === type).flatMap(({ parts }) => parts);
  return found.flatMap((one) =>
    one.name === name && one.bytes ? [JSON.parse(new TextDecoder().decode(one.bytes))] : [],
  );
}

const SAID = { amount: { unit: "usd_cents", from: ["currency"] } };

describe("a paused call", () => {
  it("is asked about with what its arguments count, and that is recorded", async () => {
    const where = at({ units: UNITS });
    const approval = await question(where);
    expect(approval.units).toEqual(SAID);
    expect(shownAmounts(approval)).toEqual([{ path: "amount", unit: "usd_cents", text: "$4,500.00" }]);
    expect(await parts(where, "approval.requested", "question")).toMatchObject([{ units: SAID }]);
    expect(await parts(where, "call.decided", "decision")).toMatchObject([
      { decision: { verdict: "pause", units: SAID } },
    ]);
    expect(where.ran).toEqual([]);
    await where.decide("approve");
    await answers.at(-1);
    expect(where.ran).toEqual([LARGE]);
  });

  it("is told its unit by the budget that counts it", async () => {
    const budget = {
      id: "b",
      tool: "refund",
      sum: "args.amount",
      unit: "usd_cents",
      per: { window: "ever" },
      limit: 900_000,
    };
    const approval = await question(at({}, { budgets: [budget] }));
    expect(approval.units).toEqual({ amount: { unit: "usd_cents" } });
  });

  it("has none where none can be told, and waits as before", async () => {
    const where = at({ units: UNITS });
    const approval = await question(where, { amount: 450_000, currency: "doubloon" });
    expect(approval.units).toBeUndefined();
    expect(shownAmounts(approval)).toEqual([]);
    await where.decide("approve");
    await answers.at(-1);
    expect(where.ran).toEqual([{ amount: 450_000, currency: "doubloon" }]);
  });

  it("is edited in its unit, which is said beside the field; money that is typed there is not taken for it", async () => {
    const approval = await question(at({ units: UNITS }));
    const [field] = fieldsOf(approval);
    expect(field && fieldText(field)).toBe("a whole number, in cents: 450000 is $4,500.00");
    for (const text of ["$450", "450.00", "4,500"]) {
      const typed = typedArguments(approval, new Map([["amount", text]]));
      expect(typed).toMatchObject({ mistakes: [{ path: "amount", message: expect.stringContaining("type ") }] });
    }
    expect(typedArguments(approval, new Map([["amount", "45000"]]))).toEqual({ args: { ...LARGE, amount: 45_000 } });
  });

  it("shows no amount of a currency that an approver has changed", async () => {
    const approval = await question(at({ units: UNITS }));
    expect(amountsOf(approval, { ...LARGE, amount: 45_000 })("amount", 45_000)).toBe("$450.00");
    expect(amountsOf(approval, { ...LARGE, currency: "jpy" })("amount", 450_000)).toBeUndefined();
  });
});

describe("a grant", () => {
  const rule = (editable: readonly string[]) => ({
    rules: [{ ...PAUSE, approval: { editable, grantable: true } }],
  });
  const like = { units: UNITS, identity: ["currency"] };

  it("is chosen and told in the unit of what it adds up", async () => {
    const approval = await question(at(like, rule(["amount"])));
    expect(approval.grantOffer).toMatchObject({ amount: "amount", unit: "usd_cents", same: ["currency"] });
    expect(approval.grantOffer && offerText(approval.grantOffer)).toContain(
      "amount added up (in cents: 5000 is $50.00)",
    );
    const wrong = chosenGrant(approval, { for: "1h", count: 5, most: "$50" });
    expect(wrong).toMatchObject({
      mistakes: [{ field: "most", message: expect.stringContaining("type 5000 for $50.00") }],
    });
    const chosen = chosenGrant(approval, { for: "1h", count: 5, most: "5000" });
    const terms = "grant" in chosen ? chosen.grant : undefined;
    expect(terms && grantText(approval.bytes, terms, approval.grantOffer)).toContain("amount $50.00 (5000) in all");
  });

  it.each([
    ["what says it may be edited", like, ["amount", "currency"]],
    ["what says it may differ from call to call", { ...like, identity: ["amount"] }, ["amount"]],
  ])("is in no unit where %s", async (_name, tool, editable) => {
    const approval = await question(at(tool, rule(editable)));
    expect(approval.units).toEqual(SAID);
    expect(approval.grantOffer?.amount).toBe("amount");
    expect(approval.grantOffer).not.toHaveProperty("unit");
  });
});

describe("a log that does not hold the values", () => {
  it.each([
    ["an expression is told by the values", UNITS, {}],
    ["a word is not", { amount: "usd_cents" }, { amount: { unit: "usd_cents" } }],
  ])("holds no unit that was told by them: %s", async (_name, units, recorded) => {
    const where = at({ units, record: "shape" });
    const approval = await question(where);
    // Whoever decides now sees it all the same.
    expect(shownAmounts(approval)).toMatchObject([{ text: "$4,500.00" }]);
    expect(await parts(where, "approval.requested", "question")).toMatchObject([{ units: recorded }]);
    await where.decide("deny");
    await answers.at(-1);
    const row = await where.store.approval(approval.id);
    expect(row?.units).toEqual(recorded);
    expect(JSON.stringify(await parts(where, "call.decided", "decision"))).not.toContain("from");
    expect(where.ran).toEqual([]);
  });
});
