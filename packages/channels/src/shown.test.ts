import type { ApprovalRecord, Json } from "@saferun/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { argumentLines, leavesOf, printable } from "./shown.ts";

function approval(args: Json, show: readonly string[] = []): ApprovalRecord {
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
  };
}

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
