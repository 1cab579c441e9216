import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../value/json.ts";
import type { CheckOptions } from "../check.ts";
import { callOf, contextOf, issuesOf, policiesOf } from "../testing/judging.ts";

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

describe("a declared budget at load", () => {
  const said = (budget: JsonObject, rest: JsonObject = {}) =>
    issuesOf({ ...REST, ...rest, budgets: [{ ...BUDGET, ...budget } as JsonObject] }, OPTIONS);

  it.each<[string, JsonObject, string]>([
    ["no such key", { ceiling: 5 }, "error unknown-key"],
    ["tools and models", { model: "m" }, "error bad-value"],
    ["`unpriced` of tools", { unpriced: "deny" }, "error bad-value"],
    ["an unknown tool", { tool: "tt" }, "error unknown-tool"],
    ["an unknown environment", { env: "prd" }, "error unknown-environment"],
    ["an unknown variable", { sum: "arg.amount" }, "error unknown-variable"],
    ["a sum that is no number", { sum: "args.amount > 1" }, "error wrong-type"],
    ["a key that is a list", { per: { key: ["[1]"], window: "ever" } }, "error wrong-type"],
    ["no window", { per: { key: ["args.charge"] } }, "error missing-key"],
    ["an empty window", { per: { window: {} } }, "error missing-key"],
    ["a calendar without a zone", { per: { window: { calendar: "day" } } }, "error missing-key"],
    ["a zone that is none", { per: { window: { calendar: "day", zone: "Europe/Zürich" } } }, "error bad-value"],
    ["two windows", { per: { window: { calendar: "day", zone: "UTC", sliding: "1h" } } }, "error bad-value"],
    ["a negative limit", { limit: -1 }, "error bad-value"],
    ["a limit with a comma", { limit: "1,000" }, "error bad-value"],
    ["a limit as a fraction", { limit: 0.5 }, "error bad-value"],
    ["a limit finer than its unit", { limit: "0.5" }, "error bad-value"],
    ["a limit beyond 64 bits", { unit: "usd", limit: "9999999999999" }, "error bad-value"],
    ["a unit nearly known", { unit: "usd_cent" }, "warning unknown-unit"],
    ["a path that is not into the result", { settle: "usage.total" }, "error bad-name"],
    ["a map of `sum` without one of its tools", { tool: ["t", "u"], sum: { t: "1" } }, "error missing-key"],
    ["a map of `sum` with a tool of none", { sum: { t: "1", u: "1" } }, "error bad-value"],
    ["an empty list of keys", { per: { key: [], window: "ever" } }, "error empty"],
  ])("%s", (_name, budget, expected) => {
    expect(said(budget)[0]).toContain(expected);
  });

  it("needs something whose calls it counts", () => {
    const { tool: _tool, ...rest } = BUDGET;
    expect(issuesOf({ ...REST, budgets: [rest as JsonObject] }, OPTIONS)).toEqual([
      "error missing-key: a budget needs `model`, or at least one of `tool`, `kind`, `label`",
    ]);
  });

  it.each<[string, JsonObject]>([
    ["with `sum`", { sum: "1" }],
    ["with `settle`", { settle: "result.x" }],
    ["in a unit that the gate cannot count", { unit: "usd_cents" }],
    ["over arguments", { when: "args.x == 1" }],
  ])("of models, %s, is refused", (_name, more) => {
    const spend = { id: "s", model: "*", unit: "usd", per: { window: "run" }, limit: 1, ...more };
    expect(issuesOf({ ...REST, budgets: [spend] })[0]).toMatch(/^error/);
  });

  it("has an id of its own", () => {
    const twice = [BUDGET, { ...BUDGET, id: "Refunds" }] as unknown as Json;
    expect(issuesOf({ ...REST, budgets: twice })[0]).toContain("duplicate-id");
  });

  it("is held against the schema of every tool that it counts [P1~]", () => {
    const schema = {
      type: "object",
      properties: { amount: { type: "string" }, charge: { type: "boolean" }, note: { type: "object" } },
      required: ["amount", "charge"],
      additionalProperties: false,
    };
    const tools = { t: { kind: "write", schema } };
    expect(said({}, { tools })).toEqual([]);
    expect(said({ sum: "args.ammount" }, { tools })[0]).toContain("error unknown-arg: unknown argument");
    expect(said({ sum: "args.charge" }, { tools })[0]).toContain("error wrong-type: `sum` cannot be a bool");
    expect(said({ per: { key: ["args.note"], window: "ever" } }, { tools }).join()).toContain(
      "wrong-type: a key of a budget cannot be",
    );
  });
});

describe("the digests", () => {
  const digest = (budget: JsonObject, rest: JsonObject = {}) =>
    policies(budget, rest).budgets(callOf({ amount: 1, charge: "c", currency: "eur" }), contextOf())[0]?.digest;
  const revision = (budget: JsonObject) => policies(budget).revision;
  const changes: [string, JsonObject][] = [
    ["limit", { limit: 100_001 }],
    ["over", { over: "pause" }],
    ["sum", { sum: "args.amount + 1" }],
    ["unit", { unit: "eur_cents" }],
    ["a unit that is a word and one that is CEL", { unit: "args.currency" }],
    ["key", { per: { key: ["args.amount"], window: "ever" } }],
    ["window", { per: { key: ["args.charge"], window: "run" } }],
    ["when", { when: "true" }],
    ["scope", { agent: "a" }],
    ["settle", { settle: "result.x" }],
    ["reason", { reason: "r" }],
    ["fix", { fix: "f" }],
  ];

  it.each(changes)("change with %s (trap 4)", (_name, change) => {
    expect(digest(change)).not.toBe(digest({}));
    expect(revision(change)).not.toBe(revision({}));
  });

  it("do not change with spelling", () => {
    expect(digest({ sum: " args.amount ", limit: "100000.00" })).toBe(digest({}));
  });

  it("change with a constant that the budget reads", () => {
    const most = (value: number) => digest({ when: "args.amount < most" }, { let: { most: value } });
    expect(most(10_000)).not.toBe(most(10_001));
  });
});
