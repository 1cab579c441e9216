/** Model spend over real HTTP: whether the provider was contacted is counted at the provider. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOpenAI } from "@ai-sdk/openai";
import { LLMock } from "@copilotkit/aimock";
import { decodePot, parseHeader, SafeRunError, type Store } from "@saferun/core";
import { createMemoryStore, openSqliteStore } from "@saferun/store";
import { generateText, jsonSchema, streamText, ToolLoopAgent, tool } from "ai";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type PriceTable, saferun, type WrapOptions } from "../src/index.ts";
import { answer } from "./model-budget.ts";

/** A tenth of a cent for each token of the answer, nothing for the prompt: 100 tokens are ten cents. */
const PRICES: PriceTable = { "openai:house": { input: "0", output: "1000" } };
const TEN_CENTS = { maxOutputTokens: 100, maxRetries: 0, prompt: "go" } as const;

let directory: string;
let store: Store;
let server: LLMock;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "saferun-spend-"));
  store = createMemoryStore();
  server = new LLMock({ host: "127.0.0.1", port: 0, logLevel: "silent" });
  await server.start();
});
afterEach(async () => {
  vi.useRealTimers();
  await server.stop();
  await saferun.shutdown();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

function policies(text: string, name = "policies.yaml"): string {
  const file = join(directory, name);
  const head =
    "saferun: policy/v1\nenvironments: { prod: { unmatched: deny }, watch: { unmatched: deny, mode: observe } }\n";
  writeFileSync(file, `${head}rules: [{ id: all, tool: "*", then: allow }]\n${text}`);
  return file;
}

const budget = (limit: string, more = "") => `
budgets:
  - { id: spend, model: "house", unit: usd, per: { window: ever }, limit: "${limit}"${more} }
`;

function house(text: string, more: Partial<WrapOptions> = {}) {
  const given = createOpenAI({ baseURL: `${server.url}/v1`, apiKey: "scripted" }).chat("house");
  return saferun.model(given, { policies: [policies(text)], store, environment: "prod", prices: PRICES, ...more });
}

/** Answers with so many tokens, as the provider says. */
function answers(completion_tokens: number, opts: Parameters<LLMock["on"]>[2] = {}): void {
  server.on(
    { predicate: () => true },
    { content: "a longer answer that streams", usage: { prompt_tokens: 7, completion_tokens } },
    opts,
  );
}

const contacted = () => server.getRequests().length;

async function spent(of: Store = store): Promise<readonly (readonly [held: bigint, spent: bigint])[]> {
  const rows = await of.rows({ kind: "pot", limit: 99 });
  return rows.map(({ value }) => decodePot(value)).map((pot) => [pot.held, pot.spent] as const);
}

async function types(): Promise<string[]> {
  return (await store.entries({ from: 0, limit: 999 })).map(({ header }) => String(parseHeader(header).type));
}

async function spends(type: string): Promise<readonly Record<string, unknown>[]> {
  const entries = (await store.entries({ from: 0, limit: 999 })).filter(
    ({ header }) => parseHeader(header).type === type,
  );
  return entries.flatMap(({ parts }) =>
    parts
      .filter(({ name }) => name === "spend")
      .map(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes ?? undefined))),
  );
}

async function codeOf(asked: PromiseLike<unknown>): Promise<string> {
  try {
    await asked;
    return "answered";
  } catch (error) {
    return error instanceof SafeRunError ? error.code : `other: ${String(error)}`;
  }
}

