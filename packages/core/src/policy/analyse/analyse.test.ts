import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalize } from "../../call.ts";
import type { EvaluationContext, Verdict } from "../../decision.ts";
import type { Json, JsonObject } from "../../value/json.ts";
import { checkPolicies } from "../check.ts";
import { compilePolicies } from "../compile.ts";
import type { PolicyIssue } from "../issue.ts";
import { treeOf } from "../testing/tree-of.ts";
import { analyse } from "./analyse.ts";

const hash = { sha256: (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest()) };

interface Rule {
  readonly id?: string;
  readonly tool?: string | readonly string[];
  readonly kind?: string;
  readonly agent?: string;
  readonly when?: string;
  readonly then: Verdict;
  readonly else?: "pause" | "deny";
  readonly mode?: "observe";
  readonly reason?: string;
}

function policy(rules: readonly Rule[], rest: JsonObject = {}) {
  const named = rules.map((rule, index) => ({
    id: `r${index + 1}`,
    ...(rule.kind === undefined ? { tool: "t" } : {}),
    ...rule,
  }));
  return {
    saferun: "policy/v1",
    environments: { prod: { unmatched: "deny" } },
    tools: { t: { kind: "write" } },
    rules: named,
    ...rest,
  } as unknown as Json;
}

function check(source: Json) {
  return checkPolicies([treeOf("p", source)], { analyse });
}

function issues(rules: readonly Rule[], rest: JsonObject = {}): readonly PolicyIssue[] {
  const checked = check(policy(rules, rest));
  return checked.ok ? checked.warnings : checked.issues;
}

/** `code:rule` of each finding. */
function found(rules: readonly Rule[], rest: JsonObject = {}): readonly string[] {
  return issues(rules, rest).map(({ code, rule }) => (rule === undefined ? code : `${code}:${rule}`));
}

const allow = (when: string, more: Partial<Rule> = {}): Rule => ({ when, then: "allow", ...more });
const deny = (when: string, more: Partial<Rule> = {}): Rule => ({ when, then: "deny", ...more });
const pause = (when: string, more: Partial<Rule> = {}): Rule => ({ when, then: "pause", ...more });

