import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { amountsAt, unitsAt } from "../argument-units.ts";
import type { JsonObject } from "../value/json.ts";
import { callOf, contextOf, issuesOf, policiesOf } from "./testing/judging.ts";

const SCHEMA = {
  type: "object",
  properties: {
    amount: { type: "integer" },
    currency: { type: "string" },
    order: { type: "object", properties: { total: { type: "string" } } },
    lines: { type: "array", items: { type: "object", properties: { price: { type: "integer" } } } },
  },
  additionalProperties: false,
};
const RULE = { id: "r", tool: "*", then: "allow" };
const BUDGET = { id: "b", tool: "t", sum: "args.amount", unit: "usd_cents", per: { window: "ever" }, limit: 100 };
const CHOSEN = 'args.currency + "_cents"';

function of(units: JsonObject | null, budgets: readonly JsonObject[] = [], more: JsonObject = {}): JsonObject {
  const tool = units === null ? { kind: "write" } : { kind: "write", units };
  return { environments: { prod: {} }, tools: { t: { ...tool, ...more } }, rules: [RULE], budgets };
}

function unitsIn(source: JsonObject, args: JsonObject, context: Parameters<typeof contextOf>[1] = {}) {
  const { budgets, ...rest } = source;
  const set = policiesOf(Array.isArray(budgets) && budgets.length > 0 ? source : rest);
  return set.units(callOf(args, { tool: "t" }), contextOf({}, context));
}

const LARGE = { amount: 450_000, currency: "usd" };

describe("what a tool says that its arguments count", () => {
  it("is a word, or what an expression gives for the call", () => {
    const units = { "args.amount": CHOSEN, "order.total": "eur", "lines[].price": "chf_cents" };
    const args = { ...LARGE, order: { total: "49.90" }, lines: [{ price: 500 }, { price: 7 }] };
    const said = unitsIn(of(units), args);
    expect(said).toEqual({
      amount: { unit: "usd_cents", from: ["currency"] },
      "order.total": { unit: "eur" },
      "lines[].price": { unit: "chf_cents" },
    });
    const amountAt = amountsAt(said, args);
    expect(amountAt("amount", 450_000)).toBe("$4,500.00");
    expect(amountAt("order.total", "49.90")).toBe("49.90 EUR");
    expect(amountAt("lines[1].price", 7)).toBe("0.07 CHF");
    expect(amountAt("lines", 7)).toBeUndefined();
    expect(amountAt("currency", "usd")).toBeUndefined();
  });

  it.each<[string, string, JsonObject]>([
    ["reads what is missing", CHOSEN, { amount: 1 }],
    ["reads a text of no currency", CHOSEN, { amount: 1, currency: "doubloon" }],
    ["gives a made-up unit", CHOSEN, { amount: 1, currency: "usd_cents or a million usd" }],
    ["fails", "args.currency.substring(9)", { amount: 1, currency: "usd" }],
    ["is given a map", CHOSEN, { amount: 1, currency: { a: 1 } }],
    ["gives another case", CHOSEN, { amount: 1, currency: "USD" }],
  ])("is nothing where the expression %s, and the verdict is the same", (_name, unit, args) => {
    expect(unitsIn(of({ amount: unit }), args)).toEqual({});
    const call = callOf(args, { tool: "t" });
    const verdicts = [of({ amount: unit }), of(null)].map(
      ({ budgets: _none, ...source }) => policiesOf(source).evaluate(call, contextOf({})).verdict,
    );
    expect(verdicts).toEqual(["allow", "allow"]);
  });

  it("adds up over the entries of a tool", () => {
    const source = { ...of({ amount: "usd_cents" }), tools: {} };
    const tools = {
      "t*": { units: { amount: "usd_cents", "order.total": "usd" } },
      t: { units: { amount: "usd_cents" } },
    };
    expect(unitsIn({ ...source, tools }, LARGE)).toEqual({
      amount: { unit: "usd_cents" },
      "order.total": { unit: "usd" },
    });
    const other = { "t*": { units: { amount: "usd" } }, t: { units: { amount: "usd_cents" } } };
    expect(issuesOf({ environments: { prod: {} }, tools: other, rules: [RULE] })).toEqual([
      expect.stringMatching(/^error conflict: `amount` has another unit at p:1:1; keep one/),
    ]);
  });

  it.each<[string, JsonObject, JsonObject, string]>([
    [
      "a misspelt word",
      { amount: "usd_cent" },
      {},
      "error unknown-unit: `usd_cent` is no unit; did you mean `usd_cents`?",
    ],
    [
      "a word of one's own",
      { amount: "doubloons" },
      {},
      "error unknown-unit: `doubloons` is no unit; write one such as",
    ],
    ["nothing", {}, {}, "error empty: `units` of `t` is empty; remove it"],
    ["many arguments at once", { "*.price": "usd" }, {}, "error bad-name: `*.price` is no single argument"],
    ["all of them", { $: "usd" }, {}, "error bad-name: `$` is no single argument"],
    [
      "an argument that is not there",
      { amuont: "usd" },
      { schema: SCHEMA },
      "error unknown-arg: `t` has no argument `amuont`",
    ],
    ["a reader of what is not there", { amount: 'args.curency + "_cents"' }, { schema: SCHEMA }, "error unknown-arg"],
    ["a number", { amount: "args.amount" }, { schema: SCHEMA }, "error wrong-type: a unit cannot be a int"],
    ["no expression", { amount: "args. +" }, {}, "error"],
  ])("does not load as %s", (_name, units, more, said) => {
    const { budgets: _none, ...source } = of(units, [], more);
    expect(issuesOf(source).join("\n")).toContain(said);
  });
});

