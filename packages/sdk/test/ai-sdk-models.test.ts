/** What a model is asked and what it answers: on record before it matters, whichever model it is. */
import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { SafeRunError } from "@saferun/core";
import { createMemoryStore } from "@saferun/store";
import { jsonSchema, ToolLoopAgent } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { describe, expect, it } from "vitest";
import { gateModel } from "../src/adapters/ai-sdk-model.ts";
import { wrapWith } from "../src/saferun.ts";
import { implementations, scriptedModel, sdkTools } from "./subjects.ts";
import { failingStore, textOf, typesOf, world } from "./world.ts";

const anything = jsonSchema<{ amount?: number }>({ type: "object", additionalProperties: true });

describe("models", () => {
  it("are recorded where `prepareStep` swaps them", async () => {
    const w = world();
    const [first, second] = [scriptedModel([[{ tool: "lookup", args: {} }]]), scriptedModel([])];
    const agent = new ToolLoopAgent({
      model: first,
      tools: sdkTools(w),
      prepareStep: ({ stepNumber }) => (stepNumber === 1 ? { model: second } : {}),
    });
    await wrapWith(agent, w.binding).generate({ prompt: "go" });
    expect(second.doGenerateCalls).toHaveLength(1);
    expect(typesOf(await w.entries()).filter((type) => type === "model.requested")).toHaveLength(2);
  });

  it("are recorded where the agent's own `prepareCall` swaps them", async () => {
    const w = world();
    const other = scriptedModel([]);
    const prepareCall = (options: object) => ({ ...options, model: other }) as never;
    const agent = new ToolLoopAgent({ model: scriptedModel([]), prepareCall });
    await wrapWith(agent, w.binding).generate({ prompt: "go" });
    expect(other.doGenerateCalls).toHaveLength(1);
    expect(typesOf(await w.entries())).toContain("model.requested");
  });

  it("that stream are recorded whole before a tool of their answer is proposed [L1~]", async () => {
    const w = world();
    const model = scriptedModel([[{ tool: "lookup", args: {} }]]);
    const agent = wrapWith(new ToolLoopAgent({ model, tools: sdkTools(w) }), w.binding);
    await (await agent.stream({ prompt: "go" })).consumeStream();
    const types = typesOf(await w.entries());
    expect(types.slice(2)).toEqual([
      "model.requested",
      "model.responded",
      "call.proposed",
      "call.decided",
      "call.executing",
      "call.finished",
      "model.requested",
      "model.responded",
    ]);
    expect(await textOf(w)).not.toContain("cutOff");
  });

  it("that stream hand on no answer that cannot be recorded [L1~]", async () => {
    const store = failingStore(createMemoryStore(), 2, () => new SafeRunError("record.full", "the disk is full"));
    const w = world({ store });
    const model = gateModel(scriptedModel([]), w.binding) as MockLanguageModelV4;
    const { stream } = await model.doStream({ prompt: [] });
    const types: string[] = [];
    const read = async () => {
      for await (const part of stream) types.push(part.type);
    };
    await expect(read()).rejects.toThrow("the disk is full");
    expect(types).not.toContain("finish");
  });

  it("are not asked when the prompt cannot be recorded [L1~]", async () => {
    const store = failingStore(createMemoryStore(), 1, () => new SafeRunError("record.full", "the disk is full"));
    const w = world({ store });
    const model = scriptedModel([]);
    await expect(wrapWith(new ToolLoopAgent({ model }), w.binding).generate({ prompt: "go" })).rejects.toThrow("full");
    expect(model.doGenerateCalls).toHaveLength(0);
  });

  it("are recorded before and after, a prompt's history once, and no header [L1~]", async () => {
    const w = world();
    const model = scriptedModel([[{ tool: "lookup", args: {} }]]);
    const agent = wrapWith(new ToolLoopAgent({ model, tools: sdkTools(w) }), w.binding);
    await agent.generate({ prompt: "where is order 7?", headers: { authorization: "Bearer sk-canary" } } as never);
    expect(typesOf(await w.entries())).toEqual([
      "policy.activated",
      "run.started",
      "model.requested",
      "model.responded",
      "call.proposed",
      "call.decided",
      "call.executing",
      "call.finished",
      "model.requested",
      "model.responded",
    ]);
    const text = await textOf(w);
    expect(text.split("where is order 7?")).toHaveLength(2);
    expect(text).not.toContain("sk-canary");
    expect(text).toContain('"usage"');
  });

  it("whose stream is cut off are recorded as far as they came, and no tool of theirs runs", async () => {
    for (const cut of ["error", "end", "reader"] as const) {
      const w = world();
      const model = cutOffModel(cut);
      const agent = wrapWith(new ToolLoopAgent({ model, tools: sdkTools(w), onError: () => {} }), w.binding);
      const controller = new AbortController();
      const result = await agent.stream({ prompt: "go", abortSignal: controller.signal });
      if (cut === "reader") controller.abort();
      await result.consumeStream();
      await new Promise(setImmediate);
      expect(w.ran).toEqual([]);
      if (cut !== "reader") expect(await textOf(w)).toContain('"cutOff"');
    }
  });

  it("that stop being read are recorded", async () => {
    const w = world();
    const model = gateModel(cutOffModel("reader"), w.binding) as MockLanguageModelV4;
    const { stream } = await model.doStream({ prompt: [] });
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel("enough");
    expect(await textOf(w)).toContain("the reader stopped before the end");
  });

  it("that are only named are refused, and those that are none too", () => {
    const w = world();
    const named = new ToolLoopAgent({ model: "openai/gpt-5" });
    expect(() => wrapWith(named, w.binding)).toThrow(/`openai\/gpt-5` is only named/);
    expect(() => gateModel({ specificationVersion: "v4" }, w.binding)).toThrow(SafeRunError);
  });
});

