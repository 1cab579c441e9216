import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun, start } from "./saferun.ts";
import { POLICY } from "./sample.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
  writeFileSync(join(place.cwd, "policies.yaml"), POLICY);
});
afterEach(() => place.remove());

type Line = Record<string, unknown>;

async function judged(...lines: string[]): Promise<Line[]> {
  const result = await saferun(
    place,
    ["eval", "--policies", "policies.yaml", "--calls", "-", "--json"],
    lines.map((line) => `${line}\n`).join(""),
  );
  expect(result).toMatchObject({ code: 0, stderr: "" });
  const decisions = result.stdout.trimEnd().split("\n");
  expect(decisions).toHaveLength(lines.length);
  return decisions.map((decision) => JSON.parse(decision) as Line);
}

const refund = (amount: unknown, more: object = {}) =>
  JSON.stringify({ tool: "stripe.refund", args: { amount }, ...more });

describe("saferun eval", () => {
  it("writes one decision for each call, in order, denials included", async () => {
    const [small, large, unknown, elsewhere] = await judged(
      refund(100),
      refund(9_000, { ignored: true, facts: {}, records: {}, result: { ok: true } }),
      '{"tool":"shell.exec","args":{}}',
      '{"tool":"orders.any","args":{},"env":"dev"}',
    );
    expect(small).toMatchObject({
      verdict: "allow",
      by: ["refund-small"],
      revision: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(large).toMatchObject({ verdict: "pause", by: ["refund-large"], reason: "refunds over 50.00 need a person" });
    expect(unknown).toMatchObject({ verdict: "deny", by: ["unmatched:prod"] });
    expect(elsewhere).toMatchObject({ verdict: "deny", by: ["unmatched:dev"] });
    expect(Object.keys(small ?? {}).sort()).toEqual(["by", "reason", "revision", "verdict"]);
  });

  it("denies every malformed line and goes on (traps 7 and 10)", async () => {
    const lines = [
      "",
      "not json",
      "[]",
      '{"args":{}}',
      '{"tool":"stripe.refund"}',
      '{"tool":"stripe.refund","args":[1]}',
      '{"tool":"stripe.refund","args":{"amount":NaN}}',
      '{"tool":"stripe.refund","args":{"amount":1e400}}',
      '{"tool":"stripe.refund","args":{"amount":9007199254740993}}',
      '{"tool":"stripe.refund","args":{"amount":1,"amount":900000}}',
      '{"tool":"stripe.refund","args":{"amount":1},"tool":"orders.get"}',
      '{"tool":"stripe.refund","args":{"amount":1,"__proto__":{"amount":2}}}',
      '{"tool":"stripe.refund","args":{"amount":1,"constructor":1}}',
      '{"tool":"stripe.refund","args":{"amount":1},"now":"yesterday"}',
      '{"tool":"stripe.refund","args":{"amount":1},"now":"2026-05-15T15:00:00"}',
      '{"tool":"stripe.refund","args":{"amount":1},"principal":"ann"}',
      '{"tool":"stripe.refund","args":{"amount":1},"env":7}',
      '{"tool":"stripe.refund","args":{"amount":1},"context":[]}',
    ];
    const decisions = await judged(...lines, refund(100));
    const allowed = decisions.pop();
    for (const [index, decision] of decisions.entries()) {
      expect(decision, lines[index]).toMatchObject({ verdict: "deny", error: expect.stringMatching(/./) });
    }
    expect(allowed).toMatchObject({ verdict: "allow" });
    expect(decisions[9]?.error).toBe("column 44: the key `amount` twice");
  });

  it("denies lines that are no text, and ends the last line at the end of the file", async () => {
    const bytes = Buffer.concat([Buffer.from([0x22, 0xff, 0x22, 0x0a]), Buffer.from(refund(100))]);
    const result = await saferun(place, ["eval", "-p", "policies.yaml", "-c", "-"], bytes);
    const lines = result.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    expect(lines).toEqual([
      expect.objectContaining({ verdict: "deny", error: "a line that is not UTF-8" }),
      expect.objectContaining({ verdict: "allow" }),
    ]);
    expect(result.code).toBe(0);
  });

  it("answers a line before the next one has come", async () => {
    const child = start(place, ["eval", "-p", "policies.yaml", "-c", "-"]);
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    for (const amount of [100, 9_000]) {
      child.stdin.write(`${refund(amount)}\n`);
      const { value } = await answers.next();
      expect(JSON.parse(String(value))).toMatchObject({ verdict: amount === 100 ? "allow" : "pause" });
    }
    child.stdin.end();
    expect(await once(child, "close")).toEqual([0, null]);
  });

  it("judges nothing by policies that are not usable, or without calls", async () => {
    writeFileSync(join(place.cwd, "bad.yaml"), POLICY.replace("then: allow", "then: alow"));
    const broken = await saferun(place, ["eval", "-p", "bad.yaml", "-c", "-"], refund(1));
    expect(broken).toMatchObject({ code: 3, stdout: "" });
    expect(broken.stderr).toContain("bad.yaml:");
    const missing = await saferun(place, ["eval", "-p", "policies.yaml", "-c", "calls.jsonl"]);
    expect(missing).toMatchObject({ code: 2, stdout: "" });
  });
});
