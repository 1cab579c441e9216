/** Conditions that are functions: judged like any other rule, closed when they misbehave, and marked. */
import type { JsonObject, OpaqueContext } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { decide, hash } from "../../test/loading.ts";
import { loadPolicies } from "../load.ts";
import { opaque, policy, type RuleOptions, rule, toYaml } from "./index.ts";

type When = NonNullable<RuleOptions<string>["when"]>;

function load(when: When, then: "allow" | "deny" | "pause" = "deny", unmatched: "allow" | "deny" = "allow") {
  const built = policy({
    environments: { prod: { unmatched } },
    context: { tier: "string" },
    rules: [rule({ id: "r", tool: "*", when, then })],
  });
  return { built, result: loadPolicies([built], { hash }) };
}

function policiesOf(when: When, then: "allow" | "deny" | "pause" = "deny", unmatched: "allow" | "deny" = "allow") {
  const { result } = load(when, then, unmatched);
  if (!result.ok) throw new Error(result.issues.map(({ message }) => message).join("\n"));
  return result.policies;
}

const version = "1";

describe("a condition that is a function", () => {
  it("[P2~] decides on the values of the call, and is marked not analysable", () => {
    const { result } = load(opaque((ctx) => ctx.args.amount === 5 && ctx.context.tier === "gold", { version }));
    expect(result).toMatchObject({
      ok: true,
      warnings: [
        { code: "unmatched-destructive" },
        { severity: "warning", code: "not-analysable", rule: "r", file: expect.stringContaining("opaque.test.ts") },
      ],
    });
    if (!result.ok) return;
    expect(result.policies.rules).toMatchObject([{ id: "r", analysable: false }]);
    const context = { tier: "gold", undeclared: 1 };
    expect(decide(result.policies, { args: { amount: 5 }, context })).toMatchObject({ verdict: "deny", by: ["r"] });
    expect(decide(result.policies, { args: { amount: 6 }, context })).toMatchObject({ verdict: "allow" });
    expect(decide(result.policies, { args: { amount: 5 }, context }, "explain").rules).toMatchObject([
      { rule: "r", matched: "true", because: [{ text: "opaque(…)", value: true }] },
    ]);
  });

  it("[P2~] a plain function that gives a boolean is one too", () => {
    const plain = (ctx: OpaqueContext) => ctx.args.amount === 5;
    const policies = policiesOf(plain as never);
    expect(policies.rules).toMatchObject([{ analysable: false }]);
    expect(decide(policies, { args: { amount: 5 } }).verdict).toBe("deny");
    expect(decide(policies, { args: { amount: 6 } }).verdict).toBe("allow");
  });

  it.each<[string, () => unknown]>([
    ["threw", () => Reflect.apply(Reflect.get({}, "x"), undefined, [])],
    ["promise", async () => false],
    ["promise", () => Promise.reject(new Error("late"))],
    ["neither", () => 0],
    ["neither", () => undefined],
    ["neither", () => new Boolean(false)],
    ["neither", () => "false"],
  ])("[P2~] fails closed where it %s: %s (trap 5)", async (word, misbehave) => {
    const when = opaque(misbehave as () => boolean, { version });
    const error = { rules: [{ rule: "r", matched: "error", error: expect.stringContaining(word) }] };
    expect(decide(policiesOf(when, "deny"))).toMatchObject({ verdict: "deny", by: ["r"], ...error });
    expect(decide(policiesOf(when, "pause"))).toMatchObject({ verdict: "deny", by: ["unmatched:prod"], ...error });
    expect(decide(policiesOf(when, "allow"))).toMatchObject({ verdict: "deny", by: ["unmatched:prod"], ...error });
    // A rejection that nobody handles would end the process here.
    await new Promise((resolve) => setImmediate(resolve));
  });

  it("[P2~] sees frozen values only: what it changes would be what the next rule judges (trap 12)", () => {
    let seen: OpaqueContext | undefined;
    const given: JsonObject = { list: [{ a: 1 }] };
    const policies = policiesOf(
      opaque(
        (ctx) => {
          seen = ctx;
          return Reflect.set(ctx.args, "list", 1) || Reflect.set(ctx.principal.roles, "0", "admin");
        },
        { version },
      ),
    );
    const roles = ["ops"];
    const decision = decide(policies, { args: given, principal: { roles }, context: { tier: "gold" } });
    expect(decision.rules.filter(({ matched }) => matched === "true")).toEqual([]);
    expect(roles).toEqual(["ops"]);
    expect(seen).toMatchObject({
      args: given,
      tool: "stripe.refund",
      env: "prod",
      context: { tier: "gold" },
      principal: { id: "u1", roles: ["ops"] },
      call: { id: "call_1", kind: "destructive", labels: [] },
      now: 1_700_000_000_000,
    });
    const unfrozen = (value: unknown): boolean =>
      typeof value === "object" && value !== null && (!Object.isFrozen(value) || Object.values(value).some(unfrozen));
    expect(unfrozen(seen)).toBe(false);
  });

  it("[P2~] its version stands for it in the revision, its text does not", () => {
    const revision = (when: When) => policiesOf(when).revision;
    const one = revision(opaque((ctx) => ctx.env === "prod", { version }));
    expect(revision(opaque(() => false, { version }))).toBe(one);
    expect(revision(opaque((ctx) => ctx.env === "prod", { version: "2" }))).not.toBe(one);
    // A plain function has nothing else.
    expect(revision((() => true) as never)).not.toBe(revision((() => false) as never));
  });

  it("cannot be written to a file, nor stand in a definition", () => {
    const { built } = load(opaque(() => true, { version }));
    expect(() => toYaml(built)).toThrow(/function, which no file can hold/);
    const defined = policy({
      environments: { prod: {} },
      define: { x: opaque(() => true, { version }) as never },
      rules: [rule({ id: "r", tool: "*", when: (c) => c.named("x"), then: "deny" })],
    });
    const result = loadPolicies([defined], { hash });
    expect(result.ok ? [] : result.issues.map(({ code }) => code)).toContain("unknown-function");
  });

  it("two rules with one version stay two conditions", () => {
    const both = policy({
      environments: { prod: { unmatched: "deny" } },
      rules: [
        rule({ id: "a", tool: "*", when: opaque(() => false, { version }), then: "allow" }),
        rule({ id: "b", tool: "*", when: opaque(() => true, { version }), then: "allow" }),
      ],
    });
    const result = loadPolicies([both], { hash });
    expect(result.ok && decide(result.policies).by).toEqual(["b"]);
  });
});