function cutOffModel(cut: "error" | "end" | "reader"): MockLanguageModelV4 {
  return new MockLanguageModelV4({
    doStream: async () => ({
      stream: new ReadableStream<LanguageModelV4StreamPart>({
        start(controller) {
          controller.enqueue({ type: "stream-start", warnings: [] });
          controller.enqueue({ type: "text-start", id: "1" });
          controller.enqueue({ type: "text-delta", id: "1", delta: "half" });
          controller.enqueue({ type: "tool-call", toolCallId: "c", toolName: "lookup", input: "{}" });
          if (cut === "error") controller.error(new Error("socket hang up"));
          if (cut === "end") controller.close();
        },
      }),
    }),
  });
}

describe("hosted tools (trap 3)", () => {
  const hosted = { type: "provider", id: "acme.web_search", name: "web_search", args: {} } as const;

  it("are not offered to the model, by the agent or by the model itself", async () => {
    const w = world();
    const model = scriptedModel([]);
    const search = {
      type: "provider",
      id: "acme.web_search",
      isProviderExecuted: true,
      args: {},
      inputSchema: anything,
    };
    const tools = { lookup: sdkTools(w).lookup, web_search: search as never };
    await wrapWith(new ToolLoopAgent({ model, tools }), w.binding).generate({ prompt: "go" });
    expect(model.doGenerateCalls[0]?.tools?.map(({ name }) => name)).toEqual(["lookup"]);

    const bare = scriptedModel([]);
    const gated = gateModel(bare, w.binding) as MockLanguageModelV4;
    const providerOptions = { acme: { mcpServers: [{ url: "https://tools.example" }], effort: "low" } };
    await gated.doGenerate({ prompt: [], tools: [hosted], toolChoice: { type: "auto" }, providerOptions });
    expect(bare.doGenerateCalls[0]?.tools).toBeUndefined();
    expect(bare.doGenerateCalls[0]?.providerOptions).toEqual({ acme: { effort: "low" } });
    expect(w.warnings.join()).toContain("`web_search` runs at the model's provider");

    const choice = { type: "tool", toolName: "web_search" } as const;
    await expect(gated.doGenerate({ prompt: [], tools: [hosted], toolChoice: choice })).rejects.toThrow("demands");
  });

  it("that this process executes are offered, and gated", async () => {
    const w = world();
    const model = scriptedModel([[{ tool: "refund", args: { amount: 5_000 } }]]);
    const local = { type: "provider", id: "acme.refund", isProviderExecuted: false, args: {}, inputSchema: anything };
    const tools = { refund: { ...local, execute: implementations(w).refund } as never };
    await wrapWith(new ToolLoopAgent({ model, tools }), w.binding).generate({ prompt: "go" });
    expect(model.doGenerateCalls[0]?.tools?.map(({ name }) => name)).toEqual(["refund"]);
    expect(w.ran).toEqual([]);
  });

  it("that ran at the provider all the same are alarmed", async () => {
    const w = world();
    const model = scriptedModel([]);
    model.doGenerate = async () => ({
      content: ["shell", `\u001b[2J\n\u009b\u202eerror${"x".repeat(100)}`].map((toolName) => ({
        type: "tool-call",
        toolCallId: toolName,
        toolName,
        input: "{}",
        providerExecuted: true,
      })),
      finishReason: { unified: "stop", raw: undefined },
      usage: { inputTokens: { total: 1 }, outputTokens: { total: 1 } } as never,
      warnings: [],
    });
    await wrapWith(new ToolLoopAgent({ model }), w.binding).generate({ prompt: "go" });
    expect(w.warnings.join()).toContain("`shell` ran at the model's provider without a decision");
    // The name is the model's: it forges no line and drives no terminal (traps 23 and 27).
    expect(w.warnings.join()).toMatch(/`\?\[2J\?\?\?errorx{52}`/);
  });
});
