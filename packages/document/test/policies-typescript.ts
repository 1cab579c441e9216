/**
 * The snippets of docs/policies-typescript.md: every region below stands there as it stands here, is compiled with everything
 * else, and is run by `docs.test.ts`.
 */
import type { Hash } from "@saferun/core";
// #region policy
import { policy, rule, tool } from "@saferun/document";

const refund = tool("refund", {
  kind: "write",
  schema: {
    type: "object",
    properties: {
      amount: { type: "integer" },
      currency: { type: "string", enum: ["usd", "eur"] },
      reason: { type: "string" },
      items: { type: "array", items: { type: "object", properties: { price: { type: "integer" } } } },
    },
    required: ["amount", "currency"],
  },
});

const payments = policy({
  environments: { prod: { unmatched: "deny" } },
  rules: [
    rule({
      id: "refund.small",
      tool: refund,
      when: (c) => c.args.amount.gt(0).and(c.args.amount.le(10_000), c.args.currency.eq("usd")),
      then: "allow",
      else: "pause",
      approval: { show: ["amount", "reason"], editable: ["amount"] },
      reason: "Refunds over $100 need a person.",
    }),
  ],
  tests: [
    {
      name: "a small refund passes",
      call: { tool: refund.name, args: { amount: 4999, currency: "usd" } },
      expect: { then: "allow", by: ["refund.small"] },
    },
  ],
});

// #endregion
// #region conditions
import { cel } from "@saferun/document";

export const conditions = [
  rule({ id: "a", tool: refund, when: (c) => c.args.currency.in(["usd", "eur"]), then: "allow" }),
  rule({ id: "b", tool: refund, when: (c) => c.has(c.args.reason).not(), then: "pause" }),
  rule({ id: "c", tool: refund, when: (c) => c.args.reason.orValue("").size().lt(5), then: "pause" }),
  rule({ id: "d", tool: refund, when: (c) => c.args.items.exists((item) => item.price.lt(0)), then: "deny" }),
  rule({ id: "e", tool: refund, when: (c) => c.principal.roles.includes("intern"), then: "deny" }),
  // A tool without a schema, and everything that only the policy declares: fields by name.
  rule({
    id: "f",
    tool: "mail.send",
    when: (c) => c.inDomain(c.domain(c.args.field("to")), "acme.com"),
    then: "allow",
  }),
  // CEL as in a file, alone or as a part.
  rule({ id: "g", tool: refund, when: "args.amount > 1000000", then: "deny" }),
  rule({ id: "h", tool: refund, when: (c) => cel("args.amount % 100 == 0").or(c.env.ne("prod")), then: "pause" }),
];

// #endregion
// #region opaque
import { opaque } from "@saferun/document";

const holidays = new Set(["2026-12-25"]);

export const closed = rule({
  id: "refund.holiday",
  tool: refund,
  when: opaque((ctx) => holidays.has(new Date(ctx.now).toISOString().slice(0, 10)), { version: "holidays-2026" }),
  then: "pause",
});

// #endregion
// #region load
import { formatIssue, loadPolicies, toYaml } from "@saferun/document";

export function load(hash: Hash) {
  const loaded = loadPolicies([payments, { file: "more.yaml", text: "saferun: policy/v1\nlet: { limit: 5 }\n" }], {
    hash,
  });
  if (!loaded.ok) throw new Error(loaded.issues.map((issue) => formatIssue(issue)).join("\n"));
  return loaded;
}

export const exported = toYaml(payments);
// #endregion
