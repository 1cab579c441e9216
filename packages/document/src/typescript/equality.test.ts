/** The same rules in both forms: the same revision, decisions and issues. */
import { type Decision, type JsonObject, type PolicyIssue, runPolicyTests } from "@saferun/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide, hash, loaded, PAYMENTS } from "../../test/loading.ts";
import { type LoadResult, loadPolicies } from "../load.ts";
import { cel, opaque, type Policy, policy, rule, tool, toYaml } from "./index.ts";

const schema = {
  type: "object",
  properties: {
    amount: { type: "integer" },
    currency: { type: "string" },
    country: { type: "string" },
    note: { type: "array", items: { type: "string" } },
    free: { type: "string" },
  },
  required: ["amount", "currency", "country", "note", "free"],
} as const;
const refund = tool("stripe.refund", {
  kind: "write",
  labels: ["money"],
  aliases: ["mcp__stripe__refund"],
  schema,
});
const withSchema = (text: string) =>
  text.replace("aliases: [mcp__stripe__refund]", `aliases: [mcp__stripe__refund], schema: ${JSON.stringify(schema)}`);

/** `PAYMENTS`, with the same tests in both. */
const TESTS = `tests:
  - name: small passes
    env: prod
    agent: billing-bot
    call: { tool: stripe.refund, args: { amount: 4999, currency: usd, country: US, note: [], free: a } }
    expect: { then: allow, by: [refund] }
`;
const payments = policy({
  name: "payments",
  environments: {
    prod: { unmatched: "deny" },
    staging: { unmatched: "deny", mode: "observe" },
    dev: { unmatched: { read: "allow", write: "deny" } },
  },
  routes: { finance: { to: ["dashboard"], roles: ["finance"], within: "4h" } },
  context: { customer_country: "string" },
  let: { sanctioned: ["KP", "IR", "SY", "CU"] },
  define: { small: (c) => c.args.field("amount").gt(0).and(c.args.field("amount").le(50000)) },
  tools: [tool("stripe.get*", { kind: "read" })],
  rules: [
    rule({
      id: "refund",
      tool: refund,
      agent: ["billing-bot", "support-*"],
      when: (c) => c.named("small").and(c.args.currency.eq("usd")),
      then: "allow",
      else: "pause",
      approval: { route: "finance", show: ["args.amount", "reason"], editable: ["args.amount"] },
      reason: "Refunds over 500.00 need a person in finance.",
    }),
    rule({
      id: "refund.sanctioned",
      tool: "stripe.refund",
      when: (c) => c.args.field("country").in(c.named("sanctioned")),
      then: "deny",
      reason: "This country is sanctioned.",
      fix: "Hand over to compliance.",
    }),
  ],
  tests: [
    {
      name: "small passes",
      env: "prod",
      agent: "billing-bot",
      call: { tool: "stripe.refund", args: { amount: 4999, currency: "usd", country: "US", note: [], free: "a" } },
      expect: { then: "allow", by: ["refund"] },
    },
  ],
});

function whole(result: LoadResult) {
  if (!result.ok) throw new Error(result.issues.map(({ message }) => message).join("\n"));
  return result;
}

/** Where the issues stand differs between the forms; the lines of one file keep their order. */
function said(result: LoadResult): string[] {
  const issues: readonly PolicyIssue[] = result.ok ? result.warnings : result.issues;
  return issues
    .map(({ severity, code, message, rule: id, suggestion }) =>
      JSON.stringify({ id, severity, code, message: message.replace(/at \S+:\d+:\d+$/, "at its place"), suggestion }),
    )
    .sort();
}

const placeless = ({ rules, ...decision }: Decision) => ({
  ...decision,
  rules: rules.map(({ span: _, ...outcome }) => outcome),
});

