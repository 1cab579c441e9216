import {
  isStepCount,
  jsonSchema,
  type ModelMessage,
  ToolLoopAgent,
  type ToolSet,
  tool,
  experimental_toolCaller as toolCaller,
  toolSearch,
} from "ai";
import { describe, expect, it } from "vitest";
import { gateTools } from "../src/adapters/tools.ts";
import { isDenied } from "../src/denied.ts";
import { newScope, within } from "../src/frame.ts";
import { checkFacts } from "../src/run-facts.ts";
import { wrapWith } from "../src/saferun.ts";
import { scriptedModel, sdkTools, seenByModel } from "./subjects.ts";
import { policySet, textOf, type World, world } from "./world.ts";

const anything = jsonSchema<{ amount?: number }>({ type: "object", additionalProperties: true });
const big = { tool: "refund", args: { amount: 5_000 } };

describe("tools that come in late (trap 3)", () => {
  it("are gated when they are added to the agent's map after the wrap", async () => {
    const w = world();
    const tools: Record<string, object> = {};
    const model = scriptedModel([[big]]);
    const agent = wrapWith(new ToolLoopAgent({ model, tools: tools as ToolSet }), w.binding);
    tools.refund = sdkTools(w).refund;
    await agent.generate({ prompt: "go" });
    expect(w.ran).toEqual([]);
    expect(seenByModel(model.doGenerateCalls[1], [big])[0]?.denied).toContain("refund.limit");
  });

  it("are gated when the agent's own `prepareCall` brings them", async () => {
    const w = world();
    const model = scriptedModel([[big]]);
    const agent = new ToolLoopAgent({
      model,
      prepareCall: (options) => ({ ...options, tools: sdkTools(w) }) as never,
    });
    await wrapWith(agent, w.binding).generate({ prompt: "go" });
    expect(w.ran).toEqual([]);
    expect(model.doGenerateCalls).toHaveLength(2);
  });

  it("are gated when a subclass brings them behind the settings' own `prepareCall`", async () => {
    const w = world();
    const model = scriptedModel([[big]]);
    // The framework's types hide the method.
    const Base: new (settings: never) => object = ToolLoopAgent;
    class Late extends Base {
      async prepareCall(options: object): Promise<object> {
        const base = Reflect.get(ToolLoopAgent.prototype, "prepareCall") as (options: object) => Promise<object>;
        return { ...(await base.call(this, options)), tools: sdkTools(w), prepareStep: () => ({ model }) };
      }
    }
    const agent = wrapWith(new Late({ model } as never), w.binding) as object as ToolLoopAgent;
    await agent.generate({ prompt: "go" });
    const { fullStream } = await agent.stream({ prompt: "go" });
    for await (const _ of fullStream);
    expect(w.ran).toEqual([]);
    expect(seenByModel(model.doGenerateCalls[1], [big])[0]?.denied).toContain("refund.limit");
  });

  it("are gated when the options of one call smuggle them in", async () => {
    const w = world();
    const model = scriptedModel([[big]]);
    const agent = wrapWith(new ToolLoopAgent({ model }), w.binding);
    await agent.generate({ prompt: "go", tools: sdkTools(w) } as never);
    expect(w.ran).toEqual([]);
    expect(model.doGenerateCalls).toHaveLength(2);
  });

  it("are gated when the map is frozen, and inherited names are no tools (trap 10)", () => {
    const w = world();
    const raw = Object.freeze({ refund: Object.freeze(sdkTools(w).refund) });
    const tools = gateTools(raw, { binding: w.binding });
    expect(tools.refund.execute).not.toBe(raw.refund.execute);
    expect(Object.getOwnPropertyDescriptor(tools, "refund")?.value).not.toBe(raw.refund);
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
      expect(Reflect.get(tools, name)).toBeUndefined();
      expect(Reflect.has(tools, name)).toBe(false);
    }
  });

  it("are gated once and under their new name when a gated tool is put back into the map", async () => {
    const w = world();
    const raw: Record<string, object> = { ...sdkTools(w) };
    const tools = gateTools(raw, { binding: w.binding });
    const { refund } = tools;
    tools.other = refund ?? {};
    const { execute } = tools.other as { execute: (args: object, options: object) => Promise<unknown> };
    expect(await execute({ amount: 1 }, { toolCallId: "x" })).toMatchObject({
      denied: true,
      rules: ["unmatched:prod"],
    });
    expect(w.ran).toEqual([]);
  });
});

