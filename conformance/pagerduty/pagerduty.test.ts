/**
 * The PagerDuty channel against PagerDuty's own description of its API: events go through a validating mock, deliveries
 * through a validating proxy, both by Prism on loopback. Counted at the tool.
 */
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createPagerDuty, type PagerDutyChannel, type PagerDutyOptions } from "@saferun/channels";
import { decideApproval, type JsonObject } from "@saferun/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Front, openFront } from "../../packages/channels/test/front.ts";
import { DEADLINE_MS, eventually, type Waiting, type World, world } from "../../packages/channels/test/world.ts";
import { type Prism, startMock, startProxy } from "./prism.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const SECRET = "pagerduty-webhook-secret";

let vendor: Prism;
/** Notes what the channel sends, in front of Prism. */
let front: Front;
let proxy: Prism;
let subscriber: Server;
let w: World;
let pagerduty: PagerDutyChannel;

const channel = (options: Partial<PagerDutyOptions> = {}) =>
  createPagerDuty({
    services: { payments: KEY },
    link: ({ id }) => `https://gate.example/approvals/${id}`,
    webhookSecret: SECRET,
    apiUrl: front.url,
    onError: () => {},
    ...options,
  });

beforeAll(async () => {
  subscriber = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += String(piece);
    const headers = { "x-pagerduty-signature": String(request.headers["x-pagerduty-signature"] ?? "") };
    const answer = await pagerduty.handle(new Request("http://127.0.0.1/", { method: "POST", headers, body }));
    response.writeHead(answer.status).end();
  }).listen(0, "127.0.0.1");
  await once(subscriber, "listening");
  const { port } = subscriber.address() as AddressInfo;
  [vendor, proxy] = await Promise.all([
    startMock("events-v2.yaml"),
    startProxy("webhooks-v3.yaml", `http://127.0.0.1:${port}`),
  ]);
  front = await openFront(vendor.url);
});
afterAll(async () => {
  await front.close();
  await Promise.all([vendor.close(), proxy.close()]);
  subscriber.close();
  subscriber.closeAllConnections();
});
beforeEach(() => {
  w = world();
  front.passed.splice(0);
  pagerduty = channel();
});
afterEach(() => pagerduty.close());

async function asked(): Promise<Waiting> {
  const waiting = await w.propose({ amount: 450, to: "ada@example.com" });
  await pagerduty.notify("payments", waiting);
  return waiting;
}

const sent = (): readonly JsonObject[] => front.passed.map(({ body }) => JSON.parse(body) as JsonObject);
const resolved = () => eventually(() => sent().find(({ event_action }) => event_action === "resolve"));

const reference = (type: string, summary: string) => ({
  id: "PLH1HKV",
  type: `${type}_reference`,
  summary,
  self: null,
  html_url: null,
});

/** A delivery as the documentation shows it. */
function delivery(type: string, { approval }: Waiting, change: JsonObject = {}): string {
  const resource = type === "incident.annotated" ? "incident_note" : "incident";
  const incident = {
    id: "PGR0VU2",
    type: "incident",
    number: 2,
    status: type === "incident.resolved" ? "resolved" : type === "incident.acknowledged" ? "acknowledged" : "triggered",
    incident_key: approval.id,
    created_at: "2026-11-20T08:00:00Z",
    title: "SafeRun",
    service: reference("service", "Payments"),
    assignees: [reference("user", "ann")],
    escalation_policy: reference("escalation_policy", "Default"),
    urgency: "high",
  };
  const note = {
    id: "P2LA89X",
    type: "incident_note",
    content: "approve",
    trimmed: false,
    incident: reference("incident", "x"),
  };
  return JSON.stringify({
    event: {
      id: randomUUID(),
      event_type: type,
      resource_type: "incident",
      occurred_at: "2026-11-20T08:00:00.000Z",
      agent: reference("user", "ann"),
      client: null,
      data: resource === "incident" ? incident : note,
      ...change,
    },
  });
}

async function deliver(body: string, secret = SECRET): Promise<number> {
  const response = await fetch(`${proxy.url}/pagerduty`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-pagerduty-signature": `v1=${createHmac("sha256", secret).update(body).digest("hex")}`,
    },
    body,
  });
  await response.text();
  return response.status;
}

