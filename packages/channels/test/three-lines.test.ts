/** The three lines, with Slack set up by environment variables and nothing else. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDenied, saferun } from "@saferun/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { slack } from "../src/index.ts";
import { ACTIONS } from "../src/slack/card.ts";
import { buttonsOf, click, clickOf, openSlackDesk, SECRET, type SlackDesk, TOKEN } from "./slack-desk.ts";
import { eventually } from "./world.ts";

const POLICIES = `saferun: policy/v1
environments:
  prod: { unmatched: deny }
routes:
  default: { to: [cli], within: 10m }
tools:
  refund: { kind: write }
rules:
  - { id: ask, tool: refund, then: pause, approval: { route: default, editable: [amount] } }
`;

const VARIABLES = ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN", "SLACK_API_URL"] as const;
const home = process.cwd();
let desk: SlackDesk;
let directory = "";
let ran: unknown[] = [];

beforeAll(async () => {
  desk = await openSlackDesk();
});
afterAll(() => desk.close());

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-channels-"));
  mkdirSync(join(directory, "project"), { mode: 0o700 });
  process.chdir(join(directory, "project"));
  process.env.SAFERUN_STATE_DIR = join(directory, "state");
  process.env.SAFERUN_ENV = "prod";
  process.env.SLACK_BOT_TOKEN = TOKEN;
  process.env.SLACK_SIGNING_SECRET = SECRET;
  process.env.SLACK_API_URL = desk.apiUrl;
  process.env.SAFERUN_SLACK_APPROVERS = `${desk.account("ann")}=ann`;
  writeFileSync("policies.yaml", POLICIES);
  ran = [];
});

afterEach(async () => {
  await slack.close();
  await saferun.shutdown();
  process.chdir(home);
  for (const name of VARIABLES) delete process.env[name];
  delete process.env.SAFERUN_SLACK_APPROVERS;
  rmSync(directory, { recursive: true, force: true });
  desk.front.faults.splice(1);
});

const myAgent = {
  tools: {
    async refund(args: { amount: number }) {
      ran.push(args);
      return { refunded: args.amount };
    },
  },
};

function wrapped() {
  const agent = saferun.wrap(myAgent, {
    policies: ["./policies.yaml"],
    onPause: async (a) => slack.notify("#ops-approvals", a),
  });
  return agent.tools;
}

async function nextCard(before: number) {
  return eventually(async () => (await desk.cards())[before]);
}

describe("the three lines", () => {
  it("ask in Slack, and run once after a click", async () => {
    const before = (await desk.cards()).length;
    const result = wrapped().refund({ amount: 450 });
    const card = await nextCard(before);
    expect(ran).toEqual([]);
    expect((await click(slack, clickOf(card, ACTIONS.approve, desk.account("ann")))).status).toBe(200);
    expect(await result).toEqual({ refunded: 450 });
    expect(ran).toEqual([{ amount: 450 }]);
    await eventually(async () => (buttonsOf((await nextCard(before)) ?? card).length === 0 ? true : undefined));
  });

  it.each(["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"])("say that %s is missing, and run nothing", async (name) => {
    delete process.env[name];
    const told = new Promise<string>((resolve) => {
      process.once("warning", ({ message }) => resolve(message));
    });
    const stop = new AbortController();
    const tool = saferun.wrap(
      async function refund(args: { amount: number }) {
        ran.push(args);
      },
      { policies: ["./policies.yaml"], onPause: async (a) => slack.notify("#ops-approvals", a) },
    );
    const result = tool({ amount: 450 }, { signal: stop.signal });
    expect(await told).toContain(`\`${name}\` is not set`);
    stop.abort();
    expect(isDenied(await result)).toBe(true);
    expect(ran).toEqual([]);
  });

  it("answer over a socket, acknowledged after the decision is recorded [A5~]", async () => {
    const sockets = new WebSocketServer({ server: desk.front.server, path: "/socket" });
    try {
      process.env.SLACK_APP_TOKEN = "xapp-saferun-test";
      desk.front.faults.push(({ path }) =>
        path.endsWith("/apps.connections.open")
          ? Promise.resolve(Response.json({ ok: true, url: `${desk.front.url.replace("http", "ws")}/socket` }))
          : undefined,
      );
      const connected = new Promise<import("ws").WebSocket>((resolve) => sockets.once("connection", resolve));
      const before = (await desk.cards()).length;
      const result = wrapped().refund({ amount: 450 });
      const socket = await connected;
      socket.send(JSON.stringify({ type: "hello", num_connections: 1, connection_info: { app_id: "A1" } }));
      const card = await nextCard(before);
      const acks: unknown[] = [];
      socket.on("message", (data) => acks.push(JSON.parse(String(data))));
      const say = (envelope_id: string, account: string) =>
        socket.send(
          JSON.stringify({
            type: "interactive",
            envelope_id,
            accepts_response_payload: true,
            payload: clickOf(card, ACTIONS.approve, account),
          }),
        );
      say("e-1", desk.account("eve"));
      await eventually(() => (acks.length === 1 ? true : undefined));
      expect(ran).toEqual([]);
      say("e-2", desk.account("ann"));
      say("e-2", desk.account("ann"));
      expect(await result).toEqual({ refunded: 450 });
      await eventually(() => (acks.length === 3 ? true : undefined));
      expect(ran).toEqual([{ amount: 450 }]);
    } finally {
      await slack.close();
      sockets.close();
    }
  });
});

describe("notify", () => {
  it("wants the paused call itself", async () => {
    await expect(slack.notify("#ops-approvals", { ...{} } as never)).rejects.toMatchObject({ code: "option.invalid" });
  });
});
