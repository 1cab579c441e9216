/** What the host decides of a tool's arguments, as the model sees it and as the tool gets it. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryStore } from "@saferun/store";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { generateText, isStepCount, jsonSchema, ToolLoopAgent, tool } from "ai";
import { type } from "arktype";
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { saferun } from "../src/index.ts";
import { type Call, scriptedModel } from "./subjects.ts";

const policy = (bind: string) => `saferun: policy/v1
environments: { prod: { unmatched: deny } }
context: { mailbox: string }
tools: { send: { kind: write${bind} } }
rules: [{ id: all, tool: send, then: allow }]
`;
const BOUND = ", bind: { from: context.mailbox }";

const home = process.cwd();
let directory = "";
let ran: unknown[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-bound-"));
  mkdirSync(join(directory, "project"), { mode: 0o700 });
  process.chdir(join(directory, "project"));
  process.env.SAFERUN_STATE_DIR = join(directory, "state");
  process.env.SAFERUN_ENV = "prod";
  writeFileSync("policies.yaml", policy(BOUND));
  ran = [];
});

afterEach(async () => {
  await saferun.shutdown();
  process.chdir(home);
  rmSync(directory, { recursive: true, force: true });
});

async function send(args: unknown): Promise<string> {
  ran.push(args);
  return "sent";
}

const gated = () => ({ policies: ["./policies.yaml"], store: createMemoryStore() });
const inMailbox = <Result>(body: () => Result) => saferun.run({ context: { mailbox: "desk@example.com" } }, body);

function agentWith(inputSchema: unknown, turns: readonly (readonly Call[])[]) {
  const model = scriptedModel(turns);
  const tools = { send: tool({ inputSchema: inputSchema as z.ZodType, execute: send }) };
  return { model, agent: saferun.wrap(new ToolLoopAgent({ model, tools }), gated()) };
}

/** The schema of `send` in the model's nth request. */
function shown(model: ReturnType<typeof scriptedModel>, request = 0): unknown {
  const [first] = model.doGenerateCalls[request]?.tools ?? [];
  return first?.type === "function" ? first.inputSchema : undefined;
}

const SHAPE = {
  type: "object",
  properties: { from: { type: "string" }, to: { type: "string" }, copies: { type: "integer" } },
  required: ["from", "to"],
};
const schemas: readonly (readonly [string, unknown])[] = [
  ["zod", z.object({ from: z.email(), to: z.string(), copies: z.int().default(1) })],
  ["a schema made late", () => z.object({ from: z.email(), to: z.string(), copies: z.int().default(1) })],
  [
    "valibot",
    toStandardJsonSchema(
      v.strictObject({ from: v.pipe(v.string(), v.email()), to: v.string(), copies: v.optional(v.number(), 1) }),
    ),
  ],
  ["arktype", type({ from: "string.email", to: "string", copies: "number.integer = 1" })],
];
const write = (args: Record<string, unknown>, id = "call-1") => [{ tool: "send", args, id }];

