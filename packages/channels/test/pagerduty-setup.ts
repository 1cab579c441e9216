/** Set-up: The PagerDuty channel against a server that checks events as the Events API v2 does. Counted at the tool. */
import { createHmac } from "node:crypto";
import type { JsonObject } from "@saferun/core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { createPagerDuty, type PagerDutyChannel } from "../src/pagerduty/pagerduty.ts";
import { type Standing, standUp } from "./standing.ts";
import { eventually, type Waiting, type World, world } from "./world.ts";

export const KEY = "0123456789abcdef0123456789abcdef";

const SECRET = "pagerduty-webhook-secret";

export let events: Standing;

export let w: World;

export let pagerduty: PagerDutyChannel;

export const sent = (action: string) =>
  eventually(() => events.got.map(({ json }) => json as JsonObject).find((event) => event.event_action === action));

export async function asked(): Promise<Waiting> {
  const waiting = await w.propose({ amount: 450, to: "ada@example.com" });
  await pagerduty.notify("payments", waiting);
  return waiting;
}

/** `change`: what else the event says. */
export function webhook(type: string, waiting: Waiting, signature?: string, change: JsonObject = {}): Request {
  const event = {
    event_type: type,
    occurred_at: "2026-11-20T08:00:00Z",
    agent: { type: "user_reference", summary: "Ann" },
    data: { type: "incident", incident_key: waiting.approval.id, status: type.split(".")[1] ?? "" },
    ...change,
  };
  return delivery(JSON.stringify({ event }), signature);
}

/** Signed as PagerDuty does, unless another signature is given. */
export function delivery(body: string, signature?: string): Request {
  const signed = signature ?? `v1=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
  return new Request("http://127.0.0.1/pagerduty", {
    method: "POST",
    headers: { "content-type": "application/json", "x-pagerduty-signature": signed },
    body,
  });
}

/** Registers the set-up of a file. */
export function usePagerDuty(): void {
  beforeAll(async () => {
    events = await standUp({ status: 202, body: '{"status":"success","message":"Event processed"}' });
  });
  afterAll(() => events.close());
  beforeEach(() => {
    w = world();
    events.got.splice(0);
    events.answers.splice(0);
    pagerduty = createPagerDuty({
      services: { payments: KEY },
      link: ({ id }) => `https://gate.example/approvals/${id}`,
      webhookSecret: SECRET,
      apiUrl: events.url,
    });
  });
  afterEach(() => pagerduty.close());
}
