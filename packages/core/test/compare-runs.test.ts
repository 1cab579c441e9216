import {
  alignRuns,
  type Content,
  compareRuns,
  type Json,
  type JsonObject,
  type ModelStep,
  type Run,
  type RunTree,
  runTree,
} from "@saferun/core";
import { describe, expect, it } from "vitest";
import { type World, world } from "./world.ts";

const bound = { usdMicros: 1_000n, tokens: 500n };
const order = { type: "function", name: "get_order", description: "Look up an order.", inputSchema: {} };
const refund = { type: "function", name: "refund", description: "Pay back.", inputSchema: {} };
const SETTINGS = { temperature: 0, tools: [order] };

const system = (content: string) => ({ role: "system", content });
const user = (text: string) => ({ role: "user", content: [{ type: "text", text }] });
const text = (said: string) => [
  { type: "text", text: said, providerMetadata: { acme: { itemId: `${Math.random()}` } } },
];

async function turn(
  at: World,
  run: Run,
  messages: readonly unknown[],
  content: unknown,
  settings: JsonObject = SETTINGS,
) {
  const ticket = await at.gate.model.request(run, { model: "acme:m", messages, settings, bound });
  await at.gate.model.response(run, ticket, { content }, null);
}

function openRun(at: World, prompt = "Where is order 17?"): Run {
  return at.gate.openRun({ agent: "bot", environment: "prod", prompt: [prompt] });
}

async function treeOf(at: World, run: Run): Promise<RunTree> {
  return runTree(run.id, await at.store.entries({ from: 0, limit: 100_000, run: run.id }));
}

async function compared(at: World, left: Run, right: Run) {
  const [one, other] = [await treeOf(at, left), await treeOf(at, right)];
  return {
    about: compareRuns(one, other),
    steps: alignRuns(one, other).map(({ differences }) => differences.filter(({ what }) => what !== "time")),
  };
}

/** What a model answered, as the next prompt repeats it. */
const said = (content: readonly Json[]) => ({ role: "assistant", content });

describe("the prompts of two runs", () => {
  it("[R6~] differ first where a message does, and each difference is told once", async () => {
    const at = world();
    const [left, right] = [openRun(at), openRun(at)];
    for (const [run, words] of [
      [left, "You are kind."],
      [right, "You are strict."],
    ] as const) {
      const first = [system(words), user("Where is order 17?")];
      const answer = text("On its way.");
      await turn(at, run, first, answer);
      await turn(at, run, [...first, said(answer), user("Thanks.")], text("Bye."));
    }
    expect(await compared(at, left, right)).toEqual({
      about: [],
      steps: [
        [
          {
            what: "prompt",
            where: "message 1, system",
            left: '{"content":"You are kind.","role":"system"}',
            right: '{"content":"You are strict.","role":"system"}',
          },
        ],
        [],
      ],
    });
  });

  it("[R6~] name messages that only one of them has, tools that were offered, and parameters", async () => {
    const at = world();
    const [left, right] = [openRun(at), openRun(at, "And order 18?")];
    await turn(at, left, [system("Be kind."), user("Hello")], text("Hi."));
    const other = { ...SETTINGS, temperature: 1, tools: [{ ...order, description: "Any order." }, refund] };
    await turn(at, right, [system("Be kind."), user("By the way:"), user("Hello")], text("Hi."), other);
    const { about, steps } = await compared(at, left, right);
    expect(about).toEqual([{ what: "asked", left: '["Where is order 17?"]', right: '["And order 18?"]' }]);
    expect(steps).toEqual([
      [
        { what: "prompt", where: "message 2, user", left: "", right: expect.stringContaining("By the way:") },
        { what: "settings", where: "temperature", left: "0", right: "1" },
        { what: "tools", where: "get_order", left: expect.anything(), right: expect.stringContaining("Any order.") },
        { what: "tools", where: "refund", left: "", right: expect.stringContaining("Pay back.") },
      ],
    ]);
  });

  it("[R6~] leave to the steps before what only repeats their answers and results", async () => {
    const at = world({ tool: ({ amount }) => ({ refunded: amount }) });
    const [left, right] = [openRun(at), openRun(at)];
    for (const [run, amount] of [
      [left, 10],
      [right, 20],
    ] as const) {
      const call = {
        type: "tool-call",
        toolCallId: `id-${amount}`,
        toolName: "refund",
        input: JSON.stringify({ amount }),
      };
      await turn(at, run, [user("Refund it.")], [call]);
      await at.gate.call(run, { tool: "refund", args: { amount } }, ({ args }) => ({ refunded: args.amount }));
      const output = { type: "json", value: { refunded: amount } };
      const told = { type: "tool-result", toolCallId: `id-${amount}`, toolName: "refund", output };
      const messages = [user("Refund it."), said([{ ...call, input: { amount } }]), { role: "tool", content: [told] }];
      await turn(at, run, messages, text("Done."));
    }
    const { steps } = await compared(at, left, right);
    expect(steps.map((differences) => differences.map(({ what }) => what))).toEqual([
      ["response"],
      ["arguments", "result"],
      [],
    ]);
  });

  it("[R6~] are read once, however often later prompts repeat them", () => {
    let reads = 0;
    const [left, right] = ["one", "two"].map((words) => conversation(words, 500, () => reads++));
    if (left === undefined || right === undefined) throw new Error("two were made");
    const pairs = alignRuns(left, right);
    const told = pairs.map(({ differences }) => differences.map(({ what }) => what));
    expect(told).toEqual([["prompt", "response"], ...Array.from({ length: 499 }, () => ["response"])]);
    expect(reads).toBe(left.contents.length + right.contents.length);
  });
});

/** A run in which no answer is like the other run's. */
function conversation(words: string, turns: number, onRead: () => void): RunTree {
  const present = (value: Json) => ({ state: "present", value, masked: [] }) as const;
  const contents: Content[] = [present(system(words))];
  const steps = Array.from({ length: turns }, (_, index): ModelStep => {
    const added = index === 0 ? [0] : [contents.push(present(said([answer(words, index)]))) - 1];
    added.push(contents.push(present(user(`question ${index}`))) - 1);
    return {
      ...TURN,
      number: index + 1,
      prompt: { after: index === 0 ? null : index, keep: index * 2, added, settings: null },
      response: present({ content: [answer(words, index + 1)] }),
    };
  });
  const counting = new Proxy(contents, {
    get: (list, key) => {
      if (typeof key === "string" && /^\d+$/.test(key)) onRead();
      return Reflect.get(list, key);
    },
  });
  return { ...runTree("run", []), contents: counting, steps };
}

const answer = (words: string, index: number) => ({ type: "text", text: `answer ${index} ${words}` });

const TURN: ModelStep = {
  kind: "model",
  id: null,
  number: 0,
  seq: 0,
  at: 0,
  agent: "bot",
  turn: null,
  within: null,
  events: [],
  model: "acme:m",
  state: "responded",
  cutOff: null,
  prompt: null,
  response: null,
  error: null,
  decision: null,
  execute: { from: 0, to: 1 },
  inputTokens: null,
  outputTokens: null,
  usdMicros: null,
  estimated: false,
};
