/** A policy's routes name the channels: nothing else is set up but environment variables. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saferun } from "@saferun/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { channels } from "../src/index.ts";
import { ACTIONS } from "../src/slack/card.ts";
import { clickOf, openSlackDesk, SECRET, type SlackDesk, signedRequest, TOKEN } from "./slack-desk.ts";
import { type Standing, standUp } from "./standing.ts";
import { eventually } from "./world.ts";

const POLICIES = `saferun: policy/v1
environments:
  prod: { unmatched: deny }
routes:
  finance: { to: ["slack:#ops-approvals", "webhook:audit", cli], within: 10m }
tools:
  refund: { kind: write }
rules:
  - { id: ask, tool: refund, then: pause, approval: { route: finance } }
`;

const home = process.cwd();
let desk: SlackDesk;
let audit: Standing;
let directory = "";
let ran: unknown[] = [];
let set: string[] = [];

beforeAll(async () => {
  desk = await openSlackDesk();
  audit = await standUp();
});
afterAll(async () => {
  await desk.close();
  await audit.close();
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-routes-"));
  mkdirSync(join(directory, "project"), { mode: 0o700 });
  process.chdir(join(directory, "project"));
  const secret = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;
  const variables = {
    SAFERUN_STATE_DIR: join(directory, "state"),
    SAFERUN_ENV: "prod",
    SLACK_BOT_TOKEN: TOKEN,
    SLACK_SIGNING_SECRET: SECRET,
    SLACK_API_URL: desk.apiUrl,
    SAFERUN_SLACK_APPROVERS: `${desk.account("ann")}=ann`,
    SAFERUN_WEBHOOK_AUDIT_URL: audit.url,
    SAFERUN_WEBHOOK_AUDIT_SECRET: secret(1),
    SAFERUN_WEBHOOK_AUDIT_ANSWER_SECRET: secret(2),
  };
  set = Object.keys(variables);
  Object.assign(process.env, variables);
  writeFileSync("policies.yaml", POLICIES);
  ran = [];
});

afterEach(async () => {
  await saferun.shutdown();
  process.chdir(home);
  for (const name of set) delete process.env[name];
  rmSync(directory, { recursive: true, force: true });
});

const wrapped = () =>
  saferun.wrap(
    {
      tools: {
        async refund(args: { amount: number }) {
          ran.push(args);
          return "done";
        },
      },
    },
    { policies: ["./policies.yaml"] },
  ).tools;

describe("routes that name channels [A10~]", () => {
  it("ask everywhere at once without `onPause`, and one click lets the call run once", async () => {
    const result = wrapped().refund({ amount: 450 });
    const card = await eventually(async () => (await desk.cards())[0]);
    await eventually(() => audit.got.find(({ text }) => text.includes("approval.requested")));
    expect(ran).toEqual([]);
    const click = signedRequest(clickOf(card, ACTIONS.approve, desk.account("ann")));
    expect((await channels.handle("slack", click)).status).toBe(200);
    expect(await result).toBe("done");
    expect(ran).toEqual([{ amount: 450 }]);
    await eventually(() => audit.got.find(({ text }) => text.includes("approval.closed")));
  });

  it("say which variable is missing, ask the others all the same, and run nothing", async () => {
    delete process.env.SLACK_BOT_TOKEN;
    audit.got.splice(0);
    const told = new Promise<string>((resolve) => process.once("warning", ({ message }) => resolve(message)));
    const stop = new AbortController();
    const tool = saferun.wrap(
      async function refund(args: { amount: number }) {
        ran.push(args);
      },
      { policies: ["./policies.yaml"] },
    );
    const result = tool({ amount: 450 }, { signal: stop.signal });
    expect(await told).toContain("`SLACK_BOT_TOKEN` is not set");
    await eventually(() => audit.got.find(({ text }) => text.includes("approval.requested")));
    stop.abort();
    await result;
    expect(ran).toEqual([]);
  });
});
