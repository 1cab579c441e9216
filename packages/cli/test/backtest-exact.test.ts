/** `saferun backtest` takes short cuts that `saferun eval` and the gate do not: each call must come out the same. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeClock } from "@saferun/store";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample, POLICY } from "./sample.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
  writeFileSync(join(place.cwd, "policies.yaml"), POLICY);
});
afterEach(() => place.remove());

const amount = fc.oneof(
  fc.constantFrom<unknown>(0, -1, 5000, 5001, 999_999, 1_000_000, -0, "5000", null, true, [1], { cents: 5 }),
  fc.integer({ min: -10, max: 2_000_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, max: 10_000 }),
);
const calls = fc.record(
  {
    tool: fc.constantFrom("stripe.refund", "stripe.refund", "orders.get", "mail.send", "nobody.knows", "bad\u0001name"),
    args: fc.record({ amount, note: fc.string({ unit: "grapheme" }) }, { requiredKeys: [] }),
  },
  { requiredKeys: ["tool", "args"] },
);
const CALLS = fc.sample(calls, { numRuns: 300, seed: 4 });

interface Answer {
  readonly verdict: "allow" | "deny" | "pause";
  readonly by: readonly string[];
}

async function evaluated(lines: readonly string[]): Promise<Answer[]> {
  const told = await saferun(place, ["eval", "-p", "policies.yaml", "-c", "-"], lines.join("\n"));
  return told.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
}

const isCall = ({ by }: Answer) => by[0] !== "call.malformed";

function counted(answers: readonly Answer[]) {
  const of = (verdict: Answer["verdict"]) => answers.filter((answer) => answer.verdict === verdict).length;
  return { allow: of("allow"), deny: of("deny"), pause: of("pause") };
}

it("[P13~] judges each line as `saferun eval` does, however it is spelled", async () => {
  const spellings = [
    (call: object) => JSON.stringify(call),
    (call: object) => JSON.stringify(call, null, 1).replaceAll("\n", ""),
    (call: object) => `${JSON.stringify(call).slice(0, -1)},"args":{"amount":1}}`,
    (call: object) => JSON.stringify(call).replace("o", "\\u006f"),
    (call: object) => JSON.stringify(call).replace('"args"', '"\\u0061rgs"'),
    (call: object) => `${JSON.stringify(call)} `,
    (call: object) => JSON.stringify({ ...call, env: "dev", agent: "ägent\u0301" }),
    (call: object) => JSON.stringify(call).slice(0, -1),
    (call: object) => JSON.stringify(call).replace("5000", "5e3").replace("-1", "-1.0e0"),
  ];
  const lines = CALLS.map((call, index) => spellings[index % spellings.length]?.(call) ?? "");
  const answers = await evaluated(lines);
  const known = answers.filter(isCall);
  // Each kind of answer is among them, or this says little.
  for (const number of Object.values(counted(known))) expect(number).toBeGreaterThan(10);
  expect(known.length).toBeLessThan(lines.length - 10);
  const told = lines.map((line, index) => {
    const answer = answers[index];
    const end = line.trimEnd().endsWith("}") ? line.lastIndexOf("}") : line.length;
    const { verdict, by } = answer ?? { verdict: "deny", by: [] };
    return `${line.slice(0, end)},"verdict":${JSON.stringify(verdict)},"by":${JSON.stringify(by)}${line.slice(end)}`;
  });
  writeFileSync(join(place.cwd, "told.jsonl"), told.join("\n"));
  const result = await saferun(place, ["backtest", "-p", "policies.yaml", "-c", "told.jsonl", "--json"]);
  expect(result.json()).toMatchObject({
    judged: known.length,
    changed: 0,
    same_verdict_by_other_rules: 0,
    verdict_before_unknown: 0,
    not_reproducible: { malformed: lines.length - known.length },
    after: counted(known),
  });
});

it("[P13~] judges each call of the log as the gate did, and as `saferun eval` does", async () => {
  // Budgets deny what they cannot count, and are no part of what rules alone say.
  const [rules] = POLICY.split("budgets:");
  const { gate, store, execute } = openSample(place.store, nodeClock, rules);
  const signal = AbortSignal.abort();
  for (const { tool, args } of CALLS) {
    const run = gate.openRun({ agent: "support", environment: "prod", prompt: ["Refund order 17, please."] });
    await gate.call(run, { tool, args, signal }, execute);
  }
  await store.close();
  const answers = await evaluated(
    CALLS.map((call) => JSON.stringify({ ...call, agent: "support", prompt: "Refund order 17, please." })),
  );
  const known = answers.filter(isCall);
  const result = await saferun(place, ["backtest", "-p", "policies.yaml", "--store", place.store, "--json"]);
  expect(result.json()).toMatchObject({
    judged: known.length,
    changed: 0,
    same_verdict_by_other_rules: 0,
    not_reproducible: { malformed: answers.length - known.length },
    before: counted(known),
    after: counted(known),
  });
});

it("[P13~] leaves standing what a breaker, a budget or a stop said: no policy undoes that", async () => {
  const recorded = [
    { tool: "orders.get", verdict: "deny", by: ["breaker:run"] },
    { tool: "orders.get", verdict: "pause", by: ["budget:reads"] },
    { tool: "nobody.knows", verdict: "pause", by: ["budget:reads"] },
    { tool: "orders.get", verdict: "deny", by: ["orders-hidden"] },
  ];
  const lines = recorded.map((line) => JSON.stringify({ ...line, args: {} })).join("\n");
  const result = await saferun(place, ["backtest", "-p", "policies.yaml", "-c", "-", "--json"], lines);
  expect(result.json()).toMatchObject({
    changes: [
      { where: "line 3", from: "pause", to: "deny", by: ["unmatched:prod"] },
      { where: "line 4", from: "deny", to: "allow", by: ["orders-read"] },
    ],
    changes_left_out: 0,
  });
});
