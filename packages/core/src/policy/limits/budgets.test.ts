import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BudgetClaim, ModelBound } from "../../budget.ts";
import type { ToolCall } from "../../call.ts";
import { MOST } from "../../value/decimal.ts";
import type { Json, JsonObject } from "../../value/json.ts";
import type { CheckOptions } from "../check.ts";
import { callOf, contextOf, policiesOf } from "../testing/judging.ts";

const zones = (zone: string): number | undefined => (zone === "UTC" ? 0 : zone === "Europe/Zurich" ? 3_600 : undefined);
const OPTIONS: CheckOptions = { zones };

const BUDGET = {
  id: "refunds",
  tool: "t",
  sum: "args.amount",
  unit: "usd_cents",
  per: { key: ["args.charge"], window: "ever" },
  limit: 100_000,
} as const;
const REST = { tools: { t: { kind: "write" }, u: { kind: "read" } }, rules: [{ id: "r", tool: "t", then: "allow" }] };

function policies(budget: JsonObject, rest: JsonObject = {}) {
  return policiesOf({ ...REST, ...rest, budgets: [{ ...BUDGET, ...budget } as JsonObject] }, OPTIONS);
}

function claims(budget: JsonObject, args: Json, rest: JsonObject = {}, tool = "t"): readonly BudgetClaim[] {
  return policies(budget, rest).budgets(withArgs(args, tool), contextOf());
}

/** Also ones that `normalize` would not let through. */
function withArgs(args: Json, tool = "t"): ToolCall {
  return { ...callOf({}, { tool }), args: args as JsonObject };
}

function claim(budget: JsonObject, args: Json, rest: JsonObject = {}): BudgetClaim {
  const [one, ...others] = claims(budget, args, rest);
  if (one === undefined || others.length > 0) throw new Error("not one claim");
  return one;
}

const GOOD = { amount: 4_999, charge: "ch_1" };

describe("what a call wants of a budget [B3~]", () => {
  it("is its amount, in the unit's smallest step, in the pot of its key", () => {
    const one = claim({ reason: "Too much.", fix: "Ask." }, GOOD);
    expect(one).toMatchObject({
      budget: "refunds",
      unit: "usd_cents",
      key: ["ch_1"],
      window: { kind: "ever" },
      limit: 100_000n,
      over: "deny",
      amount: 4_999n,
      reason: "Too much.",
      fix: "Ask.",
    });
    expect(one.pause).toMatchObject({ id: "budget:refunds", digest: one.digest, reason: "Too much." });
    expect(one.pause.approval).toMatchObject({ route: "default", roles: ["approver"] });
    expect(one).not.toHaveProperty("fault");
  });

  it("counts one call where nothing is summed", () => {
    const { sum: _sum, ...calls } = { ...BUDGET, unit: "calls" };
    const set = policiesOf({ ...REST, budgets: [calls as JsonObject] });
    expect(set.budgets(callOf({ charge: "x" }), contextOf())).toMatchObject([{ amount: 1n, unit: "calls" }]);
  });

  it.each<[string, JsonObject, Json, Partial<BudgetClaim>]>([
    ["limit", { limit: 5 }, GOOD, { limit: 5n }],
    [
      "limit as a decimal in dollars",
      { unit: "usd", limit: "5.00" },
      GOOD,
      { limit: 5_000_000n, amount: 4_999_000_000n },
    ],
    ["over", { over: "pause" }, GOOD, { over: "pause" }],
    ["unit", { unit: "seats" }, GOOD, { unit: "seats" }],
    ["unit by the call", { unit: "args.currency + '_cents'" }, { ...GOOD, currency: "eur" }, { unit: "eur_cents" }],
    ["window: run", { per: { window: "run" } }, GOOD, { window: { kind: "run" }, key: [] }],
    [
      "window: sliding",
      { per: { window: { sliding: "24h" } } },
      GOOD,
      { window: { kind: "sliding", ms: 86_400_000 }, key: [] },
    ],
    [
      "window: calendar",
      { per: { window: { calendar: "month", zone: "Europe/Zurich" } } },
      GOOD,
      { window: { kind: "calendar", unit: "month", zone: "Europe/Zurich" } },
    ],
    [
      "keys of every kind",
      { per: { key: ["args.a", "args.b", "args.c", "principal.id", "env"], window: "ever" } },
      { ...GOOD, a: 1, b: true, c: 1.5 },
      { key: ["1", "true", "1.5", "u1", "prod"] },
    ],
    ["sum by tool", { sum: { t: "args.amount * 2" } }, GOOD, { amount: 9_998n }],
    [
      "sum as an exact decimal",
      { sum: "dec(args.total)", unit: "usd" },
      { ...GOOD, total: 49.9 },
      { amount: 49_900_000n },
    ],
    ["sum as a decimal text", { sum: "args.total", unit: "usd" }, { ...GOOD, total: "49.90" }, { amount: 49_900_000n }],
    ["sum of a list", { sum: "size(args.to)", unit: "emails" }, { ...GOOD, to: ["a", "b"] }, { amount: 2n }],
    ["nothing", {}, { ...GOOD, amount: 0 }, { amount: 0n }],
  ])("%s", (_name, budget, args, expected) => {
    expect(claim(budget, args)).toMatchObject(expected);
  });

  it.each<[string, JsonObject, number]>([
    ["another tool", { tool: "u", sum: "1" }, 0],
    ["a glob", { tool: "*" }, 1],
    ["another kind", { kind: "read" }, 0],
    ["the kind alone", { tool: "t", kind: "write" }, 1],
    ["another agent", { agent: "b*" }, 0],
    ["this agent", { agent: ["b", "a"] }, 1],
    ["another principal", { principal: "u2" }, 0],
    ["this principal", { principal: "u1" }, 1],
    ["a condition that is false", { when: "args.amount > 5000" }, 0],
    ["a condition that is true", { when: "args.amount < 5000" }, 1],
  ])("is nothing where it does not count: %s", (_name, scope, count) => {
    expect(claims(scope, GOOD)).toHaveLength(count);
  });

  it("is counted by environment, and by all of them where the environment is not declared", () => {
    const rest = { environments: { prod: {}, dev: {} } };
    const set = policies({ env: "dev" }, rest);
    const of = (environment: string) => set.budgets(callOf(GOOD, { environment }), contextOf({}, { environment }));
    expect([of("prod"), of("dev"), of("nowhere")].map((all) => all.length)).toEqual([0, 1, 1]);
  });

  it("is the same under an alias of the tool", () => {
    const rest = { tools: { t: { kind: "write", aliases: ["mcp__t"] } } };
    expect(claims({}, GOOD, rest, "mcp__t")).toHaveLength(1);
  });

  it("reads a null at an optional argument as absent, as rules do", () => {
    const schema = {
      type: "object",
      properties: { amount: { type: "integer" }, charge: { type: "string" }, n: { type: "integer" } },
      required: ["amount", "charge"],
    };
    const rest = { tools: { t: { kind: "write", schema } } };
    expect(claim({ sum: "has(args.n) ? 5 : 7" }, { ...GOOD, n: null }, rest).amount).toBe(7n);
  });
});

