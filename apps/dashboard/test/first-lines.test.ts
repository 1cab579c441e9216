/** The lines that the empty page shows: compiled against the real packages, and run; the tool says how often it was called. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initLine, installLine, KINDS, type Project as Known, kindOf } from "../src/features/inbox/first-lines.ts";
import { FIRST_POLICY, makeProject, type Project } from "./project.ts";

const TSC = fileURLToPath(new URL("../../../node_modules/.bin/tsc", import.meta.url));

const KNOWN: Known = {
  framework: null,
  language: "typescript",
  modules: "import",
  installer: "npm",
  sdk: "missing",
  policies: [],
  store: null,
};

/** What an agent has before: its tool, which counts, and what its framework gives it. */
const MINE = `export const ran: number[] = [];
export async function refund({ amount }: { amount: number }) { ran.push(amount); return { refunded: amount }; }
`;

/** A model that asks for both refunds at once, and then says that it is done. */
function aiSdk(ai: "ai" | "ai6", model: string): string {
  return `${MINE}import { jsonSchema, tool, ToolLoopAgent } from "${ai}";
import { ${model} } from "${ai}/test";
let asked = 0;
const total = (count: number) => ({ total: count, noCache: count, cacheRead: 0, cacheWrite: 0, text: count, reasoning: 0 });
export const model = new ${model}({
  doGenerate: async () => {
    const over = asked++ > 0;
    const call = (amount: number) => ({ type: "tool-call" as const, toolCallId: "call-" + amount, toolName: "refund", input: JSON.stringify({ amount }) });
    return {
      content: over ? [{ type: "text" as const, text: "done" }] : [call(4_000), call(9_000)],
      finishReason: { unified: over ? ("stop" as const) : ("tool-calls" as const), raw: undefined },
      usage: { inputTokens: total(1), outputTokens: total(1) },
      warnings: [],
    };
  },
});
export const myTools = {
  refund: tool({ inputSchema: jsonSchema<{ amount: number }>({ type: "object", properties: { amount: { type: "number" } }, required: ["amount"] }), execute: refund }),
};
export const myAgent = new ToolLoopAgent({ model, tools: myTools });
`;
}

const ASK = (call: string) => `for (const amount of [4_000, 9_000]) await ${call};`;

interface Case {
  readonly kind: string;
  readonly mine: string;
  readonly from: string;
  readonly then: string;
  readonly more?: string;
}

/** As each framework documents how it makes a tool and calls it: with more than the arguments. */
const CASES: readonly Case[] = [
  { kind: "functions", mine: MINE, from: "refund", then: ASK("gated.refund({ amount })") },
  { kind: "openai", mine: MINE, from: "refund", then: ASK("gated.refund({ amount })") },
  { kind: "anthropic", mine: MINE, from: "refund", then: ASK("gated.refund({ amount })") },
  {
    kind: "ai-sdk",
    mine: aiSdk("ai", "MockLanguageModelV4"),
    from: "myAgent",
    then: `await agent.generate({ prompt: "go" });`,
  },
  {
    kind: "ai-sdk-functions",
    mine: aiSdk("ai", "MockLanguageModelV4"),
    from: "model, myTools",
    more: `import { generateText, isStepCount } from "ai";`,
    then: `await saferun.run({ prompt: "go" }, () => generateText({ model, tools, prompt: "go", stopWhen: isStepCount(3) }));`,
  },
  ...["openai-agents", "mastra"].map((kind) => ({
    kind,
    mine: `${MINE}
interface Definition { readonly name: string; readonly description: string }
interface Tool extends Definition { execute(args: { amount: number }, context: object): unknown }
const made = (given: Tool): Tool => given;
export const tool = made, createTool = made;
export const definition: Definition = { name: "refund", description: "gives money back" };
`,
    from: `refund, definition, ${kind === "mastra" ? "createTool" : "tool"}`,
    then: ASK("refundTool.execute({ amount }, { agent: {} })"),
  })),
  ...["langchain", "langgraph"].map((kind) => ({
    kind,
    mine: `${MINE}
export const tool = (run: (args: { amount: number }, config: object) => unknown, definition: { readonly name: string }) => ({
  name: definition.name, invoke: (args: { amount: number }) => run(args, { configurable: {} }),
});
export const definition = { name: "refund" };
`,
    from: "refund, definition, tool",
    then: ASK("refundTool.invoke({ amount })"),
  })),
  {
    kind: "claude-agent-sdk",
    mine: `${MINE}
type Handler = (args: { amount: number }, extra: unknown) => Promise<{ content: { type: "text"; text: string }[] }>;
export const tool = (name: string, description: string, schema: object, handler: Handler) => ({ name, description, schema, handler });
export const [description, schema] = ["gives money back", {}];
`,
    from: "refund, description, schema, tool",
    then: ASK("refundTool.handler({ amount }, {})"),
  },
  {
    kind: "mcp",
    mine: `${MINE}
export const client = {
  callTool: async ({ arguments: args }: { name: string; arguments?: Record<string, unknown> }) => refund({ amount: Number(args?.amount) }),
};
`,
    from: "client",
    then: ASK("gated.refund({ amount })"),
  },
];

