import { describe, expect, it } from "vitest";
import { createStyle } from "../output/style.ts";
import type { CallStep } from "./steps.ts";
import { runLines } from "./view.ts";

const RUN = { id: "run_1", agent: "support", environment: "prod", startedAt: 0, lastAt: 9_000, entries: 9 };

const STEP: CallStep = {
  kind: "call",
  seq: 4,
  at: 5,
  type: "call.proposed",
  call: "call_7",
  tool: "refund",
  verdict: "pause",
  rules: ["refund.small"],
  revision: null,
  reason: "Refunds over $100 need a person.",
  decisions: [
    { verdict: "pause", rules: ["refund.small"], at: 5 },
    { verdict: "deny", rules: ["refund.limit"], at: 8_005 },
  ],
  args: { amount: 450_000 },
  ran: null,
  edited: true,
  approval: { id: "appr_1", answer: "approved", by: { id: "local:ann", verified: false } },
  outcome: null,
  result: null,
  waitedMs: 8_000,
  executedMs: null,
  events: [],
};

describe("long arguments", () => {
  const to = Array.from({ length: 500 }, (_, index) => `lead-${index}@example.com`);
  const args = { to, text: "x".repeat(2_000), nested: { list: [...to.keys()].slice(0, 11) } };
  const linesOf = (full: boolean) => runLines(RUN, [{ ...STEP, args }], createStyle(false), { full });

  it("are folded, with a count and the way to see all of them", () => {
    const text = linesOf(false);
    expect(text.length).toBeLessThan(45);
    expect(text.join("\n")).toContain('[9]  "lead-9@example.com"\n       … and 490 more; `--full` shows all\n');
    expect(text.join("\n")).toContain("… (2002 characters; `--full` shows all)");
    // Folding one away would take a line as well.
    expect(text.join("\n")).toContain("[10]  10");
  });

  it("are whole where somebody asks for it", () => {
    const text = linesOf(true).join("\n");
    expect(text).toContain("lead-499@example.com");
    expect(text).toContain("x".repeat(2_000));
    expect(text).not.toContain("--full");
  });
});

describe("a call that was approved and then denied", () => {
  it("names the call, and the rule that denied what a person had approved", () => {
    const text = runLines(RUN, [STEP], createStyle(false)).join("\n");
    expect(text).toContain("1. refund  +5 ms  call_7\n");
    expect(text).toContain(
      "pause (refund.small) → approved by local:ann, not verified after 8 s → denied (refund.limit)",
    );
  });
});