const THEIRS = [
  "incident.triggered",
  "incident.acknowledged",
  "incident.annotated",
  "incident.escalated",
  "incident.reassigned",
  "incident.delegated",
  "incident.unacknowledged",
  "incident.reopened",
  "incident.resolved",
] as const;

describe("PagerDuty by its own description", () => {
  it("pages, links to the decision, lets PagerDuty escalate, resolves with the outcome; acknowledging approves nothing [A7]", async () => {
    for (const [end, outcome, runs] of [
      ["approve", "approved by ann via dashboard", 1],
      ["deny", "denied by ann via dashboard", 0],
      ["expire", "expired", 0],
    ] as const) {
      front.passed.splice(0);
      w.ran.splice(0);
      const waiting = await asked();
      const { id } = waiting.approval;
      expect(sent()).toMatchObject([
        {
          routing_key: KEY,
          event_action: "trigger",
          dedup_key: id,
          client_url: `https://gate.example/approvals/${id}`,
          links: [{ href: `https://gate.example/approvals/${id}` }],
          payload: { severity: "critical" },
        },
      ]);
      // Acknowledged, escalated to the next tier, even resolved over there: each is taken, and the call waits on.
      for (const type of THEIRS) expect(await deliver(delivery(type, waiting))).toBe(202);
      expect((await waiting.now()).state).toBe("pending");
      expect([w.ran, sent().length]).toEqual([[], 1]);
      if (end === "expire") w.clock.moveOn(DEADLINE_MS + 1);
      else {
        const by = { id: "ann", via: "dashboard", verified: true };
        await decideApproval(w.ports, { approval: id, verdict: end, by });
      }
      await waiting.answer;
      expect(await resolved()).toMatchObject({
        routing_key: KEY,
        dedup_key: id,
        payload: { summary: expect.stringContaining(outcome) },
      });
      expect(w.ran).toHaveLength(runs);
    }
    expect([vendor.violations(), proxy.violations()]).toEqual([[], []]);
  });

  it("stays within the description for the longest and strangest texts", async () => {
    const waiting = await w.propose({ amount: 450, reason: `\u202e<b>${"é".repeat(2_000)}` });
    await pagerduty.notify("payments", waiting);
    expect(sent()).toHaveLength(1);
    const long = { ...waiting.approval, tool: "t".repeat(4_000), agent: "\u0000a\u202e".repeat(900) };
    const other = await w.propose({ amount: 451 });
    const { approval, ports } = { approval: { ...long, id: other.approval.id }, ports: w.ports };
    const [symbol] = Object.getOwnPropertySymbols(other);
    if (symbol === undefined) throw new Error("no source");
    await pagerduty.notify("payments", { ...other, [symbol]: { approval, ports } });
    expect(sent()).toHaveLength(2);
    expect(vendor.violations()).toEqual([]);
  });

  it("refuses forged and unsigned deliveries with 401", async () => {
    const waiting = await asked();
    expect(await deliver(delivery("incident.acknowledged", waiting), "another")).toBe(401);
    expect((await waiting.now()).state).toBe("pending");
  });
});

describe("what violates the description fails here", () => {
  it.each<[string, Partial<PagerDutyOptions>]>([
    ["an integration key that is none", { services: { payments: "short" } }],
    ["a link that is no address", { link: () => "not an address" }],
    ["a severity of our own", { severity: "terrible" as "critical" }],
  ])("%s", async (_, options) => {
    await pagerduty.close();
    pagerduty = channel(options);
    const before = vendor.violations().length;
    const waiting = await w.propose({ amount: 450 });
    await expect(pagerduty.notify("payments", waiting)).rejects.toMatchObject({ code: "channel.undelivered" });
    expect(vendor.violations().length).toBeGreaterThan(before);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("a delivery that PagerDuty would not send never reaches the channel", async () => {
    const waiting = await asked();
    expect(await deliver(delivery("incident.approved", waiting))).toBe(422);
    expect(await deliver(delivery("incident.acknowledged", waiting, { approve: true }))).toBe(422);
  });
});