describe("what no file could hold", () => {
  const codes = (...rules: never[]) => {
    const result = loadPolicies([policy({ environments: { prod: {} }, rules })], { hash });
    return result.ok ? [] : result.issues.map(({ code }) => code);
  };
  const wrong = (value: unknown) => value as never;

  it("is refused, never skipped", () => {
    expect(codes(wrong({ id: "r", tool: "*", then: "deny" }))).toEqual(["wrong-type"]);
    expect(codes(wrong(rule(wrong({ id: "r", tool: "*", then: "deny", reason: new Date(0) }))))).toContain(
      "wrong-type",
    );
    expect(codes(wrong(rule(wrong({ id: "r", tool: "*", then: "deny", reason: Symbol("x") }))))).toContain(
      "wrong-type",
    );
    expect(codes(wrong(rule(wrong({ id: "r", tool: "*", then: "deny", reason: "\ud800" }))))).toContain("syntax");
    expect(codes(wrong(rule(wrong({ id: "r", tool: undefined, kind: "read", then: "deny" }))))).toContain("empty");
    const circle: unknown[] = [];
    circle.push(circle);
    const deep = policy({ environments: { prod: {} }, let: { circle: wrong(circle) } });
    expect(deep.issues.map(({ code }) => code)).toContain("limit");
    for (const key of ["rules", "tools"]) {
      expect(policy(wrong({ environments: { prod: {} }, [key]: undefined })).issues).toMatchObject([
        { code: "wrong-type" },
      ]);
    }
  });
});