describe("arguments that the host decides [P5~]", () => {
  it.each(schemas)("%s: the model is not shown them, and its own are replaced", async (_name, schema) => {
    const { model, agent } = agentWith(schema, [
      write({ to: "bob" }),
      write({ to: "bob", from: "mallory@example.com" }, "call-2"),
    ]);
    await inMailbox(() => agent.generate({ prompt: "go" }));
    expect(shown(model)).toMatchObject({ properties: { to: { type: "string" } } });
    expect(JSON.stringify(model.doGenerateCalls.map(({ tools }) => tools))).not.toContain("from");
    const sent = { from: "desk@example.com", to: "bob", copies: 1 };
    expect(ran).toEqual([sent, sent]);
    // The model never reads the host's value either, not even as its own words.
    expect(JSON.stringify(model.doGenerateCalls.map(({ prompt }) => prompt))).not.toContain("desk@example.com");
  });

  it("the AI SDK's jsonSchema, inside of objects, lists of schemas and references, ones that go in circles too", async () => {
    writeFileSync("policies.yaml", policy(", bind: { envelope.from: context.mailbox, tenant: context.mailbox }"));
    const envelope = {
      type: "object",
      properties: { from: { type: "string" }, note: { type: "string" } },
      required: ["from"],
      anyOf: [{ $ref: "#/$defs/envelope" }],
    };
    const schema = {
      type: "object",
      properties: { envelope: { $ref: "#/$defs/envelope" } },
      required: ["envelope", "tenant"],
      allOf: [{ type: "object", properties: { tenant: { type: "string" } }, required: ["tenant"] }],
      $defs: { envelope },
    };
    const { model, agent } = agentWith(jsonSchema(schema as never), [write({ envelope: { note: "x", from: "m" } })]);
    await inMailbox(() => agent.generate({ prompt: "go" }));
    expect(shown(model)).toMatchObject({
      properties: { envelope: { properties: { note: { type: "string" } }, required: [] } },
      required: ["envelope"],
      allOf: [{ properties: {}, required: [] }],
    });
    expect(ran).toEqual([{ envelope: { note: "x", from: "desk@example.com" }, tenant: "desk@example.com" }]);
  });

  it("what the host does not say is denied by the gate, and a misfit of its own is not shown", async () => {
    const turns = [write({ to: "bob" })];
    const silent = agentWith(z.object({ from: z.email(), to: z.string() }), turns);
    await silent.agent.generate({ prompt: "go" });
    expect(JSON.stringify(silent.model.doGenerateCalls[1]?.prompt)).toContain("The session does not say");
    // Valibot's own message quotes what it was given.
    const quoting = v.strictObject({ from: v.pipe(v.string(), v.email()), to: v.string() });
    const misfit = agentWith(toStandardJsonSchema(quoting), turns);
    await saferun.run({ context: { mailbox: "desk-4711" } }, () => misfit.agent.generate({ prompt: "go" }));
    const told = JSON.stringify(misfit.model.doGenerateCalls[1]?.prompt);
    expect(told).toContain("from");
    expect(told).not.toContain("desk-4711");
    expect(ran).toEqual([]);
  });

  it("a tools map for generateText shows the same, and other tools are theirs", async () => {
    const model = scriptedModel([write({ to: "bob" })]);
    const look = z.object({ from: z.string() });
    const map = {
      send: tool({ inputSchema: z.object({ from: z.email(), to: z.string() }), execute: send }),
      look: tool({ inputSchema: look, execute: send }),
    };
    const tools = saferun.tools(map, gated());
    await inMailbox(() => generateText({ model, tools, prompt: "go", stopWhen: isStepCount(3) }));
    expect(shown(model)).toMatchObject({ required: ["to"] });
    expect(tools.look.inputSchema).toBe(look);
    expect(ran).toEqual([{ from: "desk@example.com", to: "bob" }]);
  });

  it("JSON Schema as it is, of a plain agent's tool, stays that", () => {
    const agent = saferun.wrap({ tools: { send: { inputSchema: SHAPE, execute: send } } }, gated());
    expect(agent.tools.send.inputSchema).toEqual({
      type: "object",
      properties: { to: { type: "string" }, copies: { type: "integer" } },
      required: ["to"],
    });
    expect(SHAPE.required).toEqual(["from", "to"]);
  });

  it("follows policies that change: what is bound from now on is hidden from the next request on", async () => {
    writeFileSync("policies.yaml", policy(""));
    const { model, agent } = agentWith(z.object({ from: z.email().optional(), to: z.string() }), [
      write({ to: "bob", from: "mallory@example.com" }),
      [],
      write({ to: "bob", from: "mallory@example.com" }),
      [],
    ]);
    const go = () => inMailbox(() => agent.generate({ prompt: "go" }));
    await go();
    expect(shown(model)).toHaveProperty("properties.from");
    writeFileSync("next.yaml", policy(BOUND));
    renameSync("next.yaml", "policies.yaml");
    for (let tries = 0; tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (!JSON.stringify(shownNow(agent)).includes("from")) break;
    }
    await go();
    expect(shown(model, 2)).not.toHaveProperty("properties.from");
    expect(ran).toEqual([
      { to: "bob", from: "mallory@example.com" },
      { to: "bob", from: "desk@example.com" },
    ]);
  });
});

/** What a request that is made now would show. */
function shownNow(agent: { readonly tools: object }): unknown {
  const { inputSchema } = Reflect.get(agent.tools, "send") as { readonly inputSchema: object };
  return "jsonSchema" in inputSchema ? inputSchema.jsonSchema : "from";
}