describe("rules that never matter", () => {
  it.each([
    ["two bounds that exclude each other", deny("args.n > 5 && args.n < 3")],
    ["one place, two texts", allow('args.s == "a" && args.s == "b"')],
    ["a list and what is not in it", allow('args.s in ["a", "b"] && args.s != "a" && args.s != "b"')],
    ["a size below zero", allow("size(args.list) < 0")],
    ["another environment than the rule's", allow('env == "dev"')],
    ["false", allow("false && args.n > 0")],
    ["both sides of a choice", allow("args.n > 1 ? args.n < 1 : args.n > 5")],
    ["the same unread expression, and its opposite", allow('args.s.contains("x") && !args.s.contains("x")')],
  ])("unreachable: %s", (_what, rule) => {
    expect(found([allow("args.n > 0 && args.n < 4", { id: "good" }), rule])).toContain("unreachable:r2");
  });

  it.each([
    ["bounds that just meet", allow("args.n >= 5 && args.n <= 5")],
    ["an open end between whole numbers", allow("args.n > 5 && args.n < 6")],
    ["a place that two conditions read differently", allow('args.s.startsWith("x") && !args.s.endsWith("x")')],
  ])("reachable: %s", (_what, rule) => {
    expect(found([rule])).toEqual([]);
  });

  it("unreachable: a scope that no tool is in", () => {
    expect(found([allow("args.n > 0"), { tool: "t", kind: "read", then: "deny" }])).toEqual(["unreachable:r2"]);
  });

  it("shadowed: by one rule, by several together, by the `else` of another", () => {
    expect(found([allow("args.n > 10"), deny("args.n > 5")])).toEqual(["shadowed:r1"]);
    expect(
      found([allow("args.n > 0 && args.n < 3 || args.n > 8 && args.n < 9"), deny("args.n < 4"), deny("args.n > 7")]),
    ).toContain("shadowed:r1");
    expect(found([allow('args.s == "a"', { else: "deny" }), allow('args.s == "b"')])).toContain("shadowed:r2");
    expect(found([allow("args.n > 10"), pause("args.n > 5")])).toContain("shadowed:r1");
    expect(found([allow("args.n > 10"), deny("args.n > 5", { mode: "observe" })])).toEqual([]);
    expect(found([allow("args.n > 10"), deny("args.n > 5", { agent: "bot" })])).not.toContain("shadowed:r1");
  });

  it("conflict: the same calls, and bounds that run across each other", () => {
    expect(found([allow("args.n > 5 && args.n < 9"), deny("args.n < 9 && args.n > 5")])).toContain("conflict:r1");
    expect(found([allow("args.n > 0 && args.n <= 1000"), deny("args.n > 500")])).toEqual(["conflict:r1"]);
    expect(found([allow('args.c in ["US", "KP"]'), deny('args.c in ["KP", "IR"]')])).toEqual(["conflict:r1"]);
  });

  it("no conflict: a guard inside of an allow, or about another argument", () => {
    expect(found([allow("args.n > 0"), deny("args.n > 1000")])).toEqual([]);
    expect(found([allow("args.n > 0 && args.n < 10"), deny('args.c in ["KP", "IR"]')])).toEqual([]);
  });

  it("redundant: what another rule says as well, and of two alike the later one", () => {
    expect(found([allow("args.n > 0 && args.n < 100"), allow("args.n > 5 && args.n < 50")])).toEqual(["redundant:r2"]);
    expect(found([allow("args.n > 5 && args.n < 50"), allow("args.n > 0 && args.n < 100")])).toEqual(["redundant:r1"]);
    expect(found([deny("args.n > 5"), deny("args.n > 5"), allow("args.n > 0")])).toEqual(["redundant:r2"]);
    expect(
      found([allow("args.n > 0"), deny("args.n > 5", { reason: "a" }), deny("args.n > 9", { reason: "b" })]),
    ).toEqual([]);
    expect(found([allow("args.n > 0"), deny("args.n > 5"), deny("args.m > 9")])).not.toContain("redundant:r3");
  });
});

describe("rules that let more pass than they seem to", () => {
  it("unbounded: an allow without a lower bound, unless another rule sees to it", () => {
    expect(found([allow("args.n <= 100")])).toEqual(["unbounded:r1"]);
    expect(found([allow("args.n <= 100 && args.n > 0")])).toEqual([]);
    expect(found([allow("args.n <= 100"), deny("args.n <= 0")])).toEqual([]);
    expect(found([allow("size(args.list) <= 100")])).toEqual([]);
  });

  it("switched-off: `has`, `.?` and `in` on a deny or pause rule", () => {
    for (const when of [
      "has(args.cc) && size(args.cc) > 3",
      "args.?n.orValue(0) > 5",
      '"n" in args && args.n > 5',
      "has(args.a.b) && args.a.b > 5",
    ]) {
      expect(found([{ then: "allow" }, deny(when)]), when).toContain("switched-off:r2");
    }
    expect(found([{ then: "allow" }, deny("!has(args.n) || args.n > 5")])).toEqual([]);
    expect(
      found([allow("args.n > 0 && args.n < 9"), deny("has(args.n) && args.n > 5", { reason: "x" })]),
    ).not.toContain("switched-off:r2");
  });

  it("float-equality", () => {
    expect(found([allow("args.price == 19.99")])).toEqual(["float-equality:r1"]);
    expect(found([{ then: "allow" }, deny("args.price in [0.1, 0.2]")])).toEqual(["float-equality:r2"]);
    expect(found([allow("args.price == 20.0")])).toEqual([]);
  });

  it("clamp-optional", () => {
    const clamp = (more: JsonObject) => ({ then: "allow", change: [{ clamp: "args.n", max: 9, ...more }] }) as Rule;
    expect(found([clamp({})])).toEqual(["clamp-optional:r1"]);
    expect(found([clamp({ missing: "set" })])).toEqual([]);
    expect(found([{ ...clamp({}), when: "args.n > 0" }])).toEqual([]);
  });

  it("empty-list", () => {
    expect(found([allow('args.to.all(a, a == "x")')])).toEqual(["empty-list:r1"]);
    expect(found([allow('size(args.to) > 0 && args.to.all(a, a == "x")')])).toEqual([]);
    expect(found([allow('args.to.exists(a, a == "x")')])).toEqual([]);
  });
});

