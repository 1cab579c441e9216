import { createHash } from "node:crypto";
import { type Decision, type EvaluationContext, type JsonObject, normalize, runPolicyTests } from "@saferun/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIssue } from "./format-issue.ts";
import { type LoadResult, loadPolicies } from "./load.ts";

const hash = { sha256: (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest()) };

function load(...texts: string[]): LoadResult {
  return loadPolicies(
    texts.map((text, index) => ({ file: `p${index + 1}.yaml`, text })),
    { hash },
  );
}

function loaded(...texts: string[]) {
  const result = load(...texts);
  if (!result.ok) throw new Error(result.issues.map((issue) => formatIssue(issue)).join("\n"));
  return result;
}

function issues(...texts: string[]): string[] {
  const result = load(...texts);
  const all = result.ok ? result.warnings : result.issues;
  return all.map(
    ({ file, line, column, severity, code, message }) => `${file}:${line}:${column} ${severity} ${code} ${message}`,
  );
}

interface Ask {
  tool?: string;
  args?: JsonObject;
  agent?: string;
  env?: string;
  principal?: Partial<EvaluationContext["principal"]>;
  context?: JsonObject;
}

function decide(
  policies: ReturnType<typeof loaded>["policies"],
  ask: Ask = {},
  how: "evaluate" | "explain" = "evaluate",
): Decision {
  const { tool = "stripe.refund", args = {}, agent = "billing-bot", env = "prod", context = {} } = ask;
  const normal = normalize({ tool, args, agent, environment: env }, hash);
  if (!normal.ok) throw new Error(normal.malformed.message);
  return policies[how](normal.call, {
    agent,
    environment: env,
    principal: { id: "u1", kind: "person", roles: [], labels: {}, ...ask.principal },
    context,
    run: { id: "run_1", prompted: true, untrusted: false, turn: 0 },
    call: { id: "call_1", depth: 0, attempt: 1 },
    now: 1_700_000_000_000,
  });
}