describe("model spend, counted at the provider", () => {
  it.each(["memory", "sqlite"] as const)("[B2] 25 at once on a budget for 10 spend ten, on %s", async (kind) => {
    answers(100);
    const own = kind === "memory" ? store : openSqliteStore({ directory });
    const model = house(budget("1.00"), { store: own });
    const codes = await Promise.all(Array.from({ length: 25 }, () => codeOf(generateText({ model, ...TEN_CENTS }))));
    expect(codes.filter((code) => code === "answered")).toHaveLength(10);
    expect(codes.filter((code) => code === "budget.exhausted")).toHaveLength(15);
    expect(contacted()).toBe(10);
    expect(await spent(own)).toEqual([[0n, 1_000_000n]]);
    if (own !== store) await own.close();
  });

  it("of 25 at once is beyond the budget under a counter that books after the call, in the same harness", async () => {
    answers(100);
    const model = createOpenAI({ baseURL: `${server.url}/v1`, apiKey: "scripted" }).chat("house");
    let counted = 0;
    const naive = async (): Promise<void> => {
      if (counted + 100_000 > 1_000_000) return;
      await generateText({ model, ...TEN_CENTS });
      counted += 100_000;
    };
    await Promise.all(Array.from({ length: 25 }, naive));
    expect(contacted()).toBe(25);
  });

  it("[B2] an upper bound is reserved and the real usage settled, so that what was not used can be", async () => {
    answers(1);
    const model = house(budget("0.11"));
    for (let count = 1; count <= 11; count++)
      expect(await codeOf(generateText({ model, ...TEN_CENTS }))).toBe("answered");
    expect(await spent()).toEqual([[0n, 11_000n]]);
    // A tenth would still fit, and what it may cost at most does not.
    expect(await codeOf(generateText({ model, ...TEN_CENTS, maxOutputTokens: 100 }))).toBe("budget.exhausted");
    expect(contacted()).toBe(11);
    expect((await spends("model.requested"))[0]).toMatchObject({
      usd_micros: "100000",
      prices: expect.stringMatching(/^user\//),
    });
    expect((await spends("model.responded"))[0]).toMatchObject({ usd_micros: "1000", tokens: "8", estimate: false });
    expect((await types()).at(-1)).toBe("model.refused");
  });

  it("[B2~] an unknown price or bound is refused, and passes where the policy says so (trap 19)", async () => {
    answers(1);
    expect(await codeOf(generateText({ model: house(budget("9"), { prices: {} }), ...TEN_CENTS }))).toBe(
      "budget.exhausted",
    );
    const { maxOutputTokens: _, ...unbounded } = TEN_CENTS;
    expect(await codeOf(generateText({ model: house(budget("9")), ...unbounded }))).toBe("budget.exhausted");
    expect(contacted()).toBe(0);
    const open = policies(budget("0.002", ", unpriced: allow"), "open.yaml");
    const model = house("", { policies: [open] });
    for (let count = 1; count <= 2; count++)
      expect(await codeOf(generateText({ model, ...unbounded }))).toBe("answered");
    expect(await spent()).toEqual([[0n, 2_000n]]);
    expect(await codeOf(generateText({ model, ...unbounded }))).toBe("budget.exhausted");
    expect(contacted()).toBe(2);
  });

  it("[B2~] a provider that reports more than was reserved is booked, and told", async () => {
    answers(500);
    const model = house(budget("0.30"));
    expect(await codeOf(generateText({ model, ...TEN_CENTS }))).toBe("answered");
    expect(await spent()).toEqual([[0n, 500_000n]]);
    expect(await types()).toContain("budget.exceeded");
    expect(await codeOf(generateText({ model, ...TEN_CENTS }))).toBe("budget.exhausted");
    expect(contacted()).toBe(1);
  });

  it("[B2~] a stream settles what its end says", async () => {
    answers(3, { chunkSize: 4 });
    const result = streamText({ model: house(budget("0.10")), ...TEN_CENTS });
    expect(await result.text).toContain("longer answer");
    expect(await spent()).toEqual([[0n, 3_000n]]);
  });

  it.each([
    ["is cut off", { chunkSize: 4, truncateAfterChunks: 4, latency: 20 }, false],
    ["is not read to its end", { chunkSize: 4, latency: 20 }, true],
  ] as const)("[B2~] a stream that %s books its estimate, and is marked", async (_what, how, leaves) => {
    answers(3, how);
    const { doStream } = house(budget("0.10"));
    const { stream } = await doStream({
      prompt: [{ role: "user", content: [{ type: "text", text: "go" }] }],
      maxOutputTokens: 100,
    });
    const reader = stream.getReader();
    for (;;) {
      const next = await reader.read().catch(() => ({ done: true, value: undefined }) as const);
      if (next.done) break;
      if (leaves && next.value.type === "text-delta") await reader.cancel("enough");
    }
    expect(await spent()).toEqual([[0n, 100_000n]]);
    expect(await spends("model.responded")).toEqual([
      expect.objectContaining({ usd_micros: "100000", estimate: true }),
    ]);
  });

  it("[B2~] an answer that says no usage books its estimate", async () => {
    server.mount("/silent", {
      handleRequest: async (_request, response) => {
        response.setHeader("content-type", "application/json");
        const choices = [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }];
        response.end(JSON.stringify({ id: "1", object: "chat.completion", created: 1, model: "house", choices }));
        return true;
      },
    });
    const given = createOpenAI({ baseURL: `${server.url}/silent`, apiKey: "scripted" }).chat("house");
    const model = saferun.model(given, {
      policies: [policies(budget("0.10"))],
      store,
      environment: "prod",
      prices: PRICES,
    });
    expect(await codeOf(generateText({ model, ...TEN_CENTS }))).toBe("answered");
    expect(await spent()).toEqual([[0n, 100_000n]]);
  });

  it("[B2~] each attempt of the SDK is held for, and a refused one costs nothing", async () => {
    server.on({ predicate: () => true }, { error: { message: "slow down", type: "rate_limit" }, status: 429 });
    const model = house(budget("0.10"));
    expect(await codeOf(generateText({ model, ...TEN_CENTS, maxRetries: 1 }))).toContain("other");
    expect(contacted()).toBe(2);
    expect(await spent()).toEqual([[0n, 0n]]);
    expect((await types()).filter((type) => type === "model.failed")).toHaveLength(2);
  });

  it("[B2~] a failure of the provider books its estimate, and one that never reached it does not", async () => {
    server.on({ predicate: () => true }, { error: { message: "broken", type: "server_error" }, status: 500 });
    const model = house(budget("0.50"));
    expect(await codeOf(generateText({ model, ...TEN_CENTS }))).toContain("other");
    expect(await spent()).toEqual([[0n, 100_000n]]);
    expect(await spends("model.failed")).toEqual([expect.objectContaining({ estimate: true })]);
    const aborted = generateText({ model, ...TEN_CENTS, abortSignal: AbortSignal.abort(new Error("gone")) });
    expect(await codeOf(aborted)).toContain("gone");
    await server.stop();
    expect(await codeOf(generateText({ model, ...TEN_CENTS }))).toContain("other");
    expect(await spent()).toEqual([[0n, 100_000n]]);
    await server.start();
  });

  it("[B2~] the day of a zone is one pot", async () => {
    answers(100);
    const day = "window: { calendar: day, zone: Europe/Zurich }";
    const model = house(budget("0.10").replace("window: ever", day));
    vi.useFakeTimers({ toFake: ["Date"] });
    for (const [time, code] of [
      ["2026-11-22T22:58:00Z", "answered"],
      ["2026-11-22T22:59:00Z", "budget.exhausted"],
      ["2026-11-22T23:01:00Z", "answered"],
      ["2026-11-23T22:59:00Z", "budget.exhausted"],
    ] as const) {
      vi.setSystemTime(Date.parse(time));
      expect([time, await codeOf(generateText({ model, ...TEN_CENTS }))]).toEqual([time, code]);
    }
    expect(contacted()).toBe(2);
  });

  it("[B2~] a limit that is edited holds without a restart", async () => {
    answers(100);
    const model = house(budget("0.10"));
    const ask = () => codeOf(generateText({ model, ...TEN_CENTS }));
    expect([await ask(), await ask()]).toEqual(["answered", "budget.exhausted"]);
    policies(budget("0.20"));
    for (let turn = 0; turn < 200 && (await ask()) !== "answered"; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(contacted()).toBe(2);
    expect(await spent()).toEqual([[0n, 200_000n]]);
  });

  it("[B2~] an environment that only observes books and stops nothing", async () => {
    answers(100);
    const model = house(budget("0.10"), { environment: "watch" });
    for (let count = 1; count <= 2; count++)
      expect(await codeOf(generateText({ model, ...TEN_CENTS }))).toBe("answered");
    expect(await spent()).toEqual([[0n, 200_000n]]);
  });

  it("[B2~] without policies a model is recorded, and never stopped", async () => {
    answers(100);
    const given = createOpenAI({ baseURL: `${server.url}/v1`, apiKey: "scripted" }).chat("house");
    const model = saferun.model(given, { store, prices: { "openai:house": { input: "0", output: "100000" } } });
    await saferun.run({ id: "long" }, async () => {
      for (let count = 1; count <= 2; count++) await generateText({ model, ...TEN_CENTS });
    });
    expect(contacted()).toBe(2);
  });
});

describe("model spend of an agent, counted at the provider", () => {
  const openai = () => createOpenAI({ baseURL: `${server.url}/v1`, apiKey: "scripted" }).chat("house");
  const settings = { maxOutputTokens: 100, maxRetries: 0 } as const;

  it("[B2~] sub-agents side by side spend from the pots of the run that started them", async () => {
    const usage = { prompt_tokens: 7, completion_tokens: 10 };
    const isHelper = ({ messages }: { messages: readonly { content?: unknown }[] }) =>
      messages.some(({ content }) => content === "help");
    server.on({ predicate: (request) => isHelper(request) }, { content: "done", usage }, { latency: 200 });
    const toolCalls = ["1", "2"].map((id) => ({ id, name: "delegate", arguments: JSON.stringify({ id }) }));
    server.on({ predicate: ({ messages }) => messages.every(({ role }) => role !== "tool") }, { toolCalls, usage });
    server.on({ predicate: () => true }, { content: "both are done", usage });
    const run = budget("0.15").replace("window: ever", "window: run");
    const options = { policies: [policies(run)], store, environment: "prod", prices: PRICES };
    const helper = saferun.wrap(new ToolLoopAgent({ model: openai(), ...settings }), { ...options, agent: "helper" });
    const codes: string[] = [];
    const delegate = tool({
      inputSchema: jsonSchema<{ id: string }>({ type: "object", properties: { id: { type: "string" } } }),
      execute: async () => {
        codes.push(await codeOf(helper.generate({ prompt: "help" })));
        return "done";
      },
    });
    const agent = saferun.wrap(new ToolLoopAgent({ model: openai(), tools: { delegate }, ...settings }), options);
    expect((await agent.generate({ prompt: "go" })).text).toBe("both are done");
    expect(codes.toSorted()).toEqual(["answered", "budget.exhausted"]);
    expect(contacted()).toBe(3);
    expect(await spent()).toEqual([[0n, 30_000n]]);
  });

  it("[B2~] a model that is wrapped, in an agent that is wrapped, is counted once", async () => {
    answers(100);
    const options = { policies: [policies(budget("0.20"))], store, environment: "prod", prices: PRICES };
    for (const inner of [options, { store, environment: "prod" }]) {
      const model = saferun.model(openai(), inner);
      await saferun.wrap(new ToolLoopAgent({ model, ...settings }), options).generate({ prompt: "go" });
    }
    expect(contacted()).toBe(2);
    expect(await spent()).toEqual([[0n, 200_000n]]);
    expect((await types()).filter((type) => type === "model.requested")).toHaveLength(2);
    // Other policies have budgets of their own.
    const other = policies(budget("0.10").replace("id: spend", "id: other"), "other.yaml");
    const model = saferun.model(openai(), { ...options, policies: [other] });
    const agent = saferun.wrap(new ToolLoopAgent({ model, ...settings }), {
      ...options,
      policies: [policies("", "none.yaml")],
    });
    expect([await codeOf(agent.generate({ prompt: "go" })), await codeOf(agent.generate({ prompt: "go" }))]).toEqual([
      "answered",
      "budget.exhausted",
    ]);
  });

  it("[B2~] a cap that a file names is never overspent, and one run's is not another's", async () => {
    answers(100);
    const cap = "breakers: [{ caps: { usd: '0.25' } }]";
    const agent = saferun.wrap(new ToolLoopAgent({ model: openai(), ...settings }), {
      policies: [policies(cap)],
      store,
      environment: "prod",
      prices: PRICES,
    });
    const codes = await saferun.run({}, () =>
      Promise.all([1, 2, 3].map(() => codeOf(agent.generate({ prompt: "go" })))),
    );
    expect(codes.toSorted()).toEqual(["answered", "answered", "budget.exhausted"]);
    expect(contacted()).toBe(2);
    expect(await codeOf(agent.generate({ prompt: "go" }))).toBe("answered");
  });
});

describe("the page docs/budgets.md", () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
  const page = read("../../../docs/budgets.md");
  const home = process.cwd();
  afterEach(() => process.chdir(home));

  it("[B2~] shows code that is compiled", () => {
    const [, region] = /^\/\/ #region answer\n([\s\S]*?)^\/\/ #endregion/m.exec(read("model-budget.ts")) ?? [];
    const [, snippet] = /^```ts\n([\s\S]*?)^```/m.exec(page) ?? [];
    expect(snippet).toBe(region);
  });

  it("[B2~] shows code that runs, and refuses what its budget has no room for", async () => {
    answers(200);
    const [, text = ""] = /^```yaml\n([\s\S]*?)^```/m.exec(page) ?? [];
    process.chdir(directory);
    vi.stubEnv("SAFERUN_ENV", "prod");
    // 2,000 tokens of an answer may cost 0.4 cents, and this one costs 0.04 cents.
    writeFileSync("policies.yaml", text.replace('limit: "20.00"', 'limit: "0.0046"'));
    const model = createOpenAI({ baseURL: `${server.url}/v1`, apiKey: "scripted" }).chat("house-model");
    const said: string[] = [];
    for (let count = 1; count <= 3; count++) said.push(await answer(model, "go"));
    vi.unstubAllEnvs();
    const told = "a longer answer that streams";
    expect(said).toEqual([told, told, "Not today: the budget is used up."]);
    expect(contacted()).toBe(2);
  });
});