describe("tests of texts that others can bend", () => {
  it.each([
    'args.to.endsWith("@acme.com")',
    'args.to.endsWith("acme.com")',
    'args.recipients.size() > 0 && args.recipients.all(r, r.endsWith("@acme.com"))',
    'args.host.endsWith("acme.com")',
    'args.url.contains("acme.com")',
    'args.email.matches("acme\\\\.com")',
    'args.email.matches("^[^@]+@acme.com$")',
  ])("suffix-match: %s", (when) => {
    expect(found([allow(when)])).toEqual(["suffix-match:r1"]);
  });

  it("suffix-match: a deny that a bent address slips past", () => {
    expect(found([{ then: "allow" }, deny('!args.to.endsWith("@acme.com")')])).toEqual(["suffix-match:r2"]);
    expect(found([{ then: "allow" }, deny('args.to.endsWith("@rival.com")')])).toEqual(["suffix-match:r2"]);
  });

  it.each([
    'args.command.startsWith("git ")',
    'args.sql.startsWith("SELECT")',
    'args.query.matches("^SELECT .*")',
    'args.url.startsWith("https://acme.com")',
  ])("prefix-match: %s", (when) => {
    expect(found([allow(when)])).toEqual(["prefix-match:r1"]);
  });

  it.each([
    'args.host == "acme.com"',
    'args.host.endsWith("acme.com") && args.host == "www.acme.com"',
    'args.command in ["git status", "git diff"]',
    'args.command.matches("^git (status|diff)$")',
    'args.url.startsWith("https://acme.com/")',
    'args.name.endsWith("acme.com")',
  ])("nothing: %s", (when) => {
    expect(found([allow(when)])).toEqual([]);
  });
});