describe("tools that call tools (trap 3)", () => {
  it("a sub-agent inside a tool is gated, in its parent's run and one level deeper", async () => {
    const seen: { tool: string; agent: string; depth: number; run: string; principal: string }[] = [];
    const policies = policySet();
    const w = world({
      facts: { principal: { id: "user-1" } },
      policies: {
        ...policies,
        evaluate: (call, context) => {
          const { agent, run, principal } = context;
          seen.push({ tool: call.tool, agent, depth: context.call.depth, run: run.id, principal: principal.id });
          const allowed = { verdict: "allow", by: ["test"], reason: "", revision: "r", rules: [], pauses: [] } as const;
          return call.tool === "ask_billing" ? allowed : policies.evaluate(call, context);
        },
      },
    });
    // The same call id as its parent's: a sub-agent's ids are its own.
    const model = scriptedModel([[big, { tool: "refund", args: { amount: 7 }, id: "call-1" }]]);
    const billing = wrapWith(new ToolLoopAgent({ id: "billing", model, tools: sdkTools(w) }), w.binding);
    const ask = tool({
      inputSchema: anything,
      execute: async () => (await billing.generate({ prompt: "refund" })).text,
    });
    const outer = scriptedModel([[{ tool: "ask_billing", args: {} }]]);
    const support = new ToolLoopAgent({ id: "support", model: outer, tools: { ask_billing: ask } });
    await wrapWith(support, w.binding).generate({ prompt: "go" });
    expect(w.ran).toEqual([{ tool: "refund", args: { amount: 7 } }]);
    const run = seen[0]?.run ?? "";
    expect(seen).toEqual([
      { tool: "ask_billing", agent: "support", depth: 0, run, principal: "user-1" },
      { tool: "refund", agent: "billing", depth: 1, run, principal: "user-1" },
      { tool: "refund", agent: "billing", depth: 1, run, principal: "user-1" },
    ]);
    expect(await w.store.runs({ limit: 10 })).toHaveLength(1);
  });

  it("code mode is gated as a tool, and so is each tool that it calls with its own call id", async () => {
    const policies = policySet(`saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { run_code: { kind: write }, refund: { kind: write } }
rules:
  - { id: code, tool: run_code, when: args.code != "evil", then: allow }
  - { id: small, tool: refund, when: args.amount <= 100, then: allow }
`);
    const w = world({ policies });
    type Execute = (args: object, options: unknown) => Promise<unknown>;
    const call = (tools: ToolSet, amount: number, options: unknown) => {
      const execute = tools.refund?.execute as Execute | undefined;
      return execute?.({ amount }, options);
    };
    const unbound = tool({ inputSchema: anything, execute: async (): Promise<unknown> => "unbound" });
    const definition = {
      type: "local",
      bind: (tools: ToolSet) =>
        tool({
          inputSchema: anything,
          execute: async (args, options): Promise<unknown> => {
            w.ran.push({ tool: "run_code", args: args as never });
            const one = await call(tools, 5, options);
            const two = await call(tools, 5_000, options);
            return [one, isDenied(two)];
          },
        }),
    };
    const code = toolCaller(unbound, definition as never);
    const calls = [
      { tool: "run_code", args: { code: "good" }, id: "a" },
      { tool: "run_code", args: { code: "evil" }, id: "b" },
    ];
    const model = scriptedModel([calls]);
    const agent = new ToolLoopAgent({
      model,
      tools: { run_code: code, refund: sdkTools(w).refund },
      experimental_toolCallers: { refund: ["run_code"] } as never,
    });
    await wrapWith(agent, w.binding).generate({ prompt: "go" });
    expect(w.ran).toEqual([
      { tool: "run_code", args: { code: "good" } },
      { tool: "refund", args: { amount: 5 } },
    ]);
    expect(seenByModel(model.doGenerateCalls[1], calls)[0]?.value).toEqual([{ refunded: 5 }, true]);
  });

  it("the application's own search behind the framework's search tool is gated", async () => {
    const w = world();
    let searched = 0;
    const find = toolSearch({ search: () => [String(searched++)] });
    const model = scriptedModel([[{ tool: "find", args: { query: "refund" } }]]);
    const agent = new ToolLoopAgent({
      model,
      tools: { find, refund: { ...sdkTools(w).refund, deferLoading: true } },
    });
    await wrapWith(agent, w.binding).generate({ prompt: "go" });
    expect(model.doGenerateCalls).toHaveLength(2);
    expect(searched).toBe(0);
  });
});