const PAYMENTS = `saferun: policy/v1
name: payments
environments:
  prod: { unmatched: deny }
  staging: { unmatched: deny, mode: observe }
  dev: { unmatched: { read: allow, write: deny } }
routes:
  finance: { to: [dashboard], roles: [finance], within: 4h }
context: { customer_country: string }
let:
  sanctioned: [KP, IR, SY, CU]
define:
  small: args.amount > 0 && args.amount <= 50000
tools:
  stripe.refund: { kind: write, labels: [money], aliases: [mcp__stripe__refund] }
  "stripe.get*": { kind: read }
rules:
  - id: refund
    tool: stripe.refund
    agent: [billing-bot, "support-*"]
    when: small && args.currency == "usd"    # minor units, integers
    then: allow
    else: pause
    approval: { route: finance, show: [args.amount, reason], editable: [args.amount] }
    reason: Refunds over 500.00 need a person in finance.
  - id: refund.sanctioned
    tool: stripe.refund
    when: args.country in sanctioned
    then: deny
    reason: This country is sanctioned.
    fix: Hand over to compliance.
`;
const REFUND = { amount: 4999, currency: "usd", country: "US" };

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

  it("[P3~] scopes by agent, environment, principal, kind, label and alias", () => {
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

describe("strictness", () => {
  it("[P1~] reports every issue of every file in one run, with place and nearest word (trap 8)", () => {
    const first = `saferun: policy/v1
enviroments: { prod: {} }
Rules: []
tools: { stripe.refund: { kind: wrte, sinks: {} } }
rules:
  - { id: a, tool: stripe.refnd, when: args.amount > "x", then: allow }
  - { id: b, tool: stripe.refund, when: agrs.amount > 5, then: alow }
  - { id: c, tool: stripe.refund, when: frobnicate(args.x), then: deny, change: [] }
  - { id: d, tool: stripe.refund, when: args.amount + 1, then: deny, env: prd }
  - { id: e, then: deny }
`;
    const second = `saferun: policy/v1
environments: { prod: {} }
rules:
  - { id: a, tool: stripe.refund, when: context.mail == "x", then: deny }
budgets: []
`;
    expect(issues(first, second)).toMatchInlineSnapshot(`
      [
        "p1.yaml:2:1 error unknown-key unknown key \`enviroments\` in the file; did you mean \`environments\`?",
        "p1.yaml:3:1 error unknown-key unknown key \`Rules\` in the file; did you mean \`rules\`?",
        "p1.yaml:4:33 error bad-value \`kind\` cannot be \`wrte\`; expected \`read\`, \`write\`, \`destructive\`, \`none\`; did you mean \`write\`?",
        "p1.yaml:4:39 error not-yet \`sinks\` is not available in this version; remove it",
        "p1.yaml:6:20 error unknown-tool unknown tool \`stripe.refnd\`; did you mean \`stripe.refund\`?",
        "p1.yaml:7:41 error unknown-variable unknown variable \`agrs\`: did you mean \`args\`?",
        "p1.yaml:7:64 error bad-value \`then\` cannot be \`alow\`; expected \`allow\`, \`deny\`, \`pause\`; did you mean \`allow\`?",
        "p1.yaml:8:41 error unknown-function unknown function \`frobnicate\`",
        "p1.yaml:8:73 error not-yet \`change\` is not available in this version; remove it",
        "p1.yaml:9:75 error unknown-environment unknown environment \`prd\`; did you mean \`prod\`?",
        "p1.yaml:10:5 error missing-key rule \`e\` needs at least one of \`tool\`, \`kind\`, \`label\`",
        "p2.yaml:4:11 error duplicate-id rule \`a\` is already at p1.yaml:6:11",
        "p2.yaml:4:49 error unknown-field unknown field \`context.mail\`",
        "p2.yaml:5:1 error not-yet \`budgets\` is not available in this version; remove it",
      ]
    `);
  });

  it("[P1~] a file that does not load whole does not load at all (trap 5)", () => {
    const good = "saferun: policy/v1\nenvironments: { prod: { unmatched: allow } }\n";
    expect(load(good).ok).toBe(true);
    for (const broken of [
      "",
      "saferun: policy/v1\n",
      "- a\n",
      "just text\n",
      "saferun: policy/v2\n",
      "rules: [\n",
      "saferun: policy/v1\nrules: [{ id: a, tool: t, then: deny }]\n",
    ]) {
      expect(load(good, broken).ok, broken).toBe(false);
    }
    expect(load().ok).toBe(false);
  });

  it("[P1~] never ignores what is not built yet (trap 4)", () => {
    expect(issues(`${PAYMENTS}budgets: []\nflows: []\n`)).toEqual([
      "p1.yaml:32:1 error not-yet `budgets` is not available in this version; remove it",
      "p1.yaml:33:1 error not-yet `flows` is not available in this version; remove it",
    ]);
  });

  it("[P1~] names YAML's own traps at the condition", () => {
    const rule = (when: string) =>
      issues(
        `saferun: policy/v1\nenvironments: { prod: {} }\ntools: { t: {} }\nrules:\n  - id: a\n    tool: t\n    when: ${when}\n    then: deny\n`,
      );
    expect(rule('args.note == "a #1"').join()).toContain("` #` begins a comment in YAML; put the condition in quotes");
    expect(rule("#W1")).toEqual(["p1.yaml:7:11 error empty `when` is empty; `#W1` is a comment in YAML, so quote it"]);
    expect(rule("!has(args.x)").join()).toContain("an unquoted `!` begins one in YAML");
    expect(rule("true").join()).toContain("`true` is a boolean; put it in quotes");
    expect(rule("|\n      args.a == 1 &&\n      args.b === 2").join()).toContain("p1.yaml:9:");
  });

  it("places an issue with a caret", () => {
    const text = "saferun: policy/v1\nenvironments: { prod: {} }\nrulez: []\n";
    const result = load(text);
    expect(result.ok).toBe(false);
    if (!result.ok && result.issues[0]) {
      expect(formatIssue(result.issues[0], text)).toBe(
        "p1.yaml:3:1: error: unknown key `rulez` in the file; did you mean `rules`? [unknown-key]\n    rulez: []\n    ^",
      );
    }
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

describe("definitions and constants", () => {
  const file = (body: string, when: string) =>
    `saferun: policy/v1\nenvironments: { prod: {} }\ntools: { t: {} }\n${body}rules: [{ id: a, tool: t, when: "${when}", then: allow }]\n`;
  const verdict = (text: string, args: JsonObject) => decide(loaded(text).policies, { tool: "t", args }).verdict;

  it("a definition stands for its expression, with absorption and macro variables as if written out", () => {
    const text = file(
      "define: { a: args.x > limit, both: a && args.y, b: args.n }\nlet: { limit: 3 }\n",
      "has(args.x) && both || args.l.exists(args, b == args)",
    );
    expect(verdict(text, { x: 4, y: true, n: 0, l: [] })).toBe("allow");
    expect(verdict(text, { x: 3, y: true, n: 7, l: [1, 7] })).toBe("allow");
    expect(verdict(text, { n: 7, l: [1] })).toBe("deny");
  });

  it("refuses circles, doubling, shadowing and unknown names (trap 8, trap 13)", () => {
    const codes = (text: string) => issues(text).map((line) => line.split(" ")[2]);
    expect(codes(file("define: { p: q, q: p }\n", "p"))).toEqual(["circular", "circular"]);
    const doubling = Array.from({ length: 20 }, (_, index) => `d${index + 1}: d${index} && d${index}`).join(", ");
    expect(codes(file(`define: { d0: args.x, ${doubling} }\n`, "d20"))).toContain("limit");
    expect(codes(file("define: { args: '1 == 1' }\n", "args"))).toContain("bad-name");
    expect(codes(file("let: { now: 1 }\n", "true"))).toContain("bad-name");
    expect(codes(file("let: { limt: 1 }\n", "args.x > limit"))).toEqual(["unknown-variable"]);
    expect(codes(file("let: { a: { __proto__: 1 } }\n", "true"))).toContain("bad-name");
  });
});

describe("merging", () => {
  const base = "saferun: policy/v1\nenvironments: { prod: {} }\n";
  const codes = (...texts: string[]) => issues(...texts).map((line) => line.split(" ")[2]);

  it("every merge is a union or an error (trap 11)", () => {
    const other = (body: string) => `saferun: policy/v1\nname: second\n${body}`;
    expect(codes(base, other("environments: { prod: { unmatched: allow } }\n"))).toContain("duplicate-key");
    expect(codes(`${base}tools: { t: { kind: read } }\n`, other("tools: { t: { kind: write } }\n"))).toEqual([
      "conflict",
    ]);
    expect(codes(`${base}tools: { "t.*": { kind: read } }\n`, other("tools: { t.x: { kind: write } }\n"))).toEqual([
      "conflict",
    ]);
    expect(codes(`${base}tools: { "t.*": { kind: read }, "*.x": { kind: write } }\n`)).toContain("conflict");
    expect(codes(`${base}let: { a: 1 }\n`, other("let: { a: 2 }\n"))).toEqual(["conflict"]);
    expect(codes(`${base}context: { a: int }\n`, other("context: { a: string }\n"))).toEqual(["conflict"]);
    expect(codes(`${base}tools: { t: { aliases: [u] }, u: {} }\n`)).toEqual(["conflict"]);
    expect(
      codes(
        `${base}tools: { t: { labels: [a] } }\nlet: { a: 1 }\n`,
        other("tools: { t: { kind: read, labels: [b] } }\nlet: { a: 1 }\n"),
      ),
    ).toEqual([]);
  });

  it("refuses rules that could not say what they seem to", () => {
    const rule = (keys: string) => codes(`${base}tools: { t: {} }\nrules: [{ id: a, tool: t, ${keys} }]\n`);
    expect(rule("then: deny, when: args.x, else: pause")).toEqual(["bad-value"]);
    expect(rule("then: allow, else: pause")).toEqual(["bad-value"]);
    expect(rule("then: deny, approval: {}")).toEqual(["bad-value"]);
    expect(rule("then: pause, approval: { route: fin }")).toEqual(["unknown-route"]);
    expect(rule("then: pause, agent: []")).toEqual(["empty"]);
    expect(rule("then: deny, when: \"'text'\"")).toEqual(["not-bool"]);
    expect(codes(`${base}routes: { default: { roles: [] } }\n`)).toEqual(["empty"]);
    expect(codes(`${base}routes: { default: { need: 2 } }\n`)).toEqual(["not-yet"]);
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
