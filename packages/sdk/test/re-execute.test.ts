import type { LanguageModelV4Content, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { type RunTree, runTree } from "@saferun/core";
import { createMemoryStore } from "@saferun/store";
import { generateText, isStepCount, jsonSchema, ToolLoopAgent, tool } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { describe, expect, it } from "vitest";
import { policy, reExecute, rule, saferun } from "../src/index.ts";

const usage = {
  inputTokens: { total: 3, noCache: 3, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 5, text: 5, reasoning: 0 },
};
const args = jsonSchema<{ amount?: number; order?: string }>({ type: "object", additionalProperties: true });

const rules = policy({
  environments: { prod: { unmatched: "deny" } },
  rules: [
    rule({ id: "look", tool: "lookup", then: "allow" }),
    rule({ id: "pay", tool: "refund", when: "args.amount <= 50", then: "allow" }),
  ],
});

type Part = Extract<LanguageModelV4Content, { type: "text" | "tool-call" }>;

interface Agent {
  readonly instructions?: string;
  /** What the tool does to its arguments before it is called. */
  readonly reads?: string;
  readonly streams?: boolean;
  readonly extra?: boolean;
}

/** Two looks side by side, a refund, one that is denied, then a word. */
function code(
  contacts: { models: number; tools: number },
  store: ReturnType<typeof createMemoryStore>,
  of: Agent = {},
) {
  const turn = (calls: readonly (readonly [string, object])[]) => ({
    content: (calls.length === 0
      ? [{ type: "text", text: "done" }]
      : calls.map(([toolName, given], index) => {
          const input = JSON.stringify(given);
          return { type: "tool-call", toolCallId: `${toolName}-${index}-${input}`, toolName, input };
        })) satisfies Part[] as Part[],
    finishReason: { unified: calls.length === 0 ? ("stop" as const) : ("tool-calls" as const), raw: undefined },
    usage,
    warnings: [],
  });
  const turns = [
    turn([
      ["lookup", { order: "7" }],
      ["lookup", { order: "8" }],
    ]),
    turn([["refund", { amount: 5 }]]),
    turn([["refund", { amount: 500 }]]),
    turn([]),
  ];
  const next = () => turns[contacts.models++] ?? turn([]);
  const model = new MockLanguageModelV4({
    doGenerate: async () => next(),
    doStream: async () => {
      const { content, finishReason } = next();
      const parts = content.flatMap((part, index): LanguageModelV4StreamPart[] =>
        part.type === "text"
          ? [
              { type: "text-start" as const, id: `${index}` },
              { type: "text-delta" as const, id: `${index}`, delta: part.text },
              { type: "text-end" as const, id: `${index}` },
            ]
          : [part],
      );
      return {
        stream: new ReadableStream({
          start(controller) {
            for (const part of [
              { type: "stream-start" as const, warnings: [] },
              ...parts,
              { type: "finish" as const, finishReason, usage },
            ])
              controller.enqueue(part);
            controller.close();
          },
        }),
      };
    },
  });
  const counted =
    (result: (given: { amount?: number; order?: string }) => unknown) =>
    async (given: { amount?: number; order?: string }) => {
      contacts.tools++;
      return result(given);
    };
  const agent = saferun.wrap(
    new ToolLoopAgent({
      model,
      instructions: of.instructions ?? "Help.",
      stopWhen: isStepCount(8),
      tools: {
        lookup: tool({ inputSchema: args, execute: counted(({ order }) => ({ order, total: 5 })) }),
        refund: tool({ inputSchema: args, execute: counted(({ amount }) => ({ refunded: amount })) }),
      },
    }),
    { policies: [rules], environment: "prod", store },
  );
  return async () => {
    if (of.streams === true) {
      const { text } = await agent.stream({ prompt: "Refund order 7." });
      return text;
    }
    const { text } = await agent.generate({ prompt: of.reads ?? "Refund order 7." });
    if (of.extra === true) await generateText({ model: saferun.model(model, { store }), prompt: "one more" });
    return text;
  };
}

async function recorded(of: Agent = {}): Promise<RunTree> {
  const store = createMemoryStore();
  const contacts = { models: 0, tools: 0 };
  await code(contacts, store, of)();
  expect(contacts).toEqual({ models: 4, tools: 3 });
  const [run] = await store.runs({ limit: 1 });
  return runTree(run?.id ?? "", await store.entries({ from: 0, limit: 1_000 }));
}

async function again(tree: RunTree, of: Agent = {}, fork?: Parameters<typeof reExecute>[2]) {
  const contacts = { models: 0, tools: 0 };
  const store = createMemoryStore();
  const report = await reExecute(tree, () => code(contacts, store, of)(), fork);
  // Real tools and models are never contacted, and nothing is recorded.
  expect(contacts).toEqual({ models: 0, tools: 0 });
  expect((await store.head()).size).toBe(0);
  return report;
}

describe("an agent's own code on recorded answers", () => {
  it.each([{ streams: false }, { streams: true }])("[R4~] does as it did, streaming or not: $streams", async (of) => {
    const tree = await recorded(of);
    expect(await again(tree, of)).toEqual({ divergence: null, changes: [], answered: 8, error: null });
  });

  it("[R4] finds what was seeded, first and at its step: prompt, arguments, tool, missing, extra", async () => {
    const tree = await recorded();
    const numbers = tree.steps.filter(({ kind }) => kind !== "event").map(({ number, kind }) => `${number} ${kind}`);
    expect(numbers).toEqual(["1 model", "2 call", "3 call", "4 model", "5 call", "6 model", "7 call", "8 model"]);

    const other = await again(tree, { instructions: "Help a lot." });
    expect(other.divergence).toMatchObject({
      kind: "other_prompt",
      step: 1,
      where: "message 1 /content",
      expected: '"Help."',
      got: '"Help a lot."',
    });
    expect((await again(tree, { reads: "Refund order 9." })).divergence).toMatchObject({
      kind: "other_prompt",
      step: 1,
      where: expect.stringContaining("message 2"),
    });
    const extra = await again(tree, { extra: true });
    expect(extra.divergence).toMatchObject({ kind: "extra_call", step: null, expected: "the end" });
    expect(extra.answered).toBe(8);

    const changed = (
      step: number,
      change: (call: Extract<RunTree["steps"][number], { kind: "call" }>) => object,
    ): RunTree => ({
      ...tree,
      steps: tree.steps.map((one) => (one.number === step && one.kind === "call" ? { ...one, ...change(one) } : one)),
    });
    const args = changed(5, (one) => ({
      arguments: { ...one.arguments, proposed: { state: "present", value: { amount: 4 }, masked: [] } },
    }));
    expect((await again(args)).divergence).toEqual({
      kind: "other_arguments",
      step: 5,
      where: "refund /amount",
      expected: "4",
      got: "5",
    });
    const named = changed(5, () => ({ tool: "charge" }));
    expect((await again(named)).divergence).toMatchObject({
      kind: "other_tool",
      step: 5,
      where: "charge",
      got: 'refund {"amount":5}',
    });
    const fewer = { ...tree, steps: tree.steps.filter(({ number }) => number !== 5) };
    expect((await again(fewer)).divergence).toMatchObject({ kind: "extra_call", step: 6 });
    const shorter = await reExecute(tree, () => "it does nothing");
    expect(shorter.divergence).toMatchObject({ kind: "missing_call", step: 1, got: "the end" });
  });

  it("[R4~] tolerates another order side by side, and none else", async () => {
    const tree = await recorded();
    const [first, one, two, ...rest] = tree.steps;
    if (first === undefined || one === undefined || two === undefined) throw new Error("steps are missing");
    const swapped = { ...tree, steps: [first, { ...two, seq: one.seq }, { ...one, seq: two.seq }, ...rest] };
    expect((await again(swapped)).divergence).toBe(null);
  });

  it("[R4~] stops where the record has no answer, and says so", async () => {
    const tree = await recorded();
    const masked: RunTree = {
      ...tree,
      steps: tree.steps.map((step) =>
        step.number === 5 && step.kind === "call"
          ? { ...step, result: { state: "present", value: "[redacted]", masked: [""] } }
          : step,
      ),
    };
    expect((await again(masked)).divergence).toMatchObject({
      kind: "no_answer",
      step: 5,
      got: "the record masks something of it",
    });
    const erased: RunTree = {
      ...tree,
      steps: tree.steps.map((step) => (step.kind === "model" ? { ...step, response: { state: "erased" } } : step)),
    };
    expect((await again(erased)).divergence).toMatchObject({ kind: "no_answer", step: 1 });
  });

  it("[R5~] goes on from a changed result over recorded answers only, and reports what changed after", async () => {
    const tree = await recorded();
    const result = await again(tree, {}, { step: 5, answer: { refunded: 0 } });
    expect(result.divergence).toBe(null);
    expect(result.changes.map(({ step }) => step)).toEqual([6, 8]);
    const response = {
      content: [{ type: "tool-call", toolCallId: "x", toolName: "refund", input: '{"amount":6}' }],
      finishReason: { unified: "tool-calls" },
      usage,
    };
    // A call that was never made has no recorded answer.
    const other = await again(tree, {}, { step: 4, answer: response });
    expect(other.divergence).toMatchObject({ kind: "other_arguments", step: 5, got: "6" });
  });

  it("[R4~] leaves nothing to code that goes on after its end", async () => {
    const tree = await recorded();
    const contacts = { models: 0, tools: 0 };
    const later: { go: () => Promise<unknown> } = { go: async () => {} };
    await reExecute(tree, () => {
      later.go = code(contacts, createMemoryStore());
    });
    await expect(later.go()).rejects.toMatchObject({ code: "replay.diverged" });
    expect(contacts).toEqual({ models: 0, tools: 0 });
  });

  it("is over with its report: what is wrapped works as before", async () => {
    const tree = await recorded();
    await again(tree);
    const contacts = { models: 0, tools: 0 };
    await code(contacts, createMemoryStore())();
    expect(contacts).toEqual({ models: 4, tools: 3 });
  });
});
