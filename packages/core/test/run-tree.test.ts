import {
  allSteps,
  type JsonObject,
  type ModelStep,
  type PolicySet,
  promptMessages,
  runTree,
  type StoredEntry,
  shownValue,
  type ToolStep,
  toWire,
  WITHOUT_LIMITS,
} from "@saferun/core";
import { describe, expect, it } from "vitest";
import { asked, decision, type World, world } from "./world.ts";

async function treeOf(at: World, change: (entries: StoredEntry[]) => StoredEntry[] = (entries) => entries) {
  return runTree(at.run.id, change([...(await at.store.entries({ from: 0, limit: 100_000 }))]));
}

function tools(tree: { steps: readonly unknown[] }): ToolStep[] {
  return tree.steps.filter((step): step is ToolStep => (step as ToolStep).kind === "call");
}

const usage = { inputTokens: { total: 120 }, outputTokens: { total: 30 } };

async function turn(at: World, messages: readonly unknown[], usdMicros: bigint | null = 250n): Promise<void> {
  const bound = { usdMicros: 1_000n, tokens: 500n };
  const ticket = await at.gate.model.request(at.run, { model: "acme:m", messages, settings: { tools: [] }, bound });
  at.clock.time += 700;
  const used = usdMicros === null ? null : { usdMicros, tokens: 150n };
  await at.gate.model.response(at.run, ticket, { content: [{ type: "text", text: "hm" }], usage }, used);
}

