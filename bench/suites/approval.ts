import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { createSlack } from "@saferun/channels";
import { APPROVAL_SOURCE, createGate, type DecisionPorts } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore } from "@saferun/store";
import { figures } from "../measure.ts";
import { atMost, type Report, row } from "../report.ts";

const CLICKS = 200;
const WARM_UP = 20;
const SECRET = "signing-secret-of-the-bench";

const POLICY = `saferun: policy/v1
environments:
  prod: { unmatched: deny }
routes:
  default: { to: [cli], within: 1h }
tools:
  refund: { kind: write }
rules:
  - { id: ask, tool: refund, then: pause }
`;

/** From a signed click in Slack, over HTTP on loopback, to the tool's first instruction: the store is SQLite, durable. */
export async function approvals(): Promise<Report> {
  const directory = mkdtempSync(path.join(import.meta.dirname, ".store-"));
  const store = await openSqliteStore({ directory: path.join(directory, "store") });
  const vendor = await slackStandIn();
  const slack = createSlack({
    token: "xoxb-bench",
    signingSecret: SECRET,
    approvers: { U1: { principal: "ann" } },
    apiUrl: `${vendor.url}api/`,
  });
  const front = await listen(async (request, body) => {
    const headers = new Headers(request.headers as Record<string, string>);
    return slack.handle(new Request("http://127.0.0.1/slack", { method: "POST", headers, body }));
  });
  try {
    const ports: DecisionPorts = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
    const loaded = loadPolicies([{ file: "bench.yaml", text: POLICY }], { hash: nodeHash });
    if (!loaded.ok) throw new Error("the benchmark's policy does not load");
    const told = new Map<string, () => void>();
    const gate = createGate({
      ...ports,
      policies: { current: () => loaded.policies },
      notifier: {
        async paused(approval) {
          await slack.notify("#bench", { [APPROVAL_SOURCE]: { approval, ports } });
          told.get(approval.run)?.();
        },
      },
    });
    const samples: number[] = [];
    const round: number[] = [];
    for (let index = 0; index < WARM_UP + CLICKS; index++) {
      const run = gate.openRun({ agent: "bench", environment: "prod" });
      const asked = new Promise<void>((resolve) => told.set(run.id, resolve));
      let resumed = 0;
      const answer = gate.call(run, { tool: "refund", args: { amount: index } }, () => {
        resumed = performance.now();
        return "done";
      });
      await asked;
      const bare = performance.now();
      await (await fetch(vendor.url)).text();
      round.push((performance.now() - bare) * 1_000);
      const click = signedClick(vendor.value());
      const start = performance.now();
      const response = await fetch(front.url, { method: "POST", ...click });
      const { status } = await answer;
      if (response.status !== 200 || status !== "ran") throw new Error(`click ${index}: ${response.status}, ${status}`);
      if (index >= WARM_UP) samples.push((resumed - start) * 1_000);
      told.delete(run.id);
    }
    const [click, loopback] = [figures(samples), figures(round.slice(WARM_UP))];
    return {
      suite: "approval",
      how: `a signed click in Slack to the resumed call's first instruction, HTTP on loopback, SQLite store; ${CLICKS} clicks`,
      rows: [
        row("a bare request on loopback, p50", loopback.p50, "µs"),
        row("click to resumed call, p50", click.p50, "µs"),
        row("click to resumed call, p95", click.p95, "µs", atMost(250_000)),
        row("click to resumed call, p99", click.p99, "µs"),
      ],
    };
  } finally {
    await slack.close();
    front.close();
    vendor.close();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Listening {
  readonly url: string;
  close(): void;
}

/** As much of Slack as a click needs: it takes cards, and knows who ann is. */
async function slackStandIn(): Promise<Listening & { value(): string }> {
  let value = "";
  const listening = await listen(async ({ url = "" }, body) => {
    if (url.endsWith("/users.info")) return Response.json({ ok: true, user: { id: "U1" } });
    if (url.endsWith("/chat.postMessage")) value = approveValue(new URLSearchParams(body).get("blocks") ?? "[]");
    return Response.json({ ok: true, channel: "C1", ts: `${Date.now()}.0` });
  });
  return { ...listening, value: () => value };
}

function approveValue(blocks: string): string {
  const parsed = JSON.parse(blocks) as { elements?: { action_id?: string; value?: string }[] }[];
  const button = parsed.flatMap(({ elements = [] }) => elements).find((one) => one.action_id === "saferun.approve");
  if (button?.value === undefined) throw new Error("the card has no button");
  return button.value;
}

function signedClick(value: string): { readonly headers: Record<string, string>; readonly body: string } {
  const payload = {
    type: "block_actions",
    user: { id: "U1" },
    container: { channel_id: "C1", message_ts: "1.0" },
    actions: [{ action_id: "saferun.approve", value }],
  };
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const time = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac("sha256", SECRET).update(`v0:${time}:${body}`).digest("hex");
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    "x-slack-request-timestamp": time,
    "x-slack-signature": `v0=${signature}`,
  };
  return { headers, body };
}

async function listen(answer: (request: IncomingMessage, body: string) => Promise<Response>): Promise<Listening> {
  const server: Server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += String(piece);
    const result = await answer(request, body);
    response.writeHead(result.status, { "content-type": "application/json" }).end(await result.text());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
