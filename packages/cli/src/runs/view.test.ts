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

describe("a call that was approved and then denied", () => {
  it("names the call, and the rule that denied what a person had approved", () => {
    const text = runLines(RUN, [STEP], createStyle(false)).join("\n");
    expect(text).toContain("1. refund  +5 ms  call_7\n");
    expect(text).toContain(
      "pause (refund.small) → approved by local:ann, not verified after 8 s → denied (refund.limit)",
    );
  });
});
