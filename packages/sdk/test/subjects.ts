/** Every door through which a tool is called, driven the same way. */
import type { LanguageModelV4CallOptions, LanguageModelV4Prompt, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { generateText, isStepCount, jsonSchema, streamText, ToolLoopAgent, tool } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { gateTools } from "../src/adapters/tools.ts";
import { isDenied } from "../src/denied.ts";
import { newScope, within } from "../src/frame.ts";
import { wrapWith } from "../src/saferun.ts";
import type { World } from "./world.ts";

export interface Call {
  readonly tool: string;
  readonly args: Record<string, unknown>;
  readonly id?: string;
}

/** What the caller, or its model, was given for one call. */
export interface Seen {
  /** The text of a denial. */
  readonly denied?: string;
  readonly value?: unknown;
  readonly error?: string;
}

export interface Subject {
  readonly name: string;
  /** All calls of one model turn, side by side. */
  readonly call: (world: World, calls: readonly Call[], signal?: AbortSignal) => Promise<readonly Seen[]>;
}

/** The tools of every subject: they count, and answer or throw. */
export function implementations(world: World) {
  const counted =
    (name: string, answer: (args: { amount?: number }) => unknown) => async (args: { amount?: number }) => {
      world.ran.push({ tool: name, args: structuredClone(args) as never });
      return answer(args);
    };
  return {
    lookup: counted("lookup", () => "order 7 is late"),
    refund: counted("refund", ({ amount }) => ({ refunded: amount ?? null })),
    explode: counted("explode", () => {
      throw new Error("the server is gone");
    }),
  };
}

const anything = jsonSchema<{ amount?: number }>({ type: "object", additionalProperties: true });

export function sdkTools(world: World) {
  const { lookup, refund, explode } = implementations(world);
  return {
    lookup: tool({ inputSchema: anything, execute: lookup }),
    refund: tool({ inputSchema: anything, execute: refund }),
    explode: tool({ inputSchema: anything, execute: explode }),
  };
}

/** The same tools as generators that say "working" first. */
function streamingTools(world: World) {
  const plain = implementations(world);
  const streamed = (run: (args: { amount?: number }) => Promise<unknown>) =>
    tool({
      inputSchema: anything,
      async *execute(args: { amount?: number }): AsyncGenerator<unknown> {
        const result = await run(args);
        yield "working";
        yield result;
      },
    });
  return { lookup: streamed(plain.lookup), refund: streamed(plain.refund), explode: streamed(plain.explode) };
}

const USAGE = {
  inputTokens: { total: 3, noCache: 3, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 5, text: 5, reasoning: 0 },
};

function toolCalls(calls: readonly Call[]) {
  return calls.map(({ tool: toolName, args, id }, index) => ({
    type: "tool-call" as const,
    toolCallId: id ?? `call-${index}`,
    toolName,
    input: JSON.stringify(args),
  }));
}

/** A model that plays the turns and then says "done". */
export function scriptedModel(turns: readonly (readonly Call[])[]): MockLanguageModelV4 {
  let turn = 0;
  const next = () => turns[turn++] ?? [];
  const reason = (calls: readonly Call[]) => (calls.length === 0 ? "stop" : "tool-calls");
  return new MockLanguageModelV4({
    doGenerate: async () => {
      const calls = next();
      const content = calls.length === 0 ? [{ type: "text" as const, text: "done" }] : toolCalls(calls);
      return { content, finishReason: { unified: reason(calls), raw: undefined }, usage: USAGE, warnings: [] };
    },
    doStream: async () => {
      const calls = next();
      const parts: LanguageModelV4StreamPart[] = [
        { type: "stream-start", warnings: [] },
        ...(calls.length === 0
          ? [
              { type: "text-start" as const, id: "1" },
              { type: "text-delta" as const, id: "1", delta: "do" },
              { type: "text-delta" as const, id: "1", delta: "ne" },
              { type: "text-end" as const, id: "1" },
            ]
          : toolCalls(calls)),
        { type: "finish", finishReason: { unified: reason(calls), raw: undefined }, usage: USAGE },
      ];
      return { stream: ReadableStream.from(parts) as ReadableStream<LanguageModelV4StreamPart> };
    },
  });
}

/** What the model's next request says about each call. */
export function seenByModel(request: LanguageModelV4CallOptions | undefined, calls: readonly Call[]): readonly Seen[] {
  const prompt: LanguageModelV4Prompt = request?.prompt ?? [];
  const results = prompt.flatMap((message) => (message.role === "tool" ? message.content : []));
  return calls.map(({ id }, index) => {
    const result = results.find((part) => part.type === "tool-result" && part.toolCallId === (id ?? `call-${index}`));
    if (result?.type !== "tool-result") return { error: "no result" };
    const { output } = result;
    switch (output.type) {
      case "execution-denied":
        return { denied: output.reason ?? "" };
      case "error-text":
        return { error: output.value };
      case "text":
      case "json":
        return { value: output.value };
      default:
        return { error: output.type };
    }
  });
}

async function seenByCaller(call: Promise<unknown>): Promise<Seen> {
  try {
    const value = await call;
    return isDenied(value) ? { denied: value.message } : { value };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

type Loose = (args: object, options: object) => Promise<unknown>;

export const SUBJECTS: readonly Subject[] = [
  {
    name: "function",
    call: (world, calls, signal) => {
      const tools: Record<string, object> = implementations(world);
      const wrapped = new Map<string, Loose>();
      return inOneRun(world, () =>
        Promise.all(
          calls.map(({ tool: name, args, id }, index) => {
            const found = tools[name] ?? {};
            // The tool's name is the function's name.
            Object.defineProperty(found, "name", { value: name });
            const gated = wrapped.get(name) ?? (wrapWith(found, world.binding) as Loose);
            wrapped.set(name, gated);
            return seenByCaller(gated(args, { toolCallId: id ?? `call-${index}`, ...(signal ? { signal } : {}) }));
          }),
        ),
      );
    },
  },
  {
    name: "plain object",
    call: (world, calls, signal) => {
      const { lookup, refund, explode } = implementations(world);
      const agent = wrapWith({ tools: { lookup, refund: { execute: refund }, explode } }, world.binding);
      const tools: Record<string, Loose | { execute: Loose }> = agent.tools as never;
      return inOneRun(world, () =>
        Promise.all(
          calls.map(({ tool: name, args, id }, index) => {
            const found = tools[name];
            const options = { toolCallId: id ?? `call-${index}`, ...(signal ? { signal } : {}) };
            if (typeof found === "object") return seenByCaller(found.execute(args, options));
            return found === undefined ? { error: "no tool" } : seenByCaller(found(args, options));
          }),
        ),
      );
    },
  },
  {
    name: "AI SDK agent, generate",
    call: async (world, calls, signal) => {
      const model = scriptedModel([calls]);
      const agent = wrapWith(
        new ToolLoopAgent({ model, tools: sdkTools(world), maxRetries: 0, onError: () => {} }),
        world.binding,
      );
      await agent.generate({ prompt: "go", ...(signal ? { abortSignal: signal } : {}) }).catch(ignoreAbort(signal));
      return seenByModel(model.doGenerateCalls[1], calls);
    },
  },
  {
    name: "AI SDK agent, stream",
    call: async (world, calls, signal) => {
      const model = scriptedModel([calls]);
      const agent = wrapWith(
        new ToolLoopAgent({ model, tools: sdkTools(world), maxRetries: 0, onError: () => {} }),
        world.binding,
      );
      const result = await agent.stream({ prompt: "go", ...(signal ? { abortSignal: signal } : {}) });
      await result.consumeStream();
      return seenByModel(model.doStreamCalls[1], calls);
    },
  },
  {
    name: "AI SDK agent, generator tools",
    call: async (world, calls, signal) => {
      const model = scriptedModel([calls]);
      const agent = wrapWith(
        new ToolLoopAgent({ model, tools: streamingTools(world), maxRetries: 0, onError: () => {} }),
        world.binding,
      );
      const result = await agent.stream({ prompt: "go", ...(signal ? { abortSignal: signal } : {}) });
      await result.consumeStream();
      return seenByModel(model.doStreamCalls[1], calls);
    },
  },
  {
    name: "AI SDK generateText with gated tools",
    call: async (world, calls, signal) => {
      const model = scriptedModel([calls]);
      const tools = gateTools(sdkTools(world), { binding: world.binding });
      const given = { model, tools, prompt: "go", maxRetries: 0, stopWhen: isStepCount(3) };
      await inOneRun(world, () =>
        generateText({ ...given, ...(signal ? { abortSignal: signal } : {}) }).catch(ignoreAbort(signal)),
      );
      return seenByModel(model.doGenerateCalls[1], calls);
    },
  },
  {
    name: "AI SDK streamText with gated tools",
    call: async (world, calls, signal) => {
      const model = scriptedModel([calls]);
      const tools = gateTools(sdkTools(world), { binding: world.binding });
      const given = { model, tools, prompt: "go", maxRetries: 0, stopWhen: isStepCount(3) };
      await inOneRun(world, async () =>
        streamText({ ...given, onError: () => {}, ...(signal ? { abortSignal: signal } : {}) }).consumeStream(),
      );
      return seenByModel(model.doStreamCalls[1], calls);
    },
  },
];

function inOneRun<Result>(world: World, body: () => Promise<Result>): Promise<Result> {
  return within({ scope: newScope(world.binding.facts(), world.binding.random), depth: 0 }, body);
}

function ignoreAbort(signal: AbortSignal | undefined): (error: unknown) => undefined {
  return (error) => {
    if (signal?.aborted !== true) throw error;
    return undefined;
  };
}
