/** Tools with the schemas of three libraries, in agents of the AI SDK; what ran is counted at the tool. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryStore } from "@saferun/store";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { ToolLoopAgent, tool } from "ai";
import { type } from "arktype";
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { saferun } from "../src/index.ts";
import { toolDefinitions } from "../src/tool-definitions.ts";
import { type Call, scriptedModel } from "./subjects.ts";

const POLICIES = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
context: { mailbox: string }
tools: { send: { kind: write } }
rules: [{ id: all, tool: send, then: allow }]
breakers: [{ denials: { mode: observe } }]
`;

const home = process.cwd();
let directory = "";
let ran: unknown[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-schemas-"));
  mkdirSync(join(directory, "project"), { mode: 0o700 });
  process.chdir(join(directory, "project"));
  process.env.SAFERUN_STATE_DIR = join(directory, "state");
  process.env.SAFERUN_ENV = "prod";
  writeFileSync("policies.yaml", POLICIES);
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

/** The tool as a plain agent calls it: no framework has looked at the arguments. */
function direct(inputSchema: unknown): (args: unknown) => Promise<unknown> {
  const agent = saferun.wrap({ tools: { send: { inputSchema, execute: send } } }, gated());
  return (args) => agent.tools.send.execute(args);
}

/** The tool as a model of the AI SDK calls it. */
async function byModel(inputSchema: unknown, calls: readonly Call[]): Promise<void> {
  const model = scriptedModel([calls]);
  const tools = { send: tool({ inputSchema: inputSchema as z.ZodType, execute: send }) };
  await saferun.wrap(new ToolLoopAgent({ model, tools }), gated()).generate({ prompt: "go" });
}

const MAIL = { to: "bob@example.com", subject: "Hello" };

/** One contract, three libraries: strict, two texts, and a test that no JSON Schema can say. */
const libraries: readonly (readonly [string, unknown])[] = [
  ["zod", z.strictObject({ to: z.email(), subject: z.string().refine((text) => !text.includes("URGENT")) })],
  [
    "valibot",
    v.strictObject({
      to: v.pipe(v.string(), v.email()),
      subject: v.pipe(
        v.string(),
        v.check((text) => !text.includes("URGENT")),
      ),
    }),
  ],
  [
    "arktype",
    type({ to: "string.email", subject: type("string").narrow((text) => !text.includes("URGENT")), "+": "reject" }),
  ],
];

const MISFITS = [
  { to: "bob", subject: "Hello" },
  { to: ["bob@example.com"], subject: "Hello" },
  { to: "bob@example.com" },
  { ...MAIL, bcc: "mallory@example.com" },
  { ...MAIL, subject: "URGENT" },
  { ...MAIL, subject: 7 },
  {},
];

describe("the schemas of zod, valibot and arktype [P5~]", () => {
  it.each(libraries)("%s: the gate itself asks the schema; what does not fit never runs", async (_name, schema) => {
    const call = direct(schema);
    expect(await call(MAIL)).toBe("sent");
    for (const args of MISFITS) expect(await call(args)).toMatchObject({ denied: true, rules: ["schema:send"] });
    expect(ran).toEqual([MAIL]);
  });

  it.each(
    libraries.map(
      ([name, schema]) => [name, name === "valibot" ? offered(schema as v.GenericSchema) : schema] as const,
    ),
  )("%s in an agent of the AI SDK: the same calls, from a model", async (name, schema) => {
    const calls = [MAIL, ...MISFITS].map((args, index) => ({ tool: "send", args, id: `call-${index}` }));
    await byModel(schema, calls);
    // The framework reads an answer of valibot that has a value as a yes, whatever its issues: the arguments that do not
    // fit come through to the gate, but for the unknown one, which valibot has taken out.
    expect(ran).toEqual(name === "valibot" ? [MAIL, MAIL] : [MAIL]);
  });

  it("asks valibot's schema also where it can print itself, and knows its arguments then", () => {
    const printable = toStandardJsonSchema(v.strictObject({ to: v.pipe(v.string(), v.email()) }));
    const { schemas, validators, unchecked } = toolDefinitions({ send: { inputSchema: printable } });
    expect(schemas.send).toMatchObject({ properties: { to: { type: "string", format: "email" } } });
    expect(Object.keys(validators)).toEqual(["send"]);
    expect(unchecked).toEqual([]);
    writeFileSync("policies.yaml", POLICIES.replace("tool: send,", "tool: send, when: args.cc == '',"));
    expect(() => direct(printable)).toThrow(/policies\.yaml:5:\d+: .*`args\.cc`/);
  });

  it("keeps what it can of a schema whose pattern it cannot read, because the validator judges that", () => {
    // Its pattern looks ahead.
    const inputSchema = type({ "copies?": "string.numeric", "to?": "string" });
    const { schemas, validators, unchecked } = toolDefinitions({ send: { inputSchema } });
    expect(schemas.send).toMatchObject({ properties: { copies: { type: "string" }, to: { type: "string" } } });
    expect(schemas.send).not.toHaveProperty("properties.copies.pattern");
    expect(Object.keys(validators)).toEqual(["send"]);
    expect(unchecked).toEqual([]);
  });
});

/** As valibot's schemas are given to the AI SDK, which needs their JSON Schema; `check` has none. */
function offered(schema: v.GenericSchema): unknown {
  const standard = schema["~standard"];
  const jsonSchema = { type: "object", properties: { to: { type: "string" }, subject: { type: "string" } } };
  return { ...schema, "~standard": { ...standard, jsonSchema: { input: () => jsonSchema, output: () => jsonSchema } } };
}