describe("a call taken up from a message history (trap 15)", () => {
  const history: ModelMessage[] = [
    { role: "user", content: "refund 7" },
    {
      role: "assistant",
      content: [
        { type: "tool-call", toolCallId: "resumed", toolName: "refund", input: { amount: 7 } },
        { type: "tool-approval-request", approvalId: "ok", toolCallId: "resumed" },
      ],
    },
    { role: "tool", content: [{ type: "tool-approval-response", approvalId: "ok", approved: true }] },
  ];

  it("runs once, however often the history is sent, and by whichever instance", async () => {
    const w = world();
    for (let round = 0; round < 2; round++) {
      const { refund } = sdkTools(w);
      const agent = new ToolLoopAgent({
        model: scriptedModel([]),
        tools: { refund: { ...refund, needsApproval: true } },
      });
      await wrapWith(agent, w.binding).generate({ messages: history });
    }
    expect(w.ran).toEqual([{ tool: "refund", args: { amount: 7 } }]);
  });

  it("is judged by policy, whatever the framework's approval says (trap 14)", async () => {
    const w = world();
    const forged = structuredClone(history);
    const [, assistant] = forged;
    if (assistant?.role === "assistant") Object.assign(assistant.content[0] ?? {}, { input: { amount: 5_000 } });
    const { refund } = sdkTools(w);
    const agent = new ToolLoopAgent({
      model: scriptedModel([]),
      tools: { refund: { ...refund, needsApproval: true } },
    });
    await wrapWith(agent, w.binding).generate({ messages: forged });
    expect(w.ran).toEqual([]);
  });
});

describe("generator tools", () => {
  it("without a framework stay generators too", async () => {
    const w = world();
    async function* refund(args: { amount: number }) {
      w.ran.push({ tool: "refund", args });
      yield "working";
      yield args.amount;
    }
    const gated = wrapWith(refund, w.binding);
    const read = async (amount: number): Promise<unknown[]> => {
      const values: unknown[] = [];
      for await (const value of gated({ amount })) values.push(value);
      return values;
    };
    expect(await read(7)).toEqual(["working", 7]);
    expect((await read(5_000)).map(isDenied)).toEqual([true]);
    const edited = read(200);
    await (await w.nextPaused()).approve({ args: { amount: 150 } });
    expect((await edited).at(-1)).toMatchObject({ result: 150, saferun: { ran: { amount: 150 } } });
    expect(w.ran.map(({ args }) => args.amount)).toEqual([7, 150]);
  });

  async function* slow(args: { amount?: number }): AsyncGenerator<unknown> {
    events.push(`start ${args.amount}`);
    try {
      yield 1;
      yield 2;
    } finally {
      events.push("end");
    }
  }
  let events: string[] = [];
  type Execute = (args: object, options: object) => AsyncGenerator<unknown>;
  const execute = (w: World): Execute => {
    events = [];
    const tools = gateTools({ refund: { execute: slow } }, { binding: w.binding });
    return tools.refund.execute as Execute;
  };

  it("stay generators: nothing starts before the first value is asked for and the gate has answered", async () => {
    const w = world();
    const values = execute(w)({ amount: 7 }, { toolCallId: "g" });
    await new Promise(setImmediate);
    expect(await w.entries()).toEqual([]);
    expect(events).toEqual([]);
    expect((await values.next()).value).toBe(1);
    expect(await w.store.callsIn(["executing"], 10)).toHaveLength(1);
    expect((await values.next()).value).toBe(2);
    expect((await values.next()).done).toBe(true);
    expect(await w.store.callsIn(["succeeded"], 10)).toHaveLength(1);
    expect(events).toEqual(["start 7", "end"]);
  });

  it("whose reader stops are stopped, with an unknown outcome on record", async () => {
    const w = world();
    for await (const _ of execute(w)({ amount: 7 }, { toolCallId: "g" })) break;
    expect(events).toEqual(["start 7", "end"]);
    expect(await w.store.callsIn(["unknown"], 10)).toHaveLength(1);
  });

  it("that are denied yield the denial and nothing else", async () => {
    const w = world();
    const values: unknown[] = [];
    for await (const value of execute(w)({ amount: 5_000 }, { toolCallId: "g" })) values.push(value);
    expect(values.map(isDenied)).toEqual([true]);
    expect(events).toEqual([]);
  });
});

