import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeClock } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";
import { openSample, POLICY } from "./sample.ts";

const SDK = new URL("../../sdk/src/index.ts", import.meta.url).href;

/** Its tools leave a file behind when they are really run. */
const agent = (amount: number) => `
import { writeFileSync } from "node:fs";
import { saferun } from ${JSON.stringify(SDK)};
const contacted = (name) => async () => { writeFileSync("contacted", name); return { ok: true }; };
export async function run({ prompt }) {
  const tools = { "orders.get": contacted("orders.get"), "stripe.refund": contacted("stripe.refund") };
  const ask = async () => ({ content: [{ type: "text", text: await contacted("model")() }] });
  const model = saferun.model({ provider: "acme", modelId: "m", doGenerate: ask, doStream: ask });
  const { content } = await model.doGenerate({ prompt: [{ role: "user", content: prompt[0] }] });
  const agent = saferun.wrap({ tools }, { policies: ["policies.yaml"], environment: "prod" });
  await agent.tools["orders.get"]({ order: content[0].text });
  const told = await agent.tools["stripe.refund"]({ amount: ${amount} });
  if (told.ok === false) await agent.tools["orders.get"]({ order: "18" });
}
`;

let place: Place;
let run = "";

beforeEach(async () => {
  place = makePlace();
  writeFileSync(join(place.cwd, "policies.yaml"), POLICY);
  writeFileSync(join(place.cwd, "agent.mjs"), agent(400));
  const sample = openSample(place.store, nodeClock);
  run = sample.run.id;
  const messages = [{ role: "user", content: "Refund order 17, please." }];
  const ticket = await sample.gate.model.request(sample.run, { model: "acme:m", messages, settings: {} });
  await sample.gate.model.response(sample.run, ticket, { content: [{ type: "text", text: "17" }] });
  for (const [tool, args] of [
    ["orders.get", { order: "17" }],
    ["stripe.refund", { amount: 400 }],
  ] as const) {
    await sample.gate.call(sample.run, { tool, args }, () => ({ ok: true }));
  }
  await sample.store.close();
});

afterEach(() => {
  // No tool ran, and no store was made where the agent would have had its own.
  expect(existsSync(join(place.cwd, "contacted"))).toBe(false);
  expect(existsSync(join(place.cwd, ".saferun"))).toBe(false);
  place.remove();
});

const replay = (...args: string[]) => saferun(place, ["replay", run, "--store", place.store, ...args]);

describe("saferun replay --reexecute", () => {
  it("[R4~] answers the agent's module from the record, and reports the first divergence", async () => {
    const same = await replay("--reexecute", "agent.mjs", "--json");
    expect(same.json()).toMatchObject({ same: true, divergence: null, answered: 3 });
    expect(same.stderr).toContain("cannot be stopped in this process");
    writeFileSync(join(place.cwd, "agent.mjs"), agent(500));
    const other = await replay("--reexecute", "agent.mjs");
    expect(other.code).toBe(1);
    expect(other.stdout).toContain(
      "other arguments  step 3: the same tool was called with other arguments (stripe.refund /amount)",
    );
    expect(other.stdout).toMatch(/expected {2}400\n {2}got {7}500/);
  });
});

describe("saferun replay --reexecute", () => {
  it.each([
    [
      "calls in another order",
      "refund(400); await order(17)",
      ["missing_call", 2, 'stripe.refund {"amount":400}, recorded as step 3'],
    ],
    [
      "without the first of them",
      "refund(400)",
      ["missing_call", 2, 'stripe.refund {"amount":400}, recorded as step 3'],
    ],
    ["without the last of them", "order(17)", ["missing_call", 3, "the end"]],
    ["with one more in front", "mail(); await order(17)", ["other_tool", 2, 'mail.send {"to":"x"}']],
  ])("[R4~] says of %s which recorded step did not come, and what came", async (_, calls, [kind, step, got]) => {
    writeFileSync(
      join(place.cwd, "agent.mjs"),
      agent(400)
        .replace(
          /await agent\.tools\["orders[\s\S]*$/,
          `const order = (id) => agent.tools["orders.get"]({ order: String(id) });
  const refund = (amount) => agent.tools["stripe.refund"]({ amount });
  const mail = () => agent.tools["mail.send"]({ to: "x" });
  await ${calls};
}
`,
        )
        .replace('"stripe.refund": contacted', '"mail.send": contacted("mail.send"), "stripe.refund": contacted'),
    );
    const { code, json } = await replay("--reexecute", "agent.mjs", "--json");
    expect(json().divergence).toMatchObject({ kind, step, got });
    expect(code).toBe(1);
  });

  it.each([
    ["ends the process", "process.exit(0)"],
    ["waits for what never comes", "await new Promise(() => {})"],
  ])("[R4~] is no success where the code %s", async (_, how) => {
    writeFileSync(join(place.cwd, "agent.mjs"), `export async function run() { ${how}; }\n`);
    const { code, stdout, stderr } = await replay("--reexecute", "agent.mjs");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("the agent's code ended the process before its run was over");
  });
});

describe("saferun replay --fork", () => {
  it("[R5] changes an argument, a result or a response of a step, goes on over recorded answers, and says what changed", async () => {
    const denied = await replay("--fork", "3", "--set", "args.amount=2000000", "--json");
    expect(denied.code).toBe(1);
    expect(denied.stderr).toContain("step 3: `args.amount` is 2000000, instead of 400");
    expect(denied.json()).toMatchObject({
      changes: [{ step: 3, before: { verdict: "allow" }, after: { verdict: "deny", ran: false } }],
    });
    const result = await replay("--fork", "3", "--set", "result.ok=false", "--reexecute", "agent.mjs", "--json");
    // The code takes another way, and the record has no answer for it.
    expect(result.json()).toMatchObject({
      same: false,
      fork: 3,
      answered: 3,
      divergence: { kind: "extra_call", got: 'orders.get {"order":"18"}' },
    });
    writeFileSync(join(place.cwd, "answer.json"), '{"content":[{"type":"text","text":"16"}]}');
    const response = await replay("--fork", "1", "--response", "answer.json", "--reexecute", "agent.mjs", "--json");
    expect(response.json()).toMatchObject({
      answered: 1,
      divergence: { kind: "other_arguments", step: 2, expected: '"17"', got: '"16"' },
    });
    expect(response.stderr).toContain("step 1: the model's answer is the one of `answer.json`");
    const usage = await replay("--fork", "3", "--set", "result.ok=false");
    expect([usage.code, usage.stderr]).toEqual([2, expect.stringContaining("name its module with `--reexecute`")]);
  });
});
