import { canonicalJson, type Decision, type JsonObject, normalize, runPolicyTests } from "@saferun/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Ask, decide, hash, issues, loaded, PAYMENTS, REFUND } from "../test/loading.ts";
import { loadPolicies } from "./load.ts";

describe("loadPolicies", () => {
  it("[P6~] decides: up to X allow, above ask, sanctioned never", () => {
    const { policies, warnings } = loaded(PAYMENTS);
    expect(warnings).toEqual([]);
    expect(decide(policies, { args: REFUND })).toMatchObject({ verdict: "allow", by: ["refund"], pauses: [] });
    expect(decide(policies, { args: { ...REFUND, amount: 450_000 } })).toMatchObject({
      verdict: "pause",
      by: ["refund"],
      reason: "Refunds over 500.00 need a person in finance.",
      pauses: [
        {
          id: "refund",
          approval: {
            route: "finance",
            to: ["dashboard"],
            roles: ["finance"],
            need: 1,
            withinMs: 14_400_000,
            show: ["amount", "reason"],
            editable: ["amount"],
          },
        },
      ],
    });
    expect(decide(policies, { args: { ...REFUND, country: "KP" } })).toMatchObject({
      verdict: "deny",
      by: ["refund.sanctioned"],
      reason: "This country is sanctioned.",
      fix: "Hand over to compliance.",
      rules: [
        { rule: "refund", matched: "true", verdict: "allow", span: { file: "p1.yaml", line: 18, column: 9 } },
        { rule: "refund.sanctioned", matched: "true", verdict: "deny" },
      ],
    });
  });

  it("[P3] scopes by tool, agent, environment, principal, kind, label and alias", () => {
    const { policies } = loaded(`saferun: policy/v1
environments: { prod: {}, dev: {} }
tools:
  mail.send: { kind: write, labels: [mail], aliases: [mcp__mail__send] }
  mail.read: { kind: read, labels: [mail] }
rules:
  - { id: agent, tool: mail.send, agent: "support-*", then: allow }
  - { id: env, kind: read, env: dev, then: allow }
  - { id: role, label: mail, principal: ["role:ops", u9], then: allow }
`);
    const by = (ask: Ask) => decide(policies, ask).by.join();
    expect(by({ tool: "mail.send" })).toBe("unmatched:prod");
    expect(by({ tool: "mail.send", agent: "support-7" })).toBe("agent");
    expect(by({ tool: "mcp__mail__send", agent: "support-7" })).toBe("agent");
    expect(by({ tool: "mail.read" })).toBe("unmatched:prod");
    expect(by({ tool: "mail.read", env: "dev" })).toBe("env");
    expect(by({ tool: "mail.read", principal: { roles: ["ops"] } })).toBe("role");
    expect(by({ tool: "mail.read", principal: { id: "u9" } })).toBe("role");
    expect(by({ tool: "mail.read", principal: { id: "role:ops" } })).toBe("unmatched:prod");
    expect(by({ tool: "other", principal: { roles: ["ops"] } })).toBe("unmatched:prod");
    expect(policies.kind("mail.read")).toBe("read");
    expect(policies.kind("other")).toBe("destructive");
    expect(policies.declares("mcp__mail__send")).toBe(true);
    expect(policies.declares("other")).toBe(false);
  });

  it("[P6~] an error makes deny and pause match, allow not, and voids `unmatched: allow` (trap 7)", () => {
    const head = "saferun: policy/v1\nenvironments: { prod: { unmatched: allow } }\ntools: { t: {} }\nrules:\n";
    const one = (rule: string, args: JsonObject) => decide(loaded(head + rule).policies, { tool: "t", args });
    const deny = "  - { id: r, tool: t, when: args.n > 5, then: deny }\n";
    for (const n of ["1,000", "9", [9], { n: 9 }, true, null]) {
      expect(one(deny, { n })).toMatchObject({ verdict: "deny", by: ["r"], rules: [{ matched: "error" }] });
    }
    expect(one(deny, {})).toMatchObject({ verdict: "deny", by: ["r"] });
    expect(one(deny, { n: 5 })).toMatchObject({ verdict: "allow", by: ["unmatched:prod"] });
    expect(one("  - { id: r, tool: t, when: args.n > 5, then: pause }\n", {})).toMatchObject({
      verdict: "deny",
      by: ["unmatched:prod"],
    });
    expect(one("  - { id: r, tool: t, when: args.n > 5, then: allow }\n", {})).toMatchObject({
      verdict: "deny",
      by: ["unmatched:prod"],
    });
    const list = "  - { id: r, tool: t, when: \"args.country in ['KP']\", then: deny }\n";
    expect(one(list, { country: ["KP"] })).toMatchObject({ verdict: "deny", by: ["r"] });
  });

  it("[P12~] observe decides whether the verdict binds, and records what would have been", () => {
    const { policies } = loaded(PAYMENTS);
    expect(decide(policies, { env: "staging", args: { ...REFUND, country: "KP" } })).toMatchObject({
      verdict: "allow",
      by: ["observe:staging"],
      pauses: [],
      would: { verdict: "deny", by: ["refund.sanctioned"] },
    });
    const rule = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { t: {} }
rules:
  - { id: a, tool: t, then: allow, mode: observe }
`;
    expect(decide(loaded(rule).policies, { tool: "t" })).toMatchObject({
      verdict: "deny",
      by: ["unmatched:prod"],
      would: { verdict: "allow", by: ["a"] },
      rules: [{ rule: "a", verdict: null }],
    });
  });

  it("judges an undeclared environment by the strictest, and never only observes it (trap 5)", () => {
    const { policies } = loaded(PAYMENTS);
    expect(decide(policies, { env: "prodd", args: { ...REFUND, country: "KP" } }).verdict).toBe("deny");
    const observing = "saferun: policy/v1\nenvironments: { staging: { mode: observe } }\n";
    expect(decide(loaded(observing).policies, { env: "stagin" })).toMatchObject({
      verdict: "deny",
      by: ["unmatched:staging"],
    });
  });

  it("reads only declared context of the declared type", () => {
    const text = `saferun: policy/v1
environments: { prod: {} }
context: { country: string }
tools: { t: {} }
rules: [{ id: a, tool: t, when: context.country == "US", then: allow }]
`;
    const { policies } = loaded(text);
    expect(decide(policies, { tool: "t", context: { country: "US" } }).verdict).toBe("allow");
    for (const context of [{}, { country: ["US"] }, { country: 1 }, { Country: "US" }]) {
      expect(decide(policies, { tool: "t", context })).toMatchObject({
        verdict: "deny",
        rules: [{ matched: "error" }],
      });
    }
  });

  it("[P16~] explains the values that made it, and the first false part of the nearest miss", () => {
    const { policies } = loaded(PAYMENTS);
    const decision = decide(policies, { args: { ...REFUND, country: "KP" } }, "explain");
    const deny = decision.rules.find(({ rule }) => rule === "refund.sanctioned");
    expect(deny?.because).toContainEqual({ text: "args.country", value: "KP" });
    const miss = decide(policies, { args: REFUND }, "explain").rules.find(({ rule }) => rule === "refund.sanctioned");
    expect(miss).toMatchObject({ matched: "false", verdict: null, because: [{ value: false }] });
  });
});

describe("runPolicyTests", () => {
  const tests = `tests:
  - name: small passes
    env: prod
    agent: billing-bot
    now: 2024-05-15T15:00:00-05:00
    call: { tool: stripe.refund, args: { amount: 4999, currency: usd, country: US } }
    expect: { then: allow, by: [refund] }
  - name: two steps
    env: prod
    agent: support-1
    principal: { id: u1, roles: [ops] }
    run:
      - { call: { tool: stripe.refund, args: { amount: 90000, currency: usd, country: US } }, expect: pause }
      - { call: { tool: stripe.refund, args: { amount: 1, currency: usd, country: KP } }, expect: allow }
  - name: not this agent
    env: prod
    agent: other
    call: { tool: stripe.refund, args: { country: US } }
    expect: { then: deny, by: [refund] }
`;

  it("[P11~] says of each test whether the policies still answer as written", () => {
    const { policies, documents } = loaded(PAYMENTS + tests);
    expect(runPolicyTests(policies, documents, hash).map(({ name, ok, failures }) => ({ name, ok, failures }))).toEqual(
      [
        { name: "small passes", ok: true, failures: [] },
        { name: "two steps", ok: false, failures: ["step 2: expected allow, got deny by refund.sanctioned"] },
        { name: "not this agent", ok: false, failures: ["expected deny by refund, got deny by unmatched:prod"] },
      ],
    );
  });

  it("refuses a test that could not mean anything (trap 4)", () => {
    const one = (test: string) => issues(`${PAYMENTS}tests:\n  - ${test}\n`).map((line) => line.split(" ")[2]);
    expect(one("{ name: x, env: prod }")).toEqual(["missing-key"]);
    expect(one("{ name: x, env: prod, run: [] }")).toEqual(["bad-value"]);
    expect(one("{ name: x, call: { tool: stripe.refund }, expect: deny }")).toEqual(["missing-key"]);
    expect(one("{ name: x, env: prd, call: { tool: stripe.refund }, expect: deny }")).toEqual(["unknown-environment"]);
    expect(one("{ name: x, env: prod, call: { tool: stripe.refund }, expect: alow }")).toContain("bad-value");
    expect(one("{ name: x, env: prod, result: {}, call: { tool: stripe.refund }, expect: deny }")).toEqual(["not-yet"]);
    expect(
      one("{ name: x, env: prod, now: 2024-02-30T00:00:00Z, call: { tool: stripe.refund }, expect: deny }"),
    ).toEqual(["bad-value"]);
  });
});

describe("properties", () => {
  const rules = PAYMENTS.slice(PAYMENTS.indexOf("rules:\n") + 7);
  const head = PAYMENTS.slice(0, PAYMENTS.indexOf("rules:\n"));
  const more = [
    ...rules.split(/(?=^ {2}- id)/m),
    "  - { id: z, label: money, when: args.amount > 100, then: pause }\n",
    "  - { id: y, kind: write, when: args.who == 'x', then: deny, env: [prod, dev] }\n",
    "  - { id: x, tool: '*', when: has(args.free), then: allow }\n",
  ];
  const value = fc.jsonValue({ maxDepth: 2 });
  const args = fc
    .record(
      {
        amount: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), value),
        currency: fc.oneof(fc.constant("usd"), value),
        country: fc.oneof(fc.constantFrom("US", "KP"), value),
        who: value,
        free: value,
      },
      { requiredKeys: [] },
    )
    .map((record) => JSON.parse(JSON.stringify(record)) as JsonObject)
    .filter((record) => normalize({ tool: "t", args: record, agent: "a", environment: "e" }, hash).ok);
  const env = fc.constantFrom("prod", "staging", "dev", "elsewhere");

  it("[P6~] the order of rules and files never matters (trap 11)", () => {
    const reference = loaded(`${head}rules:\n${more.join("")}`).policies;
    const order = fc.shuffledSubarray(more, { minLength: more.length, maxLength: more.length });
    fc.assert(
      fc.property(order, fc.nat(more.length), fc.boolean(), args, env, (shuffled, cut, swap, given, where) => {
        const part = (pieces: string[]) => (pieces.length === 0 ? "" : `rules:\n${pieces.join("")}`);
        const files = [
          head + part(shuffled.slice(0, cut)),
          `saferun: policy/v1\nlet: {}\n${part(shuffled.slice(cut))}`,
        ];
        const { policies } = loaded(...(swap ? files.toReversed() : files));
        expect(policies.revision).toBe(reference.revision);
        const plain = ({ rules: outcomes, ...decision }: Decision) => ({
          ...decision,
          rules: outcomes.map(({ span: _, ...outcome }) => outcome),
        });
        expect(plain(decide(policies, { args: given, env: where }))).toEqual(
          plain(decide(reference, { args: given, env: where })),
        );
      }),
      { numRuns: 100 },
    );
  });

  it("evaluate and explain never throw, agree, and never allow past a deny rule that matched or erred", () => {
    const { policies } = loaded(`${head}rules:\n${more.join("")}`);
    fc.assert(
      fc.property(
        args,
        env,
        fc.constantFrom("stripe.refund", "stripe.getX", "other", "constructor"),
        (given, where, tool) => {
          const ask = { args: given, env: where, tool };
          const decision = decide(policies, ask);
          expect(decide(policies, ask, "explain")).toMatchObject({ verdict: decision.verdict, by: decision.by });
          expect(decision.by).not.toContain("internal.error");
          const denied = decision.rules.some((rule) => rule.then === "deny" && rule.matched !== "false");
          if (denied && where !== "staging") expect(decision.verdict).toBe("deny");
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("a host that hands over nonsense is denied, not thrown at (trap 5)", () => {
    const { policies } = loaded(PAYMENTS);
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error("no");
        },
      },
    );
    // The types forbid it; a caller in JavaScript can do it all the same.
    const evaluate = policies.evaluate as (call: unknown, context: unknown) => Decision;
    for (const call of [hostile, undefined, null, {}]) {
      expect(evaluate(call, hostile)).toMatchObject({ verdict: "deny", by: ["internal.error"] });
    }
  });

  it("the revision and the digest of each rule are those of canonical JSON", () => {
    const texts: string[] = [];
    const sha256 = (bytes: Uint8Array) => {
      texts.push(new TextDecoder().decode(bytes));
      return hash.sha256(bytes);
    };
    const result = loadPolicies([{ file: "p.yaml", text: PAYMENTS }], { hash: { sha256 } });
    if (result.ok) decide(result.policies, { args: { ...REFUND, amount: 450_000 } });
    expect(texts.map((text) => text.split("\u0000")[0])).toEqual(["saferun/policy/v1", "saferun/rule/v1"]);
    for (const text of texts) {
      const [, json = ""] = text.split("\u0000");
      expect(canonicalJson(JSON.parse(json))).toBe(json);
    }
  });

  it("the revision changes with what decides, and with nothing else", () => {
    const revision = (text: string) => loaded(text).policies.revision;
    const base = revision(PAYMENTS);
    expect(base).toMatch(/^[0-9a-f]{64}$/);
    expect(revision(`# a comment\n${PAYMENTS.replace("name: payments", "name: other")}`)).toBe(base);
    for (const [from, to] of [
      ["50000", "50001"],
      ["[KP, IR", "[IR"],
      ["kind: write, labels", "kind: read, labels"],
      ["within: 4h", "within: 5h"],
      ["prod: { unmatched: deny }", "prod: { unmatched: allow }"],
      ["mode: observe", "mode: enforce"],
      ["else: pause", "else: deny"],
      ["support-*", "support-1*"],
      ["customer_country: string", "customer_country: int"],
    ] as const) {
      expect(PAYMENTS).toContain(from);
      expect(revision(PAYMENTS.replace(from, to)), to).not.toBe(base);
    }
  });
});
