import type { CallEntry } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { recordedDecisions } from "./decisions.ts";

const CONTEXT = { agent: "a", environment: "prod", principal: {}, run: {}, call: {}, now: 1 };

function entry(seq: number, type: string, parts: Readonly<Record<string, unknown>>): CallEntry {
  const hash = "00".repeat(32);
  const writer = { id: "w", n: seq, prev: seq === 0 ? null : hash };
  const run = { id: "run_1", n: seq, prev: seq === 0 ? null : hash };
  const verdict = type === "call.decided" ? { verdict: "allow", rules: [], revision: "r" } : { tool: "pay" };
  const commitments = Object.fromEntries(Object.keys(parts).map((name) => [name, hash]));
  const header = JSON.stringify({
    v: 1,
    log: "l",
    writer,
    run,
    time: 1,
    type,
    call: "c",
    parts: commitments,
    ...verdict,
  });
  return { seq, header, parts: new Map(Object.entries(parts).map(([name, value]) => [name, JSON.stringify(value)])) };
}

function missing(proposal: Readonly<Record<string, unknown>>, decision: Readonly<Record<string, unknown>> = {}) {
  const read = recordedDecisions();
  read(entry(0, "call.proposed", { arguments: { to: "[redacted]" }, ...proposal }));
  const found = read(entry(1, "call.decided", { decision: { decision: {}, context: CONTEXT }, ...decision }));
  return found !== undefined && "missing" in found.input ? found.input.missing : null;
}

describe("a decision over content that the record masks", () => {
  it("[L6~] is not made again: the arguments and the context are not what was judged", () => {
    expect(missing({})).toBe(null);
    expect(missing({ redacted: { arguments: ["/to"] } })).toBe("masked");
    expect(missing({}, { redacted: { decision: ["/context/principal/id"] } })).toBe("masked");
    expect(missing({}, { redacted: { decision: ["/decision/reason"] } })).toBe(null);
  });
});
