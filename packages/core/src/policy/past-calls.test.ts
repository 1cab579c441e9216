import { describe, expect, it } from "vitest";
import type { PastCall, PastCalls } from "../past-calls.ts";
import { callOf, contextOf, issuesOf, policiesOf } from "./testing/judging.ts";

const call = (tool: string, more: Partial<PastCall> = {}): PastCall => ({
  id: "c0",
  tool,
  args: { order: "W1" },
  masked: [],
  at: 1_000,
  turn: 2,
  verdict: "allow",
  outcome: "succeeded",
  ...more,
});

const rule = (when: string, then: "allow" | "deny") => ({ rules: [{ id: "r", tool: "t", when, then }] });

function verdict(when: string, then: "allow" | "deny", history?: PastCalls): string {
  const [decided] = policiesOf({
    ...rule(when, then),
    tools: { t: { kind: "read" }, old: { kind: "read", aliases: ["older"] } },
  }).evaluate(callOf({ order: "W1" }), contextOf(), history).rules;
  return decided?.matched ?? "false";
}

const calls = (...all: PastCall[]): PastCalls => ({ calls: all });

describe("run.calls and run.attempts", () => {
  it.each<[string, PastCalls, string]>([
    ['run.calls.exists(c, c.tool == "old" && c.args.order == args.order)', calls(call("old")), "true"],
    ['run.calls.exists(c, c.tool == "old")', calls(call("older")), "true"],
    ['run.calls.exists(c, c.kind == "read" && c.turn == 2)', calls(call("old")), "true"],
    ['run.calls.exists(c, c.kind == "destructive")', calls(call("undeclared")), "true"],
    ['run.calls[0].at == timestamp("1970-01-01T00:00:01Z")', calls(call("old")), "true"],
    ["size(run.calls) == 0", calls(call("old", { outcome: "failed" }), call("x", { outcome: "unknown" })), "true"],
    ["size(run.attempts) == 2", calls(call("old", { outcome: "failed" }), call("x", { verdict: "deny" })), "true"],
    [
      'run.attempts.exists(a, a.verdict == "pause" && a.outcome == "none")',
      calls(call("x", { verdict: "pause", outcome: "none" })),
      "true",
    ],
    ["run.calls.exists(c, c.args.order == 5)", calls(call("old")), "error"],
    ["run.calls.exists(c, c.args.other == args.order)", calls(call("old")), "error"],
    ["run.calls.exists(c, c.args.order == args.order)", calls(call("old", { masked: ["/order"] })), "error"],
    ["run.calls.exists(c, c.args.order == args.order)", calls(call("old", { args: null })), "error"],
    ["run.calls.exists(c, c.args.order == args.order)", calls(call("old", { args: null }), call("old")), "true"],
    ['run.calls.exists(c, c.tool == "old")', calls(call("old", { args: null })), "true"],
    ["size(run.calls) >= 0", { unreadable: "too many" }, "error"],
  ])("%s of %j is %s", (when, history, matched) => {
    expect(verdict(when, "allow", history)).toBe(matched);
    expect(verdict(when, "deny", history)).toBe(matched);
  });

  it("are an error where nobody says what they hold", () => {
    expect(verdict("size(run.calls) >= 0", "deny")).toBe("error");
  });

  it.each([
    ["run.calls.exists(c, c.nothing == 1)", /unknown field .*nothing/],
    ["run.calls.exists(c, c.verdict == 'deny')", /unknown field .*verdict/],
    ["run.calls.exists(c, c.tool == 5)", /wrong-type/],
    ["run.call == 5", /did you mean `calls`/],
  ])("%s does not load", (when, said) => {
    expect(issuesOf(rule(when, "deny")).join("\n")).toMatch(said);
  });

  it("are read by rules alone: not by what is bound, changed or counted", () => {
    const allow = { rules: [{ id: "r", tool: "t", then: "allow" }] };
    const bound = { ...allow, tools: { t: { kind: "read", bind: { n: "size(run.calls)" } } } };
    const counted = {
      ...allow,
      budgets: [
        { id: "b", tool: "t", when: "size(run.calls) > 0", sum: "1", unit: "calls", per: { window: "ever" }, limit: 1 },
      ],
    };
    for (const source of [bound, counted]) expect(issuesOf(source).join("\n")).toMatch(/unknown field `run.calls`/);
  });

  it("need no history where no rule of the tool reads it", () => {
    const tools = { t: { kind: "read" }, u: { kind: "read" } };
    const policies = policiesOf({
      tools,
      rules: [
        { id: "a", tool: "t", when: "size(run.calls) == 0", then: "allow" },
        { id: "b", tool: "u", when: "run.turn > 0 && run.id != '' && !run.untrusted", then: "allow" },
      ],
    });
    expect([policies.readsHistory("t"), policies.readsHistory("u"), policies.readsHistory()]).toEqual([
      true,
      false,
      true,
    ]);
    expect(policiesOf({ tools, rules: [{ id: "b", tool: "u", then: "allow" }] }).readsHistory()).toBe(false);
  });
});
