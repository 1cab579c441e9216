import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decideApproval } from "@saferun/core";
import { nodeClock, nodeHash, nodeRandom } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inProcess } from "./in-process.ts";
import { openSample, POLICY, pendingApproval, type Sample } from "./sample.ts";

let directory = "";
let sample: Sample;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-runs-"));
  sample = openSample(join(directory, "store"));
});
afterEach(async () => {
  await sample.store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function shown(...options: string[]): Promise<string> {
  const { exit, out } = await inProcess(directory, ["runs", sample.run.id, ...options]);
  expect(exit).toBe(0);
  return out;
}

const call = (tool: string, args: object) => sample.gate.call(sample.run, { tool, args }, sample.execute);

/** As the AI SDK writes messages and answers. */
async function turn(messages: readonly object[], content: readonly object[]): Promise<void> {
  const bound = { usdMicros: 1_000n, tokens: 500n };
  const { gate, run } = sample;
  const ticket = await gate.model.request(run, { model: "acme:large", messages, settings: {}, bound });
  await gate.model.response(run, ticket, { content, usage: { inputTokens: 12, outputTokens: 3 } }, null);
}

describe("saferun runs RUN", () => {
  it("[R1~] tells turns of the model as what was asked and said, never as JSON of the log", async () => {
    const system = { role: "system", content: "You are kind." };
    const user = { role: "user", content: [{ type: "text", text: "Where is order 17?" }] };
    const wants = { type: "tool-call", toolCallId: "c1", toolName: "orders.get", input: '{"id":17}' };
    await turn([system, user], [{ type: "reasoning", text: "Look it up." }, wants]);
    await call("orders.get", { id: 17 });
    const told = { type: "tool-result", toolCallId: "c1", toolName: "orders.get", output: { type: "json", value: {} } };
    const before = [system, user, { role: "assistant", content: [{ ...wants, input: { id: 17 } }] }];
    await turn([...before, { role: "tool", content: [told] }], [{ type: "text", text: "On its\u001b[2J way." }]);

    const text = await shown();
    expect(text).toContain('asked  "Refund order 17, please."');
    expect(text).toMatch(
      /^ {3}1\. +\+.+ {2}model acme:large\n {6}responded in .+ {2}12 \+ 3 tokens, \$0.001 estimated\n/m,
    );
    expect(text).toContain(
      '      system  "You are kind."\n      user  "Where is order 17?"\n      thinks  "Look it up."\n      calls  orders.get {"id":17}\n',
    );
    expect(text).toMatch(/^ {3}2\. +\+.+ {2}orders\.get {2}call_\w+\n {6}allow \(orders-read\) → succeeded/m);
    expect(text).toContain('      goes on with 2 messages of the steps before\n      says  "On its\\u001b[2J way."\n');
    expect(text).not.toContain("toolCallId");
    expect(await shown("--full")).toContain('      tool got  orders.get {"type":"json","value":{}}\n');
  });

  it("folds long arguments and results, with a count and the way to see all of them", async () => {
    const to = Array.from({ length: 500 }, (_, index) => `lead-${index}@example.com`);
    await call("orders.get", { to, text: "x".repeat(2_000), list: Array.from({ length: 11 }, (_, index) => index) });
    const text = await shown();
    expect(text.split("\n").length).toBeLessThan(45);
    expect(text).toContain('[9]  "lead-9@example.com"\n          … and 490 more; `--full` shows all\n');
    expect(text).toContain("… (2002 characters; `--full` shows all)");
    // Folding one away would take a line as well.
    expect(text).toContain("[10]  10");
    const full = await shown("--full");
    expect(full).toContain("lead-499@example.com");
    expect(full).toContain("x".repeat(2_000));
    expect(full).not.toContain("--full");
  });

  it("names the call, who approved it without proof of who they are, and the rule that denied it all the same", async () => {
    await sample.store.close();
    sample = openSample(join(directory, "store"), nodeClock, POLICY.replace("limit: 1000000", "limit: 12000"));
    const waiting = call("stripe.refund", { amount: 9_000 });
    const id = await pendingApproval(sample.store, "stripe.refund");
    // Where nobody looks ahead, only the second look sees that it is too much.
    const ports = { store: sample.store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
    const by = { id: "local:ana", via: "cli", verified: false, roles: ["approver"] };
    await decideApproval(ports, { approval: id, verdict: "approve", by, args: { amount: 20_000 } });
    expect(await waiting).toMatchObject({ status: "denied" });
    const text = await shown();
    expect(text).toMatch(
      /pause \(refund-large\) → approved by local:ana, not verified after .+ → denied \(budget:refunds\)/,
    );
    expect(sample.ran).toEqual([]);
  });

  it("shows the runs that were started within it, also while its last call goes on", async () => {
    const inner = sample.gate.openRun({
      agent: "helper",
      environment: "prod",
      parent: { root: sample.run.id, runs: [sample.run.id], depth: 0 },
    });
    await call("orders.get", {});
    await nodeClock.sleep(5);
    await sample.gate.call(inner, { tool: "shell.exec", args: {} }, sample.execute);
    expect(await shown()).toContain(`↳ run ${inner.id} of agent helper: 1 call, 1 refused\n`);
    const { out } = await inProcess(directory, ["replay", sample.run.id]);
    expect(out).toContain(`↳ run ${inner.id} of agent helper: 1 call, 1 refused\n`);
  });

  it("[R1~] gives programs the tree that replay gives them", async () => {
    await call("orders.get", { id: 17 });
    const [runs, replay] = [
      await inProcess(directory, ["runs", sample.run.id, "--json"]),
      await inProcess(directory, ["replay", sample.run.id, "--json"]),
    ];
    expect(runs.json()).toEqual(replay.json());
    expect(runs.json()).toMatchObject({ run: sample.run.id, steps: [{ kind: "call", tool: "orders.get" }] });
  });
});