describe("arguments that are passed over or taken for what they are not", () => {
  const mail = (more: JsonObject) => {
    const schema = { type: "object", properties: { to: { type: "string" }, ...more }, required: ["to"] };
    return { tools: { t: { kind: "write", schema } } };
  };
  const list = { type: "array", items: { type: "string" } };
  const own = allow('args.to == "ann@example.com"');

  it.each<[string, JsonObject]>([
    ["cc", { cc: list }],
    ["bcc as a text", { bcc: { type: "string" } }],
    ["a name of its own, by its format", { watcher: { type: "string", format: "email" } }],
    ["a list of such", { watchers: { type: "array", items: { type: "string", format: "email" } } }],
    ["camel case", { extraRecipients: list }],
    ["inside of an object", { options: { type: "object", properties: { forward_to: { type: "string" } } } }],
  ])("blind-sink: %s", (_what, properties) => {
    const [finding, ...others] = issues([own], mail(properties));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: "blind-sink", rule: "r1", example: { args: { to: "ann@example.com" } } });
    expect(JSON.stringify(finding?.example)).toMatch(/evil\.example/);
  });

  it("blind-sink: not where a rule asks, a change drops it, the host decides it, or it can be nobody else", () => {
    const cc = mail({ cc: list });
    expect(found([own, deny("has(args.cc)", { reason: "x" })], cc)).not.toContain("blind-sink:r1");
    expect(found([allow('args.to == "a" && !has(args.cc)')], cc)).toEqual([]);
    expect(found([allow('args.to == "a" && args.size() == 1')], cc)).not.toContain("blind-sink:r1");
    expect(found([{ ...own, change: [{ drop: "args.cc" }] } as Rule], cc)).toEqual([]);
    expect(found([own], mail({ cc: { enum: ["team@example.com"] } }))).toEqual([]);
    expect(found([own], mail({ sender_email: { type: "string", format: "email" } }))).toEqual([]);
    expect(found([own], mail({ subject: { type: "string" } }))).toEqual([]);
    expect(found([allow("size(args) > 0")], cc)).toEqual([]);
    expect(found([own])).toEqual([]);
    const { t } = mail({ cc: { type: "string" } }).tools;
    expect(found([own], { tools: { t } })).toEqual(["blind-sink:r1"]);
    expect(found([own], { context: { me: "string" }, tools: { t: { ...t, bind: { cc: "context.me" } } } })).toEqual([]);
  });

  it("float-money: an amount that is a `number`, compared in order", () => {
    const schema = (amount: JsonObject) => ({
      tools: { t: { kind: "write", schema: { type: "object", properties: { amount }, required: ["amount"] } } },
    });
    const some = allow("args.amount > 0 && args.amount <= 100");
    expect(issues([some], schema({ type: "number" }))).toMatchObject([
      { code: "float-money", rule: "r1", example: { args: { amount: expect.any(Number) } } },
    ]);
    expect(found([some], schema({ type: "integer" }))).toEqual([]);
    expect(found([some], schema({ type: "number", multipleOf: 0.01 }))).toEqual([]);
    expect(found([some])).toEqual([]);
    expect(
      found([allow('dec(args.amount) > dec("0") && dec(args.amount) < dec("5")')], schema({ type: "number" })),
    ).toEqual([]);
  });

  it("mixed-currency: amounts of two currencies, added up or compared", () => {
    expect(found([allow("args.fee_usd + args.fee_eur > 0")])).toEqual(["mixed-currency:r1"]);
    expect(found([allow("args.a > 0 && args.priceUsd > args.priceEur")])).toEqual(["mixed-currency:r1"]);
    expect(found([allow("args.fee_usd + args.tip_usd > 0")])).toEqual([]);
    expect(found([allow("args.fee_usd > 0 && args.fee_eur > 0")])).toEqual([]);
    expect(found([allow("args.fee_usd * args.usd_to_eur > args.least_eur")])).toEqual([]);
  });
});