describe("what cannot be counted is denied, and is never zero (traps 7 and 19)", () => {
  it.each<[string, Json]>([
    ["missing", { charge: "c" }],
    ["null", { amount: null, charge: "c" }],
    ["negative", { amount: -1, charge: "c" }],
    ["a fraction", { amount: 0.5, charge: "c" }],
    ["beyond whole numbers", { amount: 1e300, charge: "c" }],
    ["1,000", { amount: "1,000", charge: "c" }],
    ["an exponent", { amount: "1e3", charge: "c" }],
    ["a negative text", { amount: "-5", charge: "c" }],
    ["a text with a space", { amount: " 5", charge: "c" }],
    ["NaN as a text", { amount: "NaN", charge: "c" }],
    ["an empty text", { amount: "", charge: "c" }],
    ["a fraction of a cent", { amount: "5.5", charge: "c" }],
    ["a list", { amount: [1], charge: "c" }],
    ["a map", { amount: { value: 1 }, charge: "c" }],
    ["true", { amount: true, charge: "c" }],
    ["no key", { amount: 1 }],
    ["a key that is null", { amount: 1, charge: null }],
    ["a key that is empty", { amount: 1, charge: "" }],
    ["a key that is a list", { amount: 1, charge: ["c"] }],
    ["a key without end", { amount: 1, charge: "c".repeat(2_000) }],
  ])("%s", (_name, args) => {
    const one = claim({ over: "pause" }, args);
    expect(one.amount).toBeNull();
    expect(one.fault).toMatch(/\S/);
  });

  it.each<[string, JsonObject, Json]>([
    ["`when` that fails", { when: "args.missing > 1" }, GOOD],
    ["`when` that is no condition", { when: "args.charge" }, GOOD],
    ["a unit that the call makes up", { unit: "args.currency + '_cents'" }, { ...GOOD, currency: "zzz" }],
    ["a unit in other letters", { unit: "args.currency" }, { ...GOOD, currency: "USD" }],
    ["a unit that is missing", { unit: "args.currency" }, GOOD],
    ["a limit finer than the unit", { unit: "args.currency", limit: "5.5" }, { ...GOOD, currency: "usd_cents" }],
    ["a sum beyond 64 bits", { sum: "dec(args.total) * dec('9000000000000000000')" }, { ...GOOD, total: 5 }],
    ["a tool that the map of `sum` leaves out", { tool: ["t", "*"], sum: { t: "1" } }, GOOD],
  ])("%s", (name, budget, args) => {
    const [one] = claims(budget, args, {}, name.startsWith("a tool") ? "other" : "t");
    expect(one).toMatchObject({ amount: null, fault: expect.stringMatching(/\S/) });
  });

  it("says nothing of the values", () => {
    expect(claim({}, { amount: "hunter2", charge: "c" }).fault).not.toContain("hunter2");
    expect(claim({}, { amount: 1, charge: ["hunter2"] }).fault).not.toContain("hunter2");
  });

  it("whatever the arguments hold: an amount within 64 bits, or none with a reason", () => {
    const set = policies({ sum: "args.amount", unit: "usd" });
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (amount, charge) => {
        const [one] = set.budgets(withArgs({ amount, charge } as JsonObject), contextOf());
        if (one === undefined) throw new Error("a call that is not counted");
        if (one.amount === null) expect(one.fault).toMatch(/\S/);
        else expect(one.amount >= 0n && one.amount <= MOST).toBe(true);
      }),
    );
  });

  it("one business act has one pot, however its key is spelled", () => {
    expect(claim({}, { amount: 1, charge: 7 }).key).toEqual(claim({}, { amount: 1, charge: "7" }).key);
    expect(claim({}, { amount: 1, charge: "e\u0301" }).key).toEqual(claim({}, { amount: 1, charge: "\u00e9" }).key);
  });
});

