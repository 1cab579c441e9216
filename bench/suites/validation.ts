import { median, perCall } from "../measure.ts";
import { atMost, type Row, row } from "../report.ts";
import { decider, expectAnswer, load } from "./deciding.ts";

/** What a tool of a payment provider looks like: a nested object, an enum, bounds, a pattern, a list. */
const SCHEMA = {
  type: "object",
  properties: {
    amount: { type: "integer", minimum: 1, maximum: 1_000_000 },
    currency: { type: "string", enum: ["usd", "eur", "chf", "gbp"] },
    charge: { type: "string", pattern: "^ch_[A-Za-z0-9]{8,32}$" },
    reason: { type: "string", maxLength: 500 },
    customer: {
      type: "object",
      properties: { id: { type: "string", maxLength: 64 }, country: { type: "string", minLength: 2, maxLength: 2 } },
      required: ["id", "country"],
    },
    tags: { type: "array", items: { type: "string", maxLength: 32 }, maxItems: 10 },
  },
  required: ["amount", "currency", "charge", "customer"],
};

const CALL = {
  tool: "refund",
  args: {
    amount: 4_999,
    currency: "usd",
    charge: "ch_3MmlLrLkdIwHu7ix",
    reason: "the parcel arrived damaged",
    customer: { id: "cus_8123", country: "CH" },
    tags: ["damaged", "first"],
  },
};
const MISFIT = { tool: "refund", args: { ...CALL.args, amount: "4999" } };

export function validation(): Row[] {
  const { charge: _, ...properties } = SCHEMA.properties;
  const plain = { ...SCHEMA, properties: { ...properties, charge: { type: "string", maxLength: 35 } } };
  return [
    row("argument validation, a typical tool schema", added(SCHEMA), "µs", atMost(1)),
    row("argument validation, the same with a length in place of its one pattern", added(plain), "µs"),
  ];
}

/** The time of a decision with a `schema` less that of the same decision without one, in turns. */
function added(schema: object): number {
  const checked = decider(load(policy(`, schema: ${JSON.stringify(schema)}`)), [CALL, MISFIT]);
  const unchecked = decider(load(policy("")), [CALL, MISFIT]);
  expectAnswer(checked, 1, "deny", "the schema");
  expectAnswer(unchecked, 1, "allow", "the policy without a schema");
  for (let index = 0; index < 20_000; index++) {
    expectAnswer(checked, 0, "allow", "the schema");
    expectAnswer(unchecked, 0, "allow", "the policy without a schema");
  }
  const differences = Array.from({ length: 15 }, () => {
    const without = perCall(1, 20_000, () => unchecked(0));
    return perCall(1, 20_000, () => checked(0)) - without;
  });
  return median(differences);
}

function policy(schema: string): string {
  return `saferun: policy/v1
environments: { prod: {} }
tools: { refund: { kind: write${schema} } }
rules: [{ id: refunds, tool: refund, then: allow }]
`;
}