describe("a policy in TypeScript and the same one in YAML", () => {
  const file = loaded(withSchema(PAYMENTS + TESTS));
  const built = whole(loadPolicies([payments], { hash }));

  it("[P2~] have one revision, the same decisions and explanations, and the same tests", () => {
    expect(built.policies.revision).toBe(file.policies.revision);
    expect(built.warnings).toEqual(file.warnings);
    expect(built.policies.environments).toEqual(file.policies.environments);
    const value = fc.oneof(
      fc.integer({ min: -10, max: 100_000 }),
      fc.constantFrom("usd", "eur", "KP", "US", null),
      fc.boolean(),
    );
    const args = fc.dictionary(fc.constantFrom("amount", "currency", "country"), value);
    const where = fc.constantFrom("prod", "staging", "dev", "elsewhere");
    const name = fc.constantFrom("stripe.refund", "mcp__stripe__refund", "stripe.getX", "other");
    fc.assert(
      fc.property(args, where, name, fc.constantFrom("billing-bot", "support-1", "x"), (given, env, called, agent) => {
        const ask = {
          args: { amount: 5, currency: "usd", country: "US", note: [], free: "a", ...given } as JsonObject,
          env,
          tool: called,
          agent,
        };
        for (const how of ["evaluate", "explain"] as const) {
          expect(placeless(decide(built.policies, ask, how))).toEqual(placeless(decide(file.policies, ask, how)));
        }
      }),
      { numRuns: 300 },
    );
    const outcomes = runPolicyTests(built.policies, built.documents, hash);
    expect(outcomes).toMatchObject([{ name: "small passes", ok: true }]);
  });

  it("[P2~] have the same issues with the same words", () => {
    const text = `saferun: policy/v1
enviroments: { prod: {} }
environments: { prod: { unmatched: allow } }
tools: { stripe.refund: { kind: wrte } }
let: { now: 1, huge: 9007199254740992 }
define: { p: q, q: p }
rules:
  - { id: a, tool: stripe.refnd, when: 'args.amount > "x" && 1 > "x"', then: allow }
  - { id: b, tool: stripe.refund, when: agrs.amount > 5, then: alow }
  - { id: c, tool: stripe.refund, when: frobnicate(args.x), then: deny }
  - { id: d, tool: stripe.refund, when: args.amount + 1, then: deny, env: prd }
  - { id: e, then: deny }
  - { id: f, tool: stripe.refund, when: context.mail == "x", then: deny }
  - { id: g, tool: stripe.refund, when: args.a === 2, then: deny }
  - { id: h, tool: stripe.refund, when: , then: deny }
  - { id: i, tool: [], then: pause, approval: { route: fin }, else: deny }
  - { id: a, tool: stripe.refund, when: 'args.name.matches("(")', then: deny }
  - { id: j, tool: stripe.refund, when: 'args.name.frobnicate()', then: deny }
tests: [{ name: x, env: prd, call: { tool: stripe.refund }, expect: alow }]
`;
    // What the type checker refuses, written past it.
    const wrong = (value: unknown) => value as never;
    const broken = policy({
      ...({ enviroments: { prod: {} } } as object),
      environments: { prod: { unmatched: "allow" } },
      tools: [tool("stripe.refund", { kind: wrong("wrte") })],
      let: { now: 1, huge: 9007199254740992 },
      define: { p: (c) => c.named("q"), q: (c) => c.named("p") },
      rules: [
        rule({
          id: "a",
          tool: "stripe.refnd",
          when: (c) => c.args.field("amount").gt("x").and(c.fn("dyn", 1).gt("x")),
          then: "allow",
        }),
        rule({ id: "b", tool: refundName, when: (c) => c.named("agrs").field("amount").gt(5), then: wrong("alow") }),
        rule({ id: "c", tool: refundName, when: (c) => c.fn("frobnicate", c.args.field("x")), then: "deny" }),
        rule({ id: "d", tool: refundName, when: (c) => c.args.field("amount").add(1), then: "deny", env: "prd" }),
        rule({ id: "e", then: "deny" }),
        rule({ id: "f", tool: refundName, when: (c) => c.context.field("mail").eq("x"), then: "deny" }),
        rule({ id: "g", tool: refundName, when: "args.a === 2", then: "deny" }),
        rule({ id: "h", tool: refundName, when: wrong(undefined), then: "deny" }),
        rule({ id: "i", tool: [], then: "pause", approval: { route: "fin" }, else: "deny" }),
        rule({ id: "a", tool: refundName, when: (c) => c.args.field("name").matches("("), then: "deny" }),
        rule({ id: "j", tool: refundName, when: wrong((c: Loose) => c.args.name.frobnicate()), then: "deny" }),
      ],
      tests: [{ name: "x", env: "prd", call: { tool: "stripe.refund" }, expect: wrong("alow") }],
    });
    const yaml = said(loadPolicies([{ file: "p.yaml", text: text.replace('1 > "x"', 'dyn(1) > "x"') }], { hash }));
    expect(yaml.length).toBeGreaterThan(15);
    expect(said(loadPolicies([broken], { hash }))).toEqual(yaml);
  });

  it("[P2~] stand beside one another in one set", () => {
    const more = policy({
      rules: [rule({ id: "orders", tool: "stripe.getOrder", when: (c) => c.env.eq("prod"), then: "allow" })],
    });
    const mixed = whole(loadPolicies([{ file: "p.yaml", text: PAYMENTS }, more], { hash }));
    const swapped = whole(loadPolicies([more, { file: "p.yaml", text: PAYMENTS }], { hash }));
    expect(mixed.policies.revision).toBe(swapped.policies.revision);
    expect(decide(mixed.policies, { tool: "stripe.getOrder" })).toMatchObject({ verdict: "allow", by: ["orders"] });
    const twice = loadPolicies([{ file: "p.yaml", text: PAYMENTS }, payments], { hash });
    expect(twice.ok).toBe(false);
    expect(twice.ok ? [] : twice.issues.map(({ code }) => code)).toContain("duplicate-id");
  });

  it("[P2~] a printed policy is the same policy again", () => {
    const text = toYaml(payments);
    expect(text).toContain('    when: small && args.currency == "usd"\n');
    expect(whole(loadPolicies([{ file: "x.yaml", text }], { hash })).policies.revision).toBe(built.policies.revision);
    const trap = "no # \u200b: [x]\n'\"\\ \t\u2028<<";
    const odd = policy({
      environments: { no: { unmatched: "deny" } },
      let: { texts: ["true", "~", "0x1F", "", " ", trap, "-", "{{"], numbers: [1.5, -0, 1e-7], nothing: null },
      rules: [rule({ id: "r", tool: "*", when: (c) => c.args.field(trap).eq(trap), then: "deny", reason: trap })],
    });
    const [direct, printed] = [odd, { file: "x.yaml", text: toYaml(odd) }].map((one) => loadPolicies([one], { hash }));
    expect(direct && said(direct)).toEqual(printed && said(printed));
    expect(direct?.ok && direct.policies.revision).toBe(printed?.ok && printed.policies.revision);
    expect(direct?.ok).toBe(true);
    expect(toYaml(odd)).not.toContain("\u200b");
  });
});