describe("what was really used", () => {
  const actual = (result: unknown) => claim({ settle: "result.usage.total" }, GOOD).actual?.(result);

  it("is read from the result, or the hold is booked", () => {
    expect(actual({ usage: { total: 12 } })).toBe(12n);
    expect(actual('{"usage":{"total":12}}')).toBe(12n);
    expect(actual({ usage: { total: "12" } })).toBe(12n);
    expect(claim({}, GOOD)).not.toHaveProperty("actual");
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["another shape", { usage: 12 }],
    ["negative", { usage: { total: -12 } }],
    ["a fraction", { usage: { total: 1.5 } }],
    ["text that is no JSON", "total 12"],
    ["an accessor", { usage: Object.defineProperty({}, "total", { get: () => 12 }) }],
    ["a prototype's", { usage: Object.create({ total: 12 }) }],
    [
      "a proxy that throws",
      new Proxy(
        {},
        {
          getOwnPropertyDescriptor: () => {
            throw new Error("no");
          },
        },
      ),
    ],
  ])("is nothing that %s says", (_name, result) => {
    expect(actual(result)).toBeUndefined();
  });
});

describe("model spend [B2~]", () => {
  const SPEND: JsonObject = {
    id: "spend",
    model: "claude-*",
    unit: "usd",
    per: { key: ["agent"], window: { sliding: "24h" } },
    limit: "5.00",
  };
  const bound: ModelBound = { usdMicros: 1_200n, tokens: 900n };
  const of = (budget: JsonObject, model = "claude-5", known: ModelBound = bound) => {
    const set = policiesOf({ ...REST, budgets: [{ ...SPEND, ...budget }] }, OPTIONS);
    const { call: _call, ...context } = contextOf();
    return set.modelBudgets(model, context, known);
  };

  it("is counted in dollars, tokens or calls", () => {
    expect(of({})).toMatchObject([{ counts: "usd", amount: 1_200n, limit: 5_000_000n, key: ["a"] }]);
    expect(of({ unit: "tokens", limit: 9 })).toMatchObject([{ counts: "tokens", amount: 900n }]);
    expect(of({ unit: "calls", limit: 9 })).toMatchObject([{ counts: "calls", amount: 1n }]);
    expect(of({}, "gpt-9")).toEqual([]);
    expect(of({ when: "principal.id == 'u2'" })).toEqual([]);
  });

  it("without a price or a bound is what the policy chose: denied where it says nothing, and never zero (trap 19)", () => {
    const unknown: ModelBound = { usdMicros: null, tokens: null };
    const [silent] = of({}, "claude-5", unknown);
    expect(silent).toMatchObject({ amount: null, fault: expect.stringMatching(/\S/) });
    expect(silent).not.toHaveProperty("unpriced");
    expect(of({ unpriced: "deny" }, "claude-5", unknown)[0]).not.toHaveProperty("unpriced");
    expect(of({ unpriced: "pause" }, "claude-5", unknown)).toMatchObject([{ amount: null, unpriced: "pause" }]);
    expect(of({ unpriced: "allow" }, "claude-5", unknown)).toMatchObject([{ amount: null, unpriced: "allow" }]);
  });

  it("with a key that fails is denied, whatever is said of prices", () => {
    const per = { key: ["context.team"], window: "run" };
    const set = policiesOf({ ...REST, context: { team: "string" }, budgets: [{ ...SPEND, per, unpriced: "allow" }] });
    const { call: _call, ...context } = contextOf();
    const [one] = set.modelBudgets("claude-5", context, { usdMicros: null, tokens: null });
    expect(one?.amount).toBeNull();
    expect(one).not.toHaveProperty("unpriced");
  });

  it("is no tool's, and a tool's budget is no model's", () => {
    const set = policiesOf({ ...REST, budgets: [SPEND, { ...BUDGET } as JsonObject] }, OPTIONS);
    const { call: _call, ...context } = contextOf();
    expect(set.budgets(callOf(GOOD, { tool: "t" }), contextOf()).map(({ budget }) => budget)).toEqual(["refunds"]);
    expect(set.modelBudgets("claude-5", context, bound).map(({ budget }) => budget)).toEqual(["spend"]);
  });
});