describe("what budgets say that an argument counts", () => {
  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    ["as it stands", {}, LARGE, { amount: { unit: "usd_cents" } }],
    ["by an expression", { unit: CHOSEN, limit: 5 }, LARGE, { amount: { unit: "usd_cents", from: ["currency"] } }],
    [
      "as an exact decimal",
      { sum: "dec(args.order.total)", unit: "usd" },
      { order: { total: "49.90" } },
      { "order.total": { unit: "usd" } },
    ],
    ["by tool", { sum: { t: "args.amount" } }, LARGE, { amount: { unit: "usd_cents" } }],
    ["in a unit of one's own", { unit: "points" }, LARGE, { amount: { unit: "points" } }],
    [
      "where it counts the call",
      { when: 'args.currency == "usd" && args.amount > 5' },
      LARGE,
      { amount: { unit: "usd_cents", from: ["currency"] } },
    ],
    ["not where it does not", { when: 'args.currency == "usd"' }, { ...LARGE, currency: "eur" }, {}],
    ["not where it counts another agent's", { agent: "other" }, LARGE, {}],
    ["not what is computed", { sum: "args.amount * 2" }, LARGE, {}],
    ["not what is a count of something else", { sum: "size(args.currency)", unit: "rows" }, LARGE, {}],
    ["not where its condition fails", { when: "args.missing > 1" }, LARGE, {}],
    ["not where its unit is none", { unit: CHOSEN }, { ...LARGE, currency: "xxx" }, {}],
  ])("%s", (_name, budget, args, expected) => {
    expect(unitsIn(of(null, [{ ...BUDGET, ...budget }]), args)).toEqual(expected);
  });

  it("is nothing where two of them differ, and what they agree in where they do not", () => {
    const twice = (unit: string) => [BUDGET, { ...BUDGET, id: "c", unit, limit: 5 }];
    expect(unitsIn(of(null, twice("usd")), LARGE)).toEqual({});
    expect(unitsIn(of(null, twice("usd_cents")), LARGE)).toEqual({ amount: { unit: "usd_cents" } });
  });

  it("gives way to the tool's own word, also where that cannot be told", () => {
    expect(unitsIn(of({ amount: "eur_cents" }, [BUDGET]), LARGE)).toEqual({ amount: { unit: "eur_cents" } });
    expect(unitsIn(of({ amount: CHOSEN }, [BUDGET]), { amount: 5, currency: "?" })).toEqual({});
  });
});

describe("units of arguments that an approver edited", () => {
  const units = {
    amount: { unit: "usd_cents", from: ["order.currency"] },
    tip: { unit: "usd_cents" },
    all: { unit: "usd", from: ["$"] },
  };
  const judged = { amount: 5, tip: 1, order: { currency: "usd", id: "o" } };

  it.each<[string, JsonObject, readonly (string | undefined)[]]>([
    ["nothing", judged, ["usd_cents", "usd_cents", "usd"]],
    ["the amount", { ...judged, amount: 6 }, ["usd_cents", "usd_cents", undefined]],
    [
      "beside what it was told by",
      { ...judged, order: { currency: "usd", id: "p" } },
      ["usd_cents", "usd_cents", undefined],
    ],
    ["what it was told by", { ...judged, order: { currency: "eur", id: "o" } }, [undefined, "usd_cents", undefined]],
    ["away what it was told by", { ...judged, order: {} }, [undefined, "usd_cents", undefined]],
  ])("are known where somebody changed %s, and else not", (_name, args, expected) => {
    const unitAt = unitsAt(units, judged, args);
    expect(["amount", "tip", "all"].map(unitAt)).toEqual(expected);
  });

  it("never fails, whatever the names", () => {
    const names = fc.constantFrom("constructor", "__proto__", "toString", "a.b", "a[0]", "[]", "", "amount");
    fc.assert(
      fc.property(names, names, fc.jsonValue(), (path, from, value) => {
        const said = { [path]: { unit: "usd_cents", from: [from] } };
        const args = JSON.parse(JSON.stringify(value));
        return (
          typeof (unitsAt(said, args, { other: 1 })("valueOf") ?? "") === "string" &&
          unitsAt(undefined, args)(path) === undefined
        );
      }),
    );
  });
});

it("a unit is part of the revision, however it is spaced", () => {
  const revision = (unit: string) => {
    const { budgets: _none, ...source } = of({ amount: unit });
    return policiesOf(source).revision;
  };
  expect(revision(CHOSEN)).toBe(revision('args.currency+"_cents"'));
  expect(new Set([revision(CHOSEN), revision("usd_cents"), revision("usd")]).size).toBe(3);
});