describe("scopes that miss something", () => {
  const two = { tools: { t: { kind: "write" }, u: { kind: "write" } } };

  it("wide-scope: an argument that another tool lacks", () => {
    const rules = [allow('args.name == "x"', { tool: "u" }), allow("args.n > 0", { tool: "t" })];
    expect(found([...rules, { kind: "write", when: "args.n > 9", then: "deny" }], two)).toEqual(["wide-scope:r3"]);
    expect(found([...rules, { kind: "write", when: "has(args.n) && args.n > 9", then: "deny" }], two)).not.toContain(
      "wide-scope:r3",
    );
  });

  it("narrow-deny: another tool, another agent", () => {
    const wide = allow("args.n > 0", { tool: ["t", "u"] });
    expect(found([wide, deny("args.n > 9", { tool: "t" })], two)).toEqual(["narrow-deny:r2"]);
    expect(found([wide, deny("args.n > 9", { tool: "t" }), deny("args.n > 99", { tool: "u" })], two)).toEqual([
      "narrow-deny:r2",
    ]);
    expect(found([wide, deny("args.n > 9", { tool: "t" }), deny("args.n > 9", { tool: "u" })], two)).toEqual([]);
    expect(found([allow("args.n > 0"), deny("args.n > 9", { agent: "bot" })])).toEqual(["narrow-deny:r2"]);
    expect(found([allow("args.n > 0"), { agent: "bot", then: "deny" }])).toEqual([]);
  });

  it("pause-alone: nothing allows what the question passes over", () => {
    expect(found([pause("args.n > 9")])).toEqual(["pause-alone:r1"]);
    expect(found([pause("args.n > 9"), allow("args.n <= 9 && args.n > 0")])).toEqual([]);
    expect(found([{ then: "pause" }])).toEqual([]);
    expect(found([pause("args.n > 9")], { environments: { prod: { unmatched: "allow" } } })).toEqual([
      "unmatched-destructive",
    ]);
  });

  it("any-tool: everything runs, also what nobody has declared", () => {
    const all: Rule = { tool: "*", then: "allow" };
    const found = (rules: readonly Rule[], rest: JsonObject = {}) =>
      issues(rules, rest).flatMap(({ code, rule, example }) => (code === "any-tool" ? [[rule, example?.tool]] : []));
    for (const rule of [all, { ...all, agent: "bot" }, { tool: ["t", "*"], then: "allow" } as const])
      expect(found([rule])).toEqual([["r1", "any_tool"]]);
    expect(found([{ kind: "destructive", then: "allow" }])).toEqual([["r1", "any_tool"]]);
    const observed = { environments: { prod: { unmatched: "deny", mode: "observe" } } };
    const open = { environments: { prod: { unmatched: "allow" } } };
    const harmless = { tools: { t: { kind: "write" }, "*": { kind: "read" } } };
    for (const rest of [observed, open, { ...harmless, environments: { prod: { unmatched: { read: "allow" } } } }])
      expect([rest, found([all], rest)]).toEqual([rest, []]);
    for (const rule of [
      { ...all, when: "args.n > 0" },
      { ...all, mode: "observe" },
      { tool: "t*", then: "allow" },
      { kind: "read", then: "allow" },
    ] as const)
      expect([rule, found([rule])]).toEqual([rule, []]);
    expect(found([all, { kind: "destructive", then: "deny" }])).toEqual([]);
    const both = { environments: { dev: { unmatched: "allow" }, prod: { unmatched: "deny" } } };
    expect(found([all], both)).toEqual([["r1", "any_tool"]]);
  });

  it("unruled-tool", () => {
    expect(found([{ then: "allow" }], two)).toEqual(["unruled-tool"]);
    expect(found([{ then: "allow" }, { kind: "write", then: "pause" }], two)).not.toContain("unruled-tool");
  });
});

describe("tools with schemas and bound arguments", () => {
  const schema = {
    type: "object",
    properties: {
      n: { type: "number" },
      to: { type: "array", items: { type: "string", format: "email" } },
      order: { type: "object", properties: { id: { type: "string", pattern: "^ORD-[0-9]{4}$" } }, required: ["id"] },
      note: { type: "string", minLength: 3 },
    },
    required: ["n", "order"],
  };
  const rest = (tool: JsonObject) => ({ tools: { t: { kind: "write", ...tool } } });

  it("have examples that fit the schema", () => {
    const [issue, ...others] = issues([allow("args.n <= 100")], rest({ schema }));
    expect(others).toEqual([]);
    expect(issue).toMatchObject({ code: "unbounded", example: { args: { n: -1, order: { id: "ORD-0000" } } } });
  });

  it("have no finding that only a call outside of the schema would show", () => {
    const bounded = { ...schema, properties: { ...schema.properties, n: { type: "number", minimum: 0 } } };
    expect(found([allow("args.n <= 100")], rest({ schema: bounded }))).toEqual([]);
    expect(found([{ then: "allow" }, deny("has(args.n) && args.n > 9")], rest({ schema }))).toEqual([]);
    expect(found([{ then: "allow" }, deny("has(args.note) && args.note == 'bad'")], rest({ schema }))).toEqual([
      "switched-off:r2",
    ]);
  });

  it("are asked with what the host binds", () => {
    const bound = { context: { country: "string" }, ...rest({ bind: { country: "context.country" } }) };
    expect(found([allow("args.n <= 100 && args.country == 'CH'")], bound)).toEqual(["unbounded:r1"]);
  });
});

