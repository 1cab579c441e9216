/** From a tool of the AI SDK with a zod schema, over Slack's edit form, to what ran: once, and exactly that. */
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSlack } from "@saferun/channels";
import type { JsonObject } from "@saferun/core";
import { createMemoryStore } from "@saferun/store";
import { ToolLoopAgent, tool } from "ai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { saferun } from "../src/index.ts";
import { scriptedModel } from "./subjects.ts";

const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
const POLICY = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { refund: { kind: write } }
rules: [{ id: ask, tool: refund, then: pause, approval: { editable: [args.amount, args.currency, args.customer.name, args.express] } }]
`;

const inputSchema = z.object({
  amount: z.int().min(1).max(500).describe("In whole euros"),
  currency: z.enum(["eur", "usd"]),
  customer: z.object({ id: z.string(), name: z.string().max(20).nullable() }),
  express: z.boolean().optional(),
});

let directory: string;
let server: Server;
let asked: { readonly path: string; readonly form: URLSearchParams }[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "saferun-form-"));
  writeFileSync(join(directory, "policies.yaml"), POLICY);
  asked = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url?.split("/").at(-1) ?? "";
      asked.push({ path, form: new URLSearchParams(Buffer.concat(chunks).toString()) });
      const user = { id: "U1", deleted: false };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ ok: true, channel: "C1", ts: "1.1", ...(path === "users.info" ? { user } : {}) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});

/** What Slack was sent last, as soon as it is there. */
async function sent<Sent>(path: string, field: string): Promise<Sent> {
  for (;;) {
    const found = asked.findLast((one) => one.path === path)?.form.get(field);
    if (found) return JSON.parse(found) as Sent;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface Element {
  readonly type: string;
  readonly initial_value?: string;
  readonly initial_option?: { readonly value: string };
  readonly options?: readonly { readonly text: { readonly text: string }; readonly value: string }[];
}

interface View {
  readonly callback_id: string;
  readonly private_metadata: string;
  readonly blocks: readonly {
    readonly block_id: string;
    readonly label?: { text: string };
    readonly element: Element;
  }[];
}

describe("an edit in Slack's form of a tool with a zod schema", () => {
  it("runs once with exactly what the form held, and the model is told [A3~] [A5~]", async () => {
    const { port } = server.address() as AddressInfo;
    const slack = createSlack({
      token: "xoxb-test",
      signingSecret: SECRET,
      apiUrl: `http://127.0.0.1:${port}/api/`,
      approvers: { U1: { principal: "ann" } },
    });
    const ran: unknown[] = [];
    const refund = tool({
      inputSchema,
      execute: async (args) => {
        ran.push(structuredClone(args));
        return { refunded: args.amount };
      },
    });
    const args = { amount: 450, currency: "eur", customer: { id: "c1", name: "Ada" } };
    const model = scriptedModel([[{ tool: "refund", args }]]);
    const agent = saferun.wrap(new ToolLoopAgent({ model, tools: { refund } }), {
      policies: [join(directory, "policies.yaml")],
      store: createMemoryStore(),
      environment: "prod",
      onPause: async (call) => slack.notify("#ops", call),
    });
    const done = agent.generate({ prompt: "refund it" });
    const blocks = await sent<readonly JsonObject[]>("chat.postMessage", "blocks");
    const edit = blocks
      .flatMap(({ elements = [] }) => elements as readonly JsonObject[])
      .find(({ action_id }) => action_id === "saferun.edit");
    const container = { type: "message", channel_id: "C1", message_ts: "1.1" };
    const actions = [{ action_id: "saferun.edit", value: edit?.value }];
    await click({ type: "block_actions", trigger_id: "t", user: { id: "U1" }, container, actions });

    const view = await sent<View>("views.open", "view");
    const kinds = view.blocks.flatMap(({ label, element }) =>
      label === undefined ? [] : [[label.text, element.type]],
    );
    expect(kinds).toEqual([
      ["amount", "number_input"],
      ["currency", "static_select"],
      ["customer.name", "plain_text_input"],
      ["express", "static_select"],
    ]);
    expect(JSON.stringify(view)).toContain("a whole number from 1 to 500; In whole euros");

    const misfit = await submit(view, { amount: "501" });
    expect(misfit).toMatchObject({ response_action: "errors" });
    expect(ran).toEqual([]);
    const typed = { amount: "50", currency: "usd", "customer.name": "Ada L.", express: "true" };
    expect(await submit(view, typed)).toMatchObject({ response_action: "update" });
    expect(JSON.stringify(await submit(view, typed))).toContain("already decided");
    const { steps } = await done;
    const edited = { amount: 50, currency: "usd", customer: { id: "c1", name: "Ada L." }, express: true };
    expect(ran).toEqual([edited]);
    const told = steps.flatMap(({ toolResults }) => toolResults.map(({ output }) => output));
    expect(told).toMatchObject([{ refunded: 50, saferun: { edited: true, ran: edited } }]);
    await slack.close();

    async function click(payload: object): Promise<Response> {
      const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const mac = createHmac("sha256", SECRET).update(`v0:${timestamp}:${body}`).digest("hex");
      const headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": `v0=${mac}`,
      };
      return slack.handle(new Request("http://127.0.0.1/slack", { method: "POST", headers, body }));
    }

    async function submit({ callback_id, private_metadata, blocks }: View, texts: Record<string, string>) {
      const values = Object.fromEntries(
        blocks.flatMap(({ block_id, label, element }) => {
          if (label === undefined) return [];
          const text = texts[label.text];
          const option = element.options?.find((one) => one.text.text === text) ?? element.initial_option ?? null;
          const value = text ?? element.initial_value ?? null;
          const { type } = element;
          const state = type === "static_select" ? { type, selected_option: option } : { type, value };
          return [[block_id, { value: state }]];
        }),
      );
      // Another time in each: the same delivery again would get the same answer.
      const response = await click({
        type: "view_submission",
        user: { id: "U1" },
        trigger_id: String(asked.length),
        view: { callback_id, private_metadata, state: { values } },
      });
      return (await response.json()) as JsonObject;
    }
  });
});
