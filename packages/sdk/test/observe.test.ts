/** Observing through the whole gate: the tool runs, and the record says what would have been. */
import { parseHeader } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { isDenied } from "../src/index.ts";
import { wrapWith } from "../src/saferun.ts";
import { policySet, world } from "./world.ts";

const POLICIES = policySet(`saferun: policy/v1
environments:
  prod: { unmatched: deny }
  staging: { unmatched: deny, mode: observe }
tools:
  refund: { kind: write }
rules:
  - { id: small, tool: refund, when: args.amount <= 100, then: allow }
  - { id: ask, tool: refund, when: args.amount > 100, then: pause }
  - { id: odd, tool: refund, when: args.amount % 2 == 1, then: deny, mode: observe }
  - { id: generous, tool: refund, when: args.amount < 0, then: allow, mode: observe }
`);

async function judged(environment: string, amount: number) {
  const w = world({ policies: POLICIES, environment, onPause: (call) => call.deny() });
  const refund = wrapWith(async function refund(args: { amount: number }) {
    w.ran.push({ tool: "refund", args });
  }, w.binding);
  const answer: unknown = await refund({ amount });
  const entry = (await w.entries()).find(({ header }) => parseHeader(header).type === "call.decided");
  const bytes = entry?.parts.find(({ name }) => name === "decision")?.bytes ?? undefined;
  const { decision } = JSON.parse(new TextDecoder().decode(bytes)) as { decision: Record<string, unknown> };
  return {
    ran: w.ran.length,
    denied: isDenied(answer),
    asked: w.paused.length,
    by: decision.by,
    would: decision.would,
  };
}

describe("observe mode", () => {
  it("[P12] of an environment or a rule decides and records, and blocks nothing", async () => {
    // A rule: its denial is recorded beside the verdict; and where it would allow, nothing is allowed by it.
    expect(await judged("prod", 7)).toEqual({
      ran: 1,
      denied: false,
      asked: 0,
      by: ["small"],
      would: { verdict: "deny", by: ["odd"] },
    });
    expect(await judged("prod", 8)).toMatchObject({ ran: 1, by: ["small"] });
    // An environment: what would be denied or asked runs, and nobody is asked.
    expect(await judged("staging", 500)).toEqual({
      ran: 1,
      denied: false,
      asked: 0,
      by: ["observe:staging"],
      would: { verdict: "pause", by: ["ask"] },
    });
    expect(await judged("staging", 501)).toMatchObject({
      ran: 1,
      denied: false,
      asked: 0,
      would: { verdict: "deny", by: ["odd"] },
    });
    // The same calls where nothing is observed.
    expect(await judged("prod", 500)).toMatchObject({ ran: 0, denied: true, asked: 1 });
  });

  it("an observed allow allows nothing (trap 4)", async () => {
    const only = policySet(`saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { refund: { kind: write } }
rules:
  - { id: generous, tool: refund, then: allow, mode: observe }
`);
    const w = world({ policies: only, environment: "prod" });
    const refund = wrapWith(async function refund(args: { amount: number }) {
      w.ran.push({ tool: "refund", args });
    }, w.binding);
    const answer: unknown = await refund({ amount: 1 });
    expect(isDenied(answer)).toBe(true);
    expect(w.ran).toEqual([]);
  });
});