describe("analysis", () => {
  it("[P10~] finds the one fault among 10,000 rules over 1,000 tools", () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `t${index}`);
    const rules = names.flatMap((tool, index) =>
      Array.from({ length: 10 }, (_, step): Rule => {
        const low = step * 100;
        const when = `args.n > ${low} && args.n <= ${step * 100 + 100} && args.c == "CH"`;
        return {
          id: `${tool}.${step}`,
          tool,
          when: index === 700 && step === 3 ? `${when} && args.n < 0` : when,
          then: "allow",
        };
      }),
    );
    const tools = Object.fromEntries(names.map((name) => [name, { kind: "write" }]));
    const twin: Rule = {
      id: "twin",
      tool: "t42",
      when: 'args.n > 120 && args.n <= 130 && args.c == "CH"',
      then: "allow",
    };
    expect(found([...rules, twin], { tools })).toEqual(["redundant:twin", "unreachable:t700.3"]);
  });

  it("stops at conditions that are too many cases, without a wrong word", () => {
    const when = Array.from({ length: 12 }, (_, index) => `(args.a${index} == 1 || args.b${index} == 1)`).join(" && ");
    expect(found([allow(when), allow(when)])).toEqual([]);
  });
});

const CONTEXT: EvaluationContext = {
  agent: "agent",
  environment: "prod",
  principal: { id: "", kind: "none", roles: [], labels: {} },
  context: {},
  run: { id: "r", prompted: false, untrusted: false, turn: 0 },
  call: { id: "c", depth: 0, attempt: 1 },
  now: 0,
};

const atom = fc.oneof(
  fc
    .record({ op: fc.constantFrom("<", "<=", ">", ">=", "==", "!="), n: fc.integer({ min: 0, max: 4 }) })
    .map(({ op, n }) => `args.n ${op} ${n}`),
  fc.constantFrom(
    'args.s == "a"',
    'args.s != "b"',
    'args.s in ["a", "b"]',
    "has(args.n)",
    "has(args.m.k)",
    "args.f",
    "args.m.k > 2",
    "size(args.s) > 1",
    "args.n == null",
    'args.s.contains("a")',
  ),
);
const condition = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    atom,
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `(${a} && ${b})`),
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `(${a} || ${b})`),
    tie("tree").map((a) => `!(${a})`),
    fc.tuple(tie("tree"), tie("tree"), tie("tree")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
})).tree;
const value = fc.constantFrom<Json | undefined>(
  undefined,
  null,
  0,
  1,
  2,
  2.5,
  3,
  4,
  5,
  "a",
  "b",
  "abc",
  true,
  false,
  [],
  {},
  { k: 1 },
  { k: 3 },
  { k: "x" },
);
const args = fc.record({ n: value, s: value, f: value, m: value });
const rule = fc
  .record({
    when: condition,
    then: fc.constantFrom("allow" as const, "deny" as const, "pause" as const),
    else: fc.constantFrom(undefined, undefined, "pause" as const, "deny" as const),
  })
  .map(
    ({ when, then, else: otherwise }): Rule => ({
      when,
      then,
      ...(then === "allow" && otherwise ? { else: otherwise } : {}),
    }),
  );

describe("soundness, on random policies and calls", () => {
  it("a redundant, shadowed or unreachable rule is what it is called", () => {
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 2, maxLength: 4 }),
        fc.array(args, { minLength: 12, maxLength: 12 }),
        (rules, calls) => {
          const source = policy(rules);
          const all = checkPolicies([treeOf("p", source)]);
          if (!all.ok) return;
          const policies = compilePolicies(all.model, hash);
          for (const { code, rule: id } of analyse(all.model)) {
            const without = { ...all.model, rules: all.model.rules.filter((one) => one.id !== id) };
            const rest = compilePolicies(without, hash);
            for (const one of calls) {
              const normal = normalize({ tool: "t", args: one, agent: "agent", environment: "prod" }, hash);
              if (!normal.ok) continue;
              const decision = policies.evaluate(normal.call, CONTEXT);
              const outcome = decision.rules.find((each) => each.rule === id);
              if (code === "redundant") expect(rest.evaluate(normal.call, CONTEXT).verdict).toBe(decision.verdict);
              if (code === "unreachable") expect(outcome?.matched).not.toBe("true");
              if (code === "shadowed" && outcome?.matched === "true") expect(decision.verdict).not.toBe(outcome.then);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
