import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../value/json.ts";
import { otherTables, parseStamp } from "../value/stamp.ts";
import { checkPolicies } from "./check.ts";
import { runtimeTables } from "./runtime-tables.ts";
import { treeOf } from "./testing/tree-of.ts";

function tables(rule: JsonObject, rest: JsonObject = {}): readonly string[] {
  const source: Json = {
    saferun: "policy/v1",
    environments: { prod: {} },
    tools: { t: { kind: "write" } },
    rules: [{ id: "r", tool: "t", ...rule }],
    ...rest,
  };
  const checked = checkPolicies([treeOf("p", source)], { zones: () => 0 });
  if (!checked.ok) throw new Error(JSON.stringify(checked.issues));
  return runtimeTables(checked.model);
}

const when = (condition: string) => ({ when: condition, then: "allow" });

describe("the tables that policies read", () => {
  it.each<[string, readonly string[]]>([
    ["args.a == 1", []],
    ["now.getHours() > 3", []],
    ['now.getHours("UTC") > 3', []],
    ['now.getHours("+02:00") > 3', []],
    ['now.getHours("Europe/Zurich") > 3', ["calendar"]],
    ["now.getHours(args.zone) > 3", ["calendar"]],
    ['day(now, "Europe/Zurich") == "2024-01-01"', ["calendar"]],
    ['time(args.at, "America/New_York") < now', ["calendar"]],
    ['args.a.matches(r"^[a-z]+$")', []],
    ['args.a.matches(r"^\\p{Lu}")', ["unicode"]],
    ['args.a.matches(r"(?i)straße")', ["unicode"]],
    ['args.list.all(one, inDomain(one, "a.example"))', ["unicode"]],
    ['hasInvisible(args.a) || now.getDate("Asia/Tokyo") == 1', ["calendar", "unicode"]],
  ])("%s: %j", (condition, expected) => {
    expect(tables(when(condition))).toEqual(expected);
  });

  it("by a definition, in a change, in a bind, and in a budget too", () => {
    const define = { define: { office: 'now.getHours("Europe/Zurich") < 18' } };
    expect(tables(when("office"), define)).toEqual(["calendar"]);
    expect(tables({ then: "allow", change: [{ set: "args.day", to: 'day(now, "Europe/Zurich")' }] })).toEqual([
      "calendar",
    ]);
    expect(tables({ then: "allow", change: [{ redact: "args.a", match: 'r"\\pL"' }] })).toEqual(["unicode"]);
    const budget = { id: "b", tool: "t", unit: "calls", limit: 5, over: "deny" };
    const monthly = (zone: string) => ({ budgets: [{ ...budget, per: { window: { calendar: "month", zone } } }] });
    expect(tables({ then: "allow" }, monthly("Europe/Zurich"))).toEqual(["calendar"]);
    expect(tables({ then: "allow" }, monthly("UTC"))).toEqual([]);
  });

  it("two runtimes differ by what conditions can see of them", () => {
    const here = { calendar: "2025b", icu: "77.1", unicode: "16.0" };
    expect(otherTables(here, { ...here })).toEqual([]);
    expect(otherTables(here, { ...here, calendar: "2025c" })).toEqual(["calendar"]);
    expect(otherTables(here, { ...here, icu: "78.1" })).toEqual(["unicode"]);
    expect(otherTables(here, { calendar: "", icu: "", unicode: "" })).toEqual(["calendar", "unicode"]);
    expect(parseStamp({ ...here, more: 1 })).toEqual(here);
    for (const none of [undefined, null, "x", [], {}, { ...here, icu: 7 }]) expect(parseStamp(none)).toBeUndefined();
  });
});
