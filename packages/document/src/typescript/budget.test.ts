/** Budgets and breakers in both forms: the same revision and the same claims; calendars by the runtime's own zones. */
import { type CompiledPolicySet, normalize, windowAt } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { hash } from "../../test/loading.ts";
import { loadPolicies } from "../load.ts";
import { intlZones } from "../zones.ts";
import { budget, cel, type Policy, policy, rule, tool, toYaml } from "./index.ts";

const refund = tool("stripe.refund", {
  kind: "write",
  identity: ["charge", "amount"],
  schema: {
    type: "object",
    properties: { amount: { type: "integer" }, currency: { type: "string" }, charge: { type: "string" } },
    required: ["amount", "currency", "charge"],
  },
});

const written = policy({
  environments: { prod: {} },
  rules: [rule({ id: "all", tool: refund, then: "allow" })],
  tools: [tool("mail.*", { kind: "write" })],
  budgets: [
    budget({
      id: "refunds",
      tool: refund,
      agent: "billing-*",
      when: (c) => c.args.amount.gt(0),
      sum: (c) => c.args.amount,
      unit: (c) => c.args.currency.add("_cents"),
      per: { key: [(c) => c.args.charge, cel("principal.id")], window: { calendar: "day", zone: "Europe/Zurich" } },
      limit: 100_000,
      over: "pause",
      settle: "result.amount",
    }),
    budget({ id: "spend", model: "*", unit: "usd", per: { window: "run" }, limit: "2.50", unpriced: "pause" }),
    budget({
      id: "calls",
      tool: [refund, "mail.*"],
      sum: { "stripe.refund": "2" },
      unit: "calls",
      per: { window: "ever" },
      limit: 9,
    }),
  ],
  breakers: [
    { caps: { usd: "1.00" } },
    { tool: "stripe.*", repeat: { same: 5, mode: "observe" }, rate: { within: "10m" } },
  ],
});

const TEXT = `
saferun: policy/v1
environments: { prod: {} }
tools:
  mail.*: { kind: write }
  stripe.refund:
    kind: write
    identity: [charge, amount]
    schema:
      type: object
      properties: { amount: { type: integer }, currency: { type: string }, charge: { type: string } }
      required: [amount, currency, charge]
rules: [{ id: all, tool: stripe.refund, then: allow }]
budgets:
  - id: refunds
    tool: stripe.refund
    agent: billing-*
    when: args.amount > 0
    sum: args.amount
    unit: args.currency + "_cents"
    per: { key: [args.charge, principal.id], window: { calendar: day, zone: Europe/Zurich } }
    limit: 100000
    over: pause
    settle: result.amount
  - { id: spend, model: "*", unit: usd, per: { window: run }, limit: "2.50", unpriced: pause }
  - { id: calls, tool: [stripe.refund, mail.*], sum: { stripe.refund: "2" }, unit: calls, per: { window: ever }, limit: 9 }
breakers:
  - caps: { usd: "1.00" }
  - { tool: stripe.*, repeat: { same: 5, mode: observe }, rate: { within: 10m } }
`;

function loaded(source: Policy | { readonly file: string; readonly text: string }): CompiledPolicySet {
  const result = loadPolicies([source], { hash });
  if (!result.ok) throw new Error(result.issues.map(({ message }) => message).join("\n"));
  return result.policies;
}

const context = {
  agent: "billing-bot",
  environment: "prod",
  principal: { id: "u1", kind: "person", roles: [], labels: {} },
  context: {},
  run: { id: "r", prompted: false, untrusted: false, turn: 0 },
  now: 0,
} as const;

function claims(policies: CompiledPolicySet) {
  const args = { amount: 4_999, currency: "usd", charge: "ch_1" };
  const normal = normalize({ tool: "stripe.refund", args, agent: "billing-bot", environment: "prod" }, hash);
  if (!normal.ok) throw new Error(normal.malformed.message);
  return policies.budgets(normal.call, { ...context, call: { id: "c", depth: 0, attempt: 1 } });
}

describe("budgets in TypeScript", () => {
  const inText = loaded({ file: "p.yaml", text: TEXT });

  it("[P2~] are those of a file, and are written as one", () => {
    const inCode = loaded(written);
    expect(inCode.revision).toBe(inText.revision);
    expect(loaded({ file: "p.yaml", text: toYaml(written) }).revision).toBe(inText.revision);
    const plain = (policies: CompiledPolicySet) =>
      claims(policies).map(({ span: _span, actual: _actual, ...one }) => one);
    expect(plain(inCode)).toEqual(plain(inText));
    expect(plain(inText)).toMatchObject([
      { budget: "calls", amount: 2n },
      { budget: "refunds", unit: "usd_cents", amount: 4_999n, key: ["ch_1", "u1"], limit: 100_000n },
    ]);
    expect(claims(inCode)[1]?.actual?.({ amount: 4_000 })).toBe(4_000n);
    expect(inCode.modelBudgets("m", context, { usdMicros: 7n, tokens: 1n })).toMatchObject([
      { amount: 7n, limit: 2_500_000n },
    ]);
    expect(inCode.detectors({ agent: "a", environment: "prod", tool: "stripe.refund" })).toMatchObject({
      caps: { usdMicros: 1_000_000n },
      repeat: { same: 5, mode: "observe" },
      rate: { withinMs: 600_000 },
    });
    expect(inCode.traits("stripe.refund")).toEqual({ kind: "write", identity: ["amount", "charge"] });
  });

  it("say with everything else what is wrong in them", () => {
    const broken = policy({
      environments: { prod: {} },
      budgets: [
        budget({ id: "b", tool: refund, sum: "args.amuont", unit: "usd_cents", per: { window: "ever" }, limit: 1 }),
      ],
    });
    const result = loadPolicies([broken], { hash });
    expect(result.ok ? [] : result.issues).toMatchObject([
      { code: "unknown-arg", rule: "budget:b", suggestion: "amount" },
    ]);
  });

  it("a day is the local one, 23 and 25 hours long where the clocks change", () => {
    const window = claims(inText)[1]?.window;
    const day = (time: string) => window && windowAt(window, Date.parse(time), "r", intlZones)?.key;
    const before = day("2026-03-28T22:59:59Z");
    const spring = day("2026-03-28T23:00:00Z");
    expect(before).toMatch(/\S/);
    expect(spring).not.toBe(before);
    expect(day("2026-03-29T21:59:59Z")).toBe(spring);
    expect(day("2026-03-29T22:00:00Z")).not.toBe(spring);
    const autumn = day("2026-10-24T22:00:00Z");
    expect(day("2026-10-25T22:59:59Z")).toBe(autumn);
    expect(day("2026-10-25T23:00:00Z")).not.toBe(autumn);
  });

  it("a zone that the runtime does not know does not load", () => {
    const result = loadPolicies([{ file: "p.yaml", text: TEXT.replace("Europe/Zurich", "Europe/Zuerich") }], { hash });
    const errors = result.ok ? [] : result.issues.filter(({ severity }) => severity === "error");
    expect(errors.map(({ message }) => message)).toEqual([
      "unknown time zone `Europe/Zuerich`; write one such as `Europe/Zurich` or `UTC`",
    ]);
  });
});