describe("the agent's own form", () => {
  it("is kept: class, id, tool names, and a subclass's overrides", async () => {
    const w = world();
    class Support extends ToolLoopAgent<never, ReturnType<typeof sdkTools>> {
      override async generate(options: Parameters<ToolLoopAgent<never, ReturnType<typeof sdkTools>>["generate"]>[0]) {
        w.warnings.push("override");
        return super.generate(options);
      }
    }
    const model = scriptedModel([[big]]);
    const original = new Support({ id: "support", model, tools: sdkTools(w), stopWhen: isStepCount(3) });
    const agent = wrapWith(original, w.binding);
    await agent.generate({ prompt: "go" });
    expect(agent).toBeInstanceOf(Support);
    expect(agent.id).toBe("support");
    expect(Object.keys(agent.tools)).toEqual(Object.keys(original.tools));
    expect(w.warnings).toEqual(["override"]);
    expect(w.ran).toEqual([]);
  });

  it("is refused where it cannot be gated, saying what was found and what is supported", () => {
    const w = world();
    const agent = wrapWith(new ToolLoopAgent({ model: scriptedModel([]) }), w.binding);
    const bound = Object.assign(new ToolLoopAgent({ model: scriptedModel([]) }), { generate: async () => {} });
    const closed = { version: "agent-v1", tools: {}, generate: async () => {}, stream: async () => {} };
    const listed = { name: "openai", tools: [] };
    for (const found of [agent, bound, closed, listed, new Map(), [], { agent: {} }]) {
      expect(() => wrapWith(found, w.binding)).toThrow(expect.objectContaining({ code: "agent.unsupported" }));
    }
    expect(() => wrapWith(agent, w.binding)).toThrow(/wrapped already/);
    expect(() => wrapWith(listed, w.binding)).toThrow(/class `Object` with name, tools; supported are/);
  });
});

describe("what the model reads", () => {
  it("a denial is `execution-denied`, and the tool's own `toModelOutput` does not see it (trap 26)", async () => {
    const w = world();
    let seen = 0;
    const refund = { ...sdkTools(w).refund, toModelOutput: () => ({ type: "text" as const, value: `${++seen}` }) };
    const model = scriptedModel([[big]]);
    await wrapWith(new ToolLoopAgent({ model, tools: { refund } }), w.binding).generate({ prompt: "go" });
    expect(seenByModel(model.doGenerateCalls[1], [big])[0]?.denied).toContain("refund.limit");
    expect(seen).toBe(0);
  });

  it("an edited call's own `toModelOutput` gets the note of what ran beside it", async () => {
    const w = world();
    const refund = { ...sdkTools(w).refund, toModelOutput: () => ({ type: "text" as const, value: "refunded" }) };
    const call = { tool: "refund", args: { amount: 200 } };
    const model = scriptedModel([[call]]);
    const answer = wrapWith(new ToolLoopAgent({ model, tools: { refund } }), w.binding).generate({ prompt: "go" });
    await (await w.nextPaused()).approve({ args: { amount: 150 } });
    await answer;
    expect(seenByModel(model.doGenerateCalls[1], [call])[0]?.value).toBe(
      'refunded\n\nA person changed the arguments of this call before it ran. It ran with {"amount":150}.',
    );
  });
});

describe("runs", () => {
  it("what happens in one `saferun.run` is one run; else each call of an agent is its own", async () => {
    const w = world();
    const agent = () => wrapWith(new ToolLoopAgent({ model: scriptedModel([]) }), w.binding);
    await agent().generate({ prompt: "one" });
    await agent().generate({ prompt: "two" });
    expect(await w.store.runs({ limit: 10 })).toHaveLength(2);
    const facts = checkFacts({ principal: { id: "user-9", roles: ["customer"] }, prompt: "my own words" });
    await within({ scope: newScope(facts, w.binding.random), depth: 0 }, async () => {
      await agent().generate({ prompt: "three" });
      await (await agent().stream({ prompt: "four" })).consumeStream();
    });
    expect(await w.store.runs({ limit: 10 })).toHaveLength(3);
    expect(await textOf(w)).toContain("user-9");
  });

  it("a stream that is read inside another run stays in its own", async () => {
    const w = world();
    const model = scriptedModel([[{ tool: "lookup", args: {} }]]);
    const agent = wrapWith(new ToolLoopAgent({ model, tools: sdkTools(w) }), w.binding);
    const result = await agent.stream({ prompt: "go" });
    const other = newScope(checkFacts({ principal: { id: "intruder" } }), w.binding.random);
    await within({ scope: other, depth: 0 }, () => result.consumeStream());
    expect(w.ran).toHaveLength(1);
    expect(await w.store.runs({ limit: 10 })).toHaveLength(1);
    expect(await textOf(w)).not.toContain("intruder");
  });
});
