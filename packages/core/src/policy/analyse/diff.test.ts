import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { args, decide, hash, model, rules } from "../../../test/small-policies.ts";
import type { JsonObject } from "../../value/json.ts";
import { compilePolicies } from "../compile.ts";
import type { PolicyModel } from "../model.ts";
import { diffPolicies } from "./diff.ts";

/** `tool env agent from>to`, and each example asked again. */
function changes(before: PolicyModel, after: PolicyModel): readonly string[] {
  const { differences } = diffPolicies(before, after);
  const [one, other] = [compilePolicies(before, hash), compilePolicies(after, hash)];
  return differences.map(({ tool, environment, agent, principal, from, to, example }) => {
    expect(decide(one, example).verdict).toBe(from);
    expect(decide(other, example).verdict).toBe(to);
    return [tool, environment, agent, principal, `${from}>${to}`].filter((part) => part !== undefined).join(" ");
  });
}

const small = { when: "args.n > 0 && args.n <= 100", then: "allow" };

describe("the difference of two policy sets", () => {
  it("is nothing for the same rules in another order and with other words", () => {
    const other = { when: "args.n > 1000", then: "deny" };
    const before = model([small, other]);
    const after = model([
      { ...other, id: "r2", when: "args.n   >   1000" },
      { ...small, id: "r1" },
    ]);
    expect(diffPolicies(before, after)).toEqual({ differences: [], settings: [], incomplete: [] });
  });

  it("finds a moved bound between two calls", () => {
    expect(changes(model([small]), model([{ ...small, when: "args.n > 0 && args.n <= 101" }]))).toEqual([
      "t prod deny>allow",
    ]);
    expect(changes(model([small]), model([{ ...small, when: "args.n > 0 && args.n < 100" }]))).toEqual([
      "t prod allow>deny",
    ]);
  });

  it("finds what only happens where conditions fail, and what nobody compares", () => {
    expect(changes(model([small, { when: "args.n > 100", then: "deny" }]), model([small]))).toEqual([]);
    const pausing = { ...small, else: "pause" };
    expect(changes(model([pausing]), model([small]))).toEqual(["t prod pause>deny"]);
    expect(
      changes(model([{ then: "allow" }]), model([{ then: "allow" }, { when: "has(args.m.k)", then: "deny" }])),
    ).toEqual(["t prod allow>deny"]);
  });

  it("tells agents, principals, environments and tools apart", () => {
    expect(changes(model([{ then: "allow" }]), model([{ then: "allow", agent: "bot*" }]))).toEqual([
      "t prod another_agent allow>deny",
    ]);
    expect(
      changes(model([{ then: "pause" }]), model([{ then: "pause" }, { principal: "role:boss", then: "deny" }])),
    ).toEqual(["t prod role:boss pause>deny"]);
    const two = (unmatched: string) => ({ environments: { dev: { unmatched }, prod: { unmatched: "deny" } } });
    expect(changes(model([small], two("deny")), model([small], two("allow")))).toContain("u dev deny>allow");
    expect(changes(model([{ tool: "*", then: "allow" }]), model([{ tool: "mail.*", then: "allow" }]))).toContain(
      "any_tool prod allow>deny",
    );
  });

  it("says where it may have missed something", () => {
    const { incomplete } = diffPolicies(model([small]), model([{ when: 'args.s.contains("x")', then: "allow" }]));
    expect(incomplete).toEqual([{ tool: "t", why: "a condition does more than compare arguments with constants" }]);
    const many = Array.from({ length: 9 }, (_, index) => `args.a${index} in ["1", "2", "3"]`).join(" && ");
    const large = diffPolicies(model([small]), model([small, { when: many, then: "deny" }]));
    expect(large.incomplete.map(({ why }) => why)).toEqual(["there are more cases than are asked about"]);
  });
});

describe("the difference of random policy sets", () => {
  it("[P14] names every change of verdict that random calls can find, each with a call that shows it", () => {
    fc.assert(
      fc.property(rules, rules, fc.array(args, { minLength: 20, maxLength: 20 }), (one, other, calls) => {
        const [before, after] = [model(one), model(other)];
        const found = changes(before, after);
        expect(diffPolicies(before, after).incomplete).toEqual([]);
        expect(diffPolicies(after, before).differences).toHaveLength(diffPolicies(before, after).differences.length);
        const [first, second] = [compilePolicies(before, hash), compilePolicies(after, hash)];
        for (const each of calls) {
          const call = { tool: "t", env: "prod", agent: "agent", args: JSON.parse(JSON.stringify(each)) as JsonObject };
          const [from, to] = [decide(first, call).verdict, decide(second, call).verdict];
          if (from !== to) expect(found).toContain(`t prod ${from}>${to}`);
        }
      }),
      { numRuns: 100 },
    );
  });
});