describe("what a schema makes of the arguments", () => {
  const rewriting: readonly (readonly [string, unknown])[] = [
    ["valibot trims", v.object({ to: v.pipe(v.string(), v.trim()) })],
    ["valibot fills in", v.object({ to: v.optional(v.string(), "nobody@example.com") })],
    ["valibot strips", v.object({ to: v.string() })],
    ["arktype strips", type({ to: "string", "+": "delete" })],
    ["zod changes the case", z.object({ to: z.string().toLowerCase() })],
    ["zod fills in", z.object({ to: z.string().default("nobody@example.com") })],
  ];
  const differing = [{ to: " Bob@example.com" }, {}, { to: "bob@example.com", bcc: "mallory@example.com" }];

  it.each(rewriting)("%s: only what comes back as it went in runs", async (_name, schema) => {
    const call = direct(schema);
    expect(await call({ to: "bob@example.com" })).toBe("sent");
    const answers: unknown[] = [];
    for (const args of differing) answers.push(await call(args));
    expect(answers.some((answer) => typeof answer === "object")).toBe(true);
    // Whatever ran is what its schema would have made of it: nothing differs in silence.
    const standard = (schema as z.ZodType)["~standard"];
    for (const args of ran) expect(await standard.validate(args)).toMatchObject({ value: args });
    expect(ran[0]).toEqual({ to: "bob@example.com" });
  });

  it.each([
    ["zod", z.object({ to: z.string().trim(), copies: z.int().default(1) })],
    ["arktype", type({ to: "string", copies: "number.integer = 1" })],
  ])("%s in the AI SDK: what the framework has parsed is judged, and that runs", async (_name, schema) => {
    await byModel(schema, [{ tool: "send", args: { to: "bob@example.com" } }]);
    expect(ran).toEqual([{ to: "bob@example.com", copies: 1 }]);
  });

  it.each([
    ["zod", z.object({ to: z.string(), copies: z.string().transform(Number).pipe(z.int().max(3)) })],
    ["arktype", type({ to: "string", copies: "string.integer.parse" })],
  ])("%s: where a value becomes another one, the schema of the result holds", async (_name, schema) => {
    await byModel(schema, [{ tool: "send", args: { to: "bob@example.com", copies: "2" } }]);
    expect(ran).toEqual([{ to: "bob@example.com", copies: 2 }]);
    expect(await direct(schema)({ to: "bob@example.com", copies: "2" })).toMatchObject({ rules: ["schema:send"] });
  });

  it("says so where only the framework can check", () => {
    const inputSchema = z.object({ to: z.string().transform((text) => text.length) });
    const { schemas, validators, unchecked } = toolDefinitions({ send: { inputSchema } });
    expect([schemas, validators]).toEqual([{}, {}]);
    expect(unchecked).toEqual([expect.stringMatching(/^the schema of `send` is left to the framework: it transforms/)]);
  });

  it.each([
    [
      "a promise",
      v.objectAsync({
        to: v.pipeAsync(
          v.string(),
          v.checkAsync(async () => true),
        ),
      }),
    ],
    [
      "a throw",
      standard(() => {
        throw new Error("secret@example.com");
      }),
    ],
    ["nothing", standard(() => undefined)],
    ["no value", standard(() => ({}))],
    ["issues that are none", standard(() => ({ issues: "none", value: { to: "x" } }))],
    ["another value", standard(() => ({ value: { to: "mallory@example.com" } }))],
    ["a list", standard(() => ({ value: [] }))],
  ])("an answer that is %s is a denial (trap 5)", async (_name, schema) => {
    const answer = await direct(schema)({ to: "bob@example.com" });
    expect(answer).toMatchObject({ denied: true, rules: ["schema:send"] });
    expect(JSON.stringify(answer)).not.toMatch(/secret|bob|mallory/);
    expect(ran).toEqual([]);
  });

  it("judges what would run: what the host bound, and what rules changed", async () => {
    writeFileSync(
      "policies.yaml",
      POLICIES.replace("kind: write", "kind: write, bind: { from: context.mailbox }").replace(
        "then: allow",
        "then: allow, change: [{ set: args.to, to: \"'carol@example.com'\" }]",
      ),
    );
    const call = direct(v.strictObject({ to: v.literal("carol@example.com"), from: v.literal("desk@example.com") }));
    const within = (mailbox: string) => saferun.run({ context: { mailbox } }, () => call({ to: "bob@example.com" }));
    expect(await within("mallory@example.com")).toMatchObject({ rules: ["schema:send"] });
    await within("desk@example.com");
    expect(ran).toEqual([{ to: "carol@example.com", from: "desk@example.com" }]);
  });

  it("tools that are made anew for each request share what is followed on disk", async () => {
    for (let index = 0; index < 3; index++) {
      const call = direct(v.strictObject({ to: v.literal(`bob-${index}@example.com`) }));
      expect(await call({ to: "bob-1@example.com" })).toEqual(index === 1 ? "sent" : expect.anything());
    }
    expect(ran).toEqual([{ to: "bob-1@example.com" }]);
  });
});

function standard(validate: (value: unknown) => unknown): unknown {
  return { "~standard": { version: 1, vendor: "test", validate } };
}