describe("a run as a tree of steps, from its entries alone", () => {
  it("[R1] has prompt, response, tool call, arguments as proposed and as run, decision and rule, result, time, tokens, cost", async () => {
    const at = world({
      tool: (args) => {
        at.clock.time += 40;
        return { refunded: args.amount };
      },
    });
    await turn(at, ["one"]);
    const waiting = at.call({ amount: 500 });
    await asked(at);
    at.clock.time += 9_000;
    await at.decide("approve", { amount: 450 });
    await waiting;
    await turn(at, ["one", "two"]);
    await at.call({ amount: 5_000 });

    const tree = await treeOf(at);
    expect(tree).toMatchObject({ run: at.run.id, agent: "bot", environment: "prod", gaps: [], within: null });
    expect(tree.steps.map(({ number, kind }) => [number, kind])).toEqual([
      [1, "model"],
      [2, "call"],
      [3, "model"],
      [4, "call"],
    ]);
    const [first, edited, second, refused] = tree.steps as [ModelStep, ToolStep, ModelStep, ToolStep];
    expect(first).toMatchObject({
      model: "acme:m",
      state: "responded",
      inputTokens: 120,
      outputTokens: 30,
      usdMicros: "250",
    });
    expect(shownValue(first.response)).toMatchObject({ content: [{ type: "text", text: "hm" }] });
    expect((first.execute.to ?? 0) - first.execute.from).toBe(700);
    expect(second.prompt).toMatchObject({ after: 1, keep: 1 });
    const models = new Map([first, second].map((step) => [step.number, step]));
    expect(promptMessages(tree, models, second).map((one) => shownValue(one))).toEqual(["one", "two"]);

    expect(edited).toMatchObject({ tool: "refund", state: "succeeded", lost: false });
    expect(shownValue(edited.arguments.proposed)).toEqual({ amount: 500 });
    expect(shownValue(edited.arguments.approved)).toEqual({ amount: 450 });
    expect(shownValue(edited.arguments.ran)).toEqual({ amount: 450 });
    expect(at.ran).toEqual([{ amount: 450 }]);
    expect(edited.decisions.map(({ verdict, approval }) => [verdict, approval === null])).toEqual([
      ["pause", true],
      ["pause", false],
    ]);
    expect(edited.approvals).toMatchObject([
      { state: "approved", used: true, answers: [{ by: "local:ana", edited: true, verdict: "allow" }] },
    ]);
    expect(shownValue(edited.result)).toEqual({ refunded: 450 });
    expect(shownValue(edited.note)).toMatchObject({ edited: true });
    expect(edited.totals.waitMs).toBeGreaterThanOrEqual(9_000);
    expect(edited.totals.executeMs).toBe(40);

    expect(refused).toMatchObject({
      state: "denied",
      execute: null,
      decisions: [{ verdict: "deny", reason: "deny says deny" }],
    });
    expect(refused.arguments.ran).toBe(null);
    expect(tree.totals).toMatchObject({
      calls: 2,
      models: 2,
      denied: 1,
      inputTokens: 240,
      outputTokens: 60,
      usdMicros: "500",
    });
    expect(tree.totals).toMatchObject({ modelMs: 1_400, executeMs: 40, estimated: false, unpriced: 0 });
  });

  it("[R1~] shows what is not over, what was cut off and what nobody knows as such", async () => {
    const at = world({
      tool: () => {
        throw new Error("socket");
      },
    });
    await at.gate.model.request(at.run, { model: "m", messages: [], settings: null });
    await turn(at, ["one"], null);
    await at.call({ amount: 1 });
    const waiting = at.call({ amount: 500 }, { maxWaitMs: 0 });
    await waiting;
    const entries = await at.store.entries({ from: 0, limit: 100 });
    const tree = runTree(at.run.id, entries);
    expect(tree.steps.map((step) => "state" in step && step.state)).toEqual([
      "pending",
      "responded",
      "unknown",
      "waiting",
    ]);
    expect(tree.totals).toMatchObject({ estimated: true });
    const cut = runTree(at.run.id, entries.slice(0, entries.length - 4));
    expect(cut.steps.map((step) => "state" in step && step.state)).toEqual(["pending", "responded", "executing"]);
  });

  it("[R1~] never guesses what is masked or was taken out of the log", async () => {
    const at = world({
      judge: () => decision("allow", "allow", { changed: { args: { amount: 3 }, paths: ["amount"] } }),
    });
    await at.call({ amount: 5 });
    const erased = await treeOf(at, (entries) =>
      entries.map((entry) => ({ ...entry, parts: entry.parts.map(({ name }) => ({ name, salt: null, bytes: null })) })),
    );
    const [gone] = tools(erased);
    expect(gone?.arguments).toEqual({
      proposed: { state: "erased" },
      changed: { state: "erased" },
      approved: null,
      ran: { state: "erased" },
    });
    expect(gone?.result).toEqual({ state: "erased" });
    const salt = new Uint8Array(32);
    const masks = { decision: ["/decision/changed/args/amount"], arguments: [""] };
    const bytes = new TextEncoder().encode(JSON.stringify(masks));
    const masked = await treeOf(at, (entries) =>
      entries.map((entry) => ({ ...entry, parts: [...entry.parts, { name: "redacted", salt, bytes }] })),
    );
    const [hidden] = tools(masked);
    expect(hidden?.arguments.proposed).toEqual({ state: "present", value: { amount: 5 }, masked: [""] });
    expect(hidden?.arguments.ran).toEqual({ state: "present", value: { amount: 3 }, masked: ["/amount"] });
  });

  it("[R1~] nests what happened within a call, and rolls its tokens and cost up", async () => {
    const at = world();
    await at.gate.call(at.run, { tool: "delegate", args: { amount: 1 } }, async (permit) => {
      const { root, runs, depth } = at.run;
      const parent = { root, runs, depth };
      const sub = at.gate.openRun({
        id: at.run.id,
        agent: "helper",
        environment: "prod",
        parent,
        within: permit.callId,
      });
      const bound = { usdMicros: 5n, tokens: 5n };
      const ticket = await at.gate.model.request(sub, { model: "m", messages: ["sub"], settings: null, bound });
      await at.gate.model.response(sub, ticket, { usage }, { usdMicros: 4n, tokens: 2n });
      await at.gate.call(sub, { tool: "refund", args: { amount: 5_000 } }, () => "ran");
      const other = at.gate.openRun({ agent: "other", environment: "prod", parent, within: permit.callId });
      await at.gate.call(other, { tool: "refund", args: { amount: 2 } }, () => "ran");
      return "done";
    });
    const entries = await at.store.entries({ from: 0, limit: 100 });
    const otherId = entries
      .map((entry) => JSON.parse(new TextDecoder().decode(entry.header)).run?.id)
      .find((id) => id !== undefined && id !== at.run.id);
    const nested = runTree(otherId, entries);
    expect(nested.around).toEqual([at.run.id]);
    const tree = runTree(at.run.id, entries, [nested]);
    expect(tree.steps).toHaveLength(1);
    expect(tree.runs).toEqual([]);
    const [delegate] = tools(tree);
    expect(delegate?.steps.map(({ kind, agent }) => [kind, agent])).toEqual([
      ["event", "helper"],
      ["model", "helper"],
      ["call", "helper"],
    ]);
    expect(delegate?.runs.map(({ run }) => run)).toEqual([otherId]);
    expect(tree.totals).toMatchObject({ calls: 3, models: 1, denied: 1, usdMicros: "4", inputTokens: 120 });
    expect(allSteps(tree.steps).map(({ number }) => number)).toEqual([1, 2, 3, 4]);
  });

  it("[R1~] says which of the run's entries are not there, whatever else the log holds", async () => {
    const at = world();
    await at.call({ amount: 1 });
    const tree = await treeOf(at, (entries) => entries.toSpliced(3, 1));
    expect(tree.gaps).toHaveLength(1);
  });

  it("names things in snake_case on the wire and leaves recorded content alone", async () => {
    const at = world();
    await at.call({ amount: 1, someKey: { innerKey: 1 } });
    const wire = toWire(await treeOf(at));
    const [step] = wire.steps;
    expect(wire.totals.usd_micros).toBe("0");
    expect(step).toMatchObject({
      arguments: { proposed: { state: "present", value: { amount: 1, someKey: { innerKey: 1 } } } },
    });
    expect(JSON.parse(JSON.stringify(wire))).toEqual(wire);
  });

  it("[R1~] takes time for as many steps as it has, not for their square", async () => {
    const cpu = async (turns: number): Promise<number> => {
      const judge = () => decision("allow");
      const policies = { evaluate: judge, explain: judge, kind: () => "write" as const, declares: () => true };
      const bound = { revision: "r1", boundPaths: () => [], bound: (_: string, args: JsonObject) => args };
      const set: PolicySet = { ...policies, ...bound, ...WITHOUT_LIMITS, observes: () => true };
      const at = world({ policies: () => set });
      for (let index = 0; index < turns; index++) {
        await turn(
          at,
          Array.from({ length: Math.min(index + 1, 50) }, (_, one) => `message ${index < 50 ? one : index - 49 + one}`),
        );
        await at.call({ amount: 1 });
      }
      const entries = await at.store.entries({ from: 0, limit: 100_000 });
      const times = Array.from({ length: 5 }, () => {
        const before = process.cpuUsage();
        const tree = runTree(at.run.id, entries);
        expect(tree.steps).toHaveLength(turns * 2);
        JSON.stringify(toWire(tree));
        const { user, system } = process.cpuUsage(before);
        return user + system;
      });
      return times.sort((a, b) => a - b)[2] ?? 0;
    };
    const [small, large] = [await cpu(60), await cpu(300)];
    expect(large / small).toBeLessThan(15);
  });
});