const CONFIG = JSON.stringify({
  compilerOptions: {
    target: "ES2024",
    module: "NodeNext",
    customConditions: ["@saferun/source"],
    strict: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
    types: ["node"],
  },
  include: ["*/*.ts"],
});

let project: Project;

function agentText({ kind, from, then, more = "" }: Case): string {
  const text = KINDS[kind]?.lines(KNOWN).text ?? "";
  const own = `import { ${from}, ran } from "./mine.ts";`;
  return [more, own, text, then, `console.log(JSON.stringify(["${kind}", ran]));`, ""].join("\n");
}

beforeAll(() => {
  project = makeProject({ type: "module" });
  project.install("@saferun/sdk", "@ai-sdk/provider", "@types/node", "ai", "ai6");
  project.write("policies.yaml", FIRST_POLICY);
  project.write("tsconfig.json", CONFIG);
  for (const one of CASES) {
    project.write(`${one.kind}/mine.ts`, one.mine);
    project.write(`${one.kind}/agent.ts`, agentText(one));
    if (one.kind !== "ai-sdk") continue;
    project.write("ai6/mine.ts", aiSdk("ai6", "MockLanguageModelV3"));
    project.write("ai6/agent.ts", agentText(one).replace('["ai-sdk", ran]', '["ai6", ran]'));
  }
});
afterAll(() => project.close());

describe("the lines to paste", () => {
  it("are there for every kind, and compile against the real packages", () => {
    expect(CASES.map(({ kind }) => kind).sort()).toEqual(Object.keys(KINDS).sort());
    expect(spawnSync(TSC, ["-p", "."], { cwd: project.cwd, encoding: "utf8" }).stdout).toBe("");
  }, 60_000);

  it("[G2~] gate the tools of each kind, and of the AI SDK 6 as of 7: what is denied does not run", async () => {
    const kinds = [...CASES.map(({ kind }) => kind), "ai6"];
    project.write("all.ts", kinds.map((kind) => `await import("./${kind}/agent.ts");\n`).join(""));
    const printed = (await project.node("all.ts")).trim().split("\n");
    expect(printed.map((line) => JSON.parse(line))).toEqual(kinds.map((kind) => [kind, [4_000]]));
  });

  it("are `require` where the project's files load others with it", async () => {
    project.write("common/package.json", JSON.stringify({ type: "commonjs" }));
    project.write(
      "common/mine.cjs",
      "exports.ran = []; exports.refund = async ({ amount }) => exports.ran.push(amount);",
    );
    const lines = KINDS.functions?.lines({ ...KNOWN, language: "javascript", modules: "require" }).text ?? "";
    const then = "await saferun.shutdown(); console.log(JSON.stringify(ran));";
    project.write(
      "common/agent.cjs",
      `const { ran, refund } = require("./mine.cjs");\n${lines}\n(async () => { ${ASK("gated.refund({ amount })")} ${then} })();`,
    );
    expect(JSON.parse(await project.node("common/agent.cjs"))).toEqual([4_000]);
  });

  it("name the store and the policies that the page shows", () => {
    const policies = ["./rules/a.yaml", "./rules/b.yaml", "./rules/c.ts"];
    const { text } = KINDS["ai-sdk"]?.lines({ ...KNOWN, policies, store: "./elsewhere" }) ?? { text: "" };
    expect(text).toContain('policies: ["./rules/a.yaml", "./rules/b.yaml"]');
    expect(text).toContain('store: "./elsewhere"');
  });

  it("say honestly what has no adapter yet", () => {
    const said = Object.entries(KINDS).filter(([, { lines }]) => lines(KNOWN).about.join(" ").includes("no adapter"));
    expect(said.map(([kind]) => kind)).toEqual(
      Object.keys(KINDS).filter((kind) => kind !== "functions" && !kind.startsWith("ai-sdk")),
    );
    expect(kindOf({ ...KNOWN, framework: "mastra" })).toBe("mastra");
    expect(kindOf({ ...KNOWN, framework: "toString" })).toBe("functions");
  });

  it("are installed and started with the project's own package manager", () => {
    const lines = (["npm", "pnpm", "yarn", "bun"] as const).map((installer) => {
      const known = { ...KNOWN, installer };
      return [installLine(known), initLine(known, "ai-sdk")];
    });
    expect(lines).toEqual([
      ["npm install @saferun/sdk", "npx saferun init --from ai-sdk ./tools.ts"],
      ["pnpm add @saferun/sdk", "pnpm exec saferun init --from ai-sdk ./tools.ts"],
      ["yarn add @saferun/sdk", "yarn saferun init --from ai-sdk ./tools.ts"],
      ["bun add @saferun/sdk", "bunx saferun init --from ai-sdk ./tools.ts"],
    ]);
    expect(installLine({ ...KNOWN, sdk: "unpublished" })).toBeUndefined();
    expect(installLine({ ...KNOWN, sdk: "installed" })).toBeUndefined();
  });
});
