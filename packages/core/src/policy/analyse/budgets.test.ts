import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../value/json.ts";
import { checkPolicies } from "../check.ts";
import { callOf, contextOf, policiesOf } from "../testing/judging.ts";
import { treeOf } from "../testing/tree-of.ts";
import { analyse } from "./analyse.ts";

const BUDGET = {
  id: "b",
  tool: "t",
  sum: "args.n",
  unit: "rows",
  per: { key: ["args.charge"], window: "ever" },
  limit: 100,
};

function source(budget: JsonObject, tool: JsonObject = {}, when = "args.n > 0 && args.n <= 50"): JsonObject {
  return {
    saferun: "policy/v1",
    environments: { prod: {} },
    context: { charge: "string" },
    tools: { t: { kind: "write", ...tool } },
    rules: [{ id: "r", tool: "t", when, then: "allow" }],
    budgets: [{ ...BUDGET, ...budget }],
  };
}

function findings(...of: Parameters<typeof source>) {
  const checked = checkPolicies([treeOf("p", source(...of))], { analyse });
  if (!checked.ok) throw new Error(checked.issues.map(({ message }) => message).join("\n"));
  return checked.warnings;
}
const codes = (...of: Parameters<typeof source>) => findings(...of).map(({ code }) => code);

describe("budgets, analysed [P10~]", () => {
  it("a key that the model chooses is found, with a call that is counted by it", () => {
    const [found] = findings({});
    expect(found).toMatchObject({ code: "free-key", severity: "warning" });
    expect(found?.message).toContain("`args.charge`");
    const { environments: _environments, saferun: _saferun, ...rest } = source({});
    const call = callOf(found?.example?.args, { agent: "agent" });
    expect(policiesOf(rest).budgets(call, contextOf({}, { agent: "agent" }))).toMatchObject([
      { budget: "b", key: [expect.any(String)] },
    ]);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["identity", {}, { identity: ["charge"] }],
    ["a list of identity", { per: { key: ["args.to.id"], window: "ever" } }, { identity: ["to[].id"] }],
    ["bound", {}, { bind: { charge: "context.charge" } }],
    ["not of the arguments", { per: { key: ["agent"], window: "ever" } }, {}],
    ["no key", { per: { window: "ever" } }, {}],
  ])("one that is %s is not", (_name, budget, tool) => {
    expect(codes(budget, tool)).toEqual([]);
  });

  it.each<[string, string, readonly string[]]>([
    ["above the limit", "args.n > 0 && args.n <= 500", ["wider-than-budget"]],
    ["at the limit", "args.n > 0 && args.n <= 100", []],
    ["below", "args.n > 0 && args.n <= 50", []],
    ["none", "args.charge == 'c'", []],
    ["from below only", "args.n > 0", []],
  ])("a rule's bound %s", (_name, when, expected) => {
    expect(codes({}, { identity: ["charge"] }, when)).toEqual(expected);
  });

  it.each<[string, JsonObject, JsonObject, readonly string[]]>([
    ["in another unit", { unit: "usd_cents" }, { n: "usd" }, ["other-unit"]],
    ["by tool in another unit", { unit: "usd_cents", sum: { t: "args.n" } }, { n: "usd" }, ["other-unit"]],
    ["in the same unit", { unit: "usd_cents" }, { n: "usd_cents" }, []],
    ["where the call says which", { unit: "args.c + '_cents'", limit: 5 }, { n: "usd_cents" }, []],
    ["another argument", { unit: "usd_cents" }, { m: "usd" }, []],
    ["a computed amount", { unit: "usd_cents", sum: "args.n * 2" }, { n: "usd" }, []],
  ])("what the tool has a unit for is added %s", (_name, budget, units, expected) => {
    expect(codes({ ...budget, per: { window: "ever" } }, { identity: ["charge"], units })).toEqual(expected);
  });

  it("a rule of another tool has no part in it", () => {
    const two = {
      ...source({}, { identity: ["charge"] }, "args.n > 0 && args.n < 900"),
      tools: { t: { kind: "write" }, u: { kind: "write" } },
    };
    const rules = [
      { id: "r", tool: "u", when: "args.n > 0 && args.n < 900", then: "allow" },
      { id: "s", tool: "t", then: "allow" },
    ];
    const per = { key: ["agent"], window: "ever" };
    const checked = checkPolicies([treeOf("p", { ...two, rules, budgets: [{ ...BUDGET, per }] })], { analyse });
    expect(checked.ok && checked.warnings).toEqual([]);
  });
});

describe("denials, analysed [P10~]", () => {
  const schema = {
    type: "object",
    properties: {
      charge: { type: "string" },
      note: { type: "string" },
      n: { type: "integer" },
      currency: { type: "string", enum: ["usd", "chf"] },
    },
    required: ["charge", "note", "n", "currency"],
  };
  const denied = (when: string, tool: JsonObject = { identity: ["charge"] }) => {
    const { budgets: _budgets, ...rest } = source({}, tool, "args.n > 0");
    const rules = [
      { id: "r", tool: "t", when: "args.n > 0 && args.n < 9", then: "allow" },
      { id: "no", tool: "t", when, then: "deny" },
    ];
    const tools = { t: { kind: "write", schema, ...tool } };
    const checked = checkPolicies([treeOf("p", { ...rest, tools, rules })], { analyse });
    if (!checked.ok) throw new Error(checked.issues.map(({ message }) => message).join("\n"));
    return checked.warnings.filter(({ code }) => code === "free-deny");
  };

  it("a deny that rests on a free text is found, with a call that it denies", () => {
    const [found] = denied('args.note.contains("bribe")');
    expect(found).toMatchObject({ code: "free-deny", rule: "no", example: { tool: "t" } });
    expect(found?.message).toContain("`args.note`");
    expect(JSON.stringify(found?.example)).toContain("bribe");
  });

  it.each<[string, string, JsonObject | undefined]>([
    ["what the tool acts on", 'args.charge == "ch_1"', undefined],
    ["that beside the text", 'args.charge == "ch_1" && args.note.contains("x")', undefined],
    ["a number", "args.n > 5", undefined],
    ["one of a few values", 'args.currency == "chf"', undefined],
    ["a tool of which nobody said what counts", 'args.note.contains("x")', {}],
    ["what is bound", 'args.note.contains("x")', { bind: { note: "context.charge" } }],
  ])("one that rests on %s is not", (_what, when, tool) => {
    expect(denied(when, tool)).toEqual([]);
  });
});