it("[P2] rules in TypeScript build the tree of the same file; a function decides beside them, and is marked", () => {
  const rules = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { stripe.refund: { kind: write, labels: [money], aliases: [mcp__stripe__refund] } }
rules:
  - { id: small, tool: stripe.refund, when: (args.amount  <=  500), then: allow, else: pause }
  - { id: text, label: money, when: 'args.note.exists(item, item == "x") || !(args.free in ["a"])', then: deny, mode: observe }
`;
  const small = rule({ id: "small", tool: refund, when: (c) => c.args.amount.le(500), then: "allow", else: "pause" });
  const text = rule({
    id: "text",
    label: "money",
    when: (c) =>
      c.args
        .field("note")
        .exists((item) => item.eq("x"))
        .or(c.args.field("free").in(["a"]).not()),
    then: "deny",
    mode: "observe",
  });
  const never = rule({
    id: "never",
    tool: refund,
    when: opaque((ctx) => ctx.args.amount === 13, { version: "1", tool: refund }),
    then: "deny",
  });
  const environments = { prod: { unmatched: "deny" } } as const;
  const file = whole(loadPolicies([{ file: "p.yaml", text: withSchema(rules) }], { hash }));
  const same = whole(loadPolicies([policy({ environments, rules: [small, text] })], { hash }));
  expect(same.policies.revision).toBe(file.policies.revision);
  expect(same.policies.rules.every(({ analysable }) => analysable)).toBe(true);
  const more = whole(loadPolicies([policy({ environments, rules: [small, text, never] })], { hash }));
  expect(more.policies.rules.filter(({ analysable }) => !analysable).map(({ id }) => id)).toEqual(["never"]);
  expect(more.warnings.map(({ code, rule: id }) => `${code} ${id}`)).toEqual(["not-analysable never"]);
  const args = (amount: number) => ({ amount, currency: "usd", country: "US", note: ["x"], free: "a" });
  for (const amount of [12, 13, 500, 501]) {
    const [written, built, decided] = [file, same, more].map(({ policies }) =>
      decide(policies, { args: args(amount) }),
    );
    expect(built && placeless(built)).toEqual(written && placeless(written));
    expect(decided?.verdict).toBe(amount === 13 ? "deny" : written?.verdict);
  }
});

it("[P2~] binds, units and changes are built by callbacks too", () => {
  const text = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
context: { tenant: string }
tools:
  mail.send:
    { kind: write, bind: { tenant: context.tenant }, units: { price: usd_cents, "lines[].price": 'args.currency + "_cents"' } }
rules:
  - id: send
    tool: mail.send
    then: allow
    change:
      - { clamp: args.count, max: 10, missing: set }
      - { set: args.subject, to: '"[auto] " + args.subject' }
`;
  const send = tool("mail.send", {
    kind: "write",
    bind: { tenant: (c) => c.context.field("tenant") },
    units: { price: "usd_cents", "args.lines[].price": () => cel("args.currency").add(cel('"_cents"')) },
  });
  const built = policy({
    environments: { prod: { unmatched: "deny" } },
    context: { tenant: "string" },
    rules: [
      rule({
        id: "send",
        tool: send,
        then: "allow",
        change: [
          { clamp: "args.count", max: 10, missing: "set" },
          { set: "args.subject", to: () => cel('"[auto] "').add(cel("args.subject")) },
        ],
      }),
    ],
  });
  const [file, same] = [{ file: "p.yaml", text }, built].map((one) => whole(loadPolicies([one], { hash })));
  expect(same?.policies.revision).toBe(file?.policies.revision);
});

