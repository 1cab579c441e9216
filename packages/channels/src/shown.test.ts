import { type ApprovalRecord, type Json, leavesOf } from "@saferun/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { argumentLines, changeLines, printable } from "./shown.ts";

function approval(args: Json, show: readonly string[] = [], more: Partial<ApprovalRecord> = {}): ApprovalRecord {
  const terms = { route: "default", to: [], roles: [], need: 1, withinMs: 1, show, editable: [] };
  return {
    id: "appr_1",
    version: 1,
    since: 1,
    state: "pending",
    call: "call_1",
    run: "run_1",
    tool: "t",
    agent: "a",
    environment: "prod",
    digest: "d",
    bytes: JSON.stringify(args),
    reasons: [{ id: "r", digest: "d", reason: "x", approval: terms }],
    editable: [],
    requesters: [],
    edit: null,
    votes: [],
    escalated: 0,
    createdAt: 0,
    deadline: 1,
    decision: null,
    ...more,
  };
}

const UNITS = { amount: { unit: "usd_cents", from: ["currency"] }, "lines[].price": { unit: "chf" } };
const edited = (args: Json): Partial<ApprovalRecord> => ({
  units: UNITS,
  edit: { by: { id: "ann", via: "cli", verified: true }, digest: "e", bytes: JSON.stringify(args) },
});

describe("argumentLines", () => {
  it("puts what the rule shows first, then destinations and amounts, then the rest", () => {
    const args = { zip: 1, customer_id: "c", note: "n", to: ["a", "b"], deep: { url: "u", x: {} }, memo: "first" };
    expect(argumentLines(approval(args, ["memo"]))).toEqual([
      'memo: "first"',
      'customer_id: "c"',
      'to[0]: "a"',
      'to[1]: "b"',
      'deep.url: "u"',
      "zip: 1",
      'note: "n"',
      "deep.x: {}",
    ]);
  });

  it("says what an amount is, and beside it what runs", () => {
    const args = { amount: 450_000, currency: "usd", lines: [{ price: "49.90" }, { price: "x" }] };
    expect(argumentLines(approval(args, ["amount"], { units: UNITS }))).toEqual([
      "amount: $4,500.00 (450000)",
      'currency: "usd"',
      'lines[0].price: 49.90 CHF ("49.90")',
      'lines[1].price: "x"',
    ]);
  });

  it("says no unit of an edit that it was not told of", () => {
    const before = { amount: 450_000, currency: "usd" };
    expect(argumentLines(approval(before, [], edited({ amount: 5_000, currency: "usd" })))).toContain(
      "amount: $50.00 (5000)",
    );
    expect(argumentLines(approval(before, [], edited({ amount: 5_000, currency: "jpy" })))).toContain("amount: 5000");
  });

  it("no key passes for a path that has a unit", () => {
    const args = { "lines[0].price": 5, lines: { "[0]": { price: 5 }, "0": { price: 5 } }, "a.amount": 5 };
    const lines = argumentLines(approval(args, [], { units: { ...UNITS, "a.amount": { unit: "usd" } } }));
    expect(lines.filter((line) => /CHF|\$\d/.test(line))).toEqual([]);
  });

  it("lets no key or text make a line of its own (trap 27)", () => {
    const args = { 'amount: 5\nto: "ada"': 'x\n+ amount: 1\u2028\u202e"', "a.b": 1 };
    expect(argumentLines(approval(args))).toEqual([
      '["amount: 5\\nto: \\"ada\\""]: "x\\n+ amount: 1\\u{2028}\\u{202e}\\""',
      '["a.b"]: 1',
    ]);
  });

  it("says that there are none", () => {
    expect(argumentLines(approval({}))).toEqual(["(no arguments): {}"]);
  });

  it("has one line for each value, and each value in a line", () => {
    const json = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(json, (value) => {
        const args = JSON.parse(JSON.stringify(value)) as Json;
        const lines = argumentLines(approval(args));
        expect(lines).toHaveLength(leavesOf(args).length);
        expect(new Set(lines).size).toBe(lines.length);
        expect(lines.every((line) => printable(line) === line)).toBe(true);
      }),
    );
  });
});

describe("changeLines", () => {
  it("shows both sides of what an approver changed, as money where it is", () => {
    const before = { amount: 450_000, currency: "usd", odd: { "a.b": 1, same: 2 } };
    const after = { amount: 5_000, currency: "usd", odd: { "a.b": 3, same: 2 } };
    expect(changeLines(approval(before, [], edited(after)))).toEqual([
      "- amount: $4,500.00 (450000)",
      '- odd["a.b"]: 1',
      "+ amount: $50.00 (5000)",
      '+ odd["a.b"]: 3',
    ]);
  });
});
