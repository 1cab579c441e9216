import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../json.ts";
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