const refundName = "stripe.refund";

interface Loose {
  readonly args: Readonly<Record<"name", Readonly<Record<"frobnicate", () => unknown>>>>;
}

describe("positions", () => {
  /** The line that holds this text, once. */
  const source = () => import("node:fs").then(({ readFileSync }) => readFileSync(import.meta.filename, "utf8"));
  const lineOf = (text: string, piece: string) => text.slice(0, text.indexOf(piece)).split("\n").length;

  it("[P2~] are those of the call in the source file", async () => {
    const text = await source();
    const file = "packages/document/src/typescript/equality.test.ts";
    const decision = decide(whole(loadPolicies([payments], { hash })).policies, {
      args: { amount: 1, currency: "usd", country: "KP", note: [], free: "a" },
    });
    const start = lineOf(text, '      id: "refund.sanctioned",') - 1;
    expect(decision.rules.at(-1)).toMatchObject({ rule: "refund.sanctioned", span: { file, line: start, column: 5 } });
    const broken: Policy = policy({
      rules: [rule({ id: "misplaced", tool: "t", when: (c) => c.named("nobody").eq(1), then: "deny" })],
    });
    const result = loadPolicies([broken], { hash });
    expect(result.ok ? [] : result.issues).toContainEqual({
      code: "unknown-variable",
      severity: "error",
      file,
      line: lineOf(text, '{ id: "misplaced"'),
      column: 15,
      rule: "misplaced",
      message: "unknown variable `nobody`",
    });
  });
});
