/** Set-up: The webhook channel, with the specification's own library on the other side. Counted at the tool. */
import type { Json, JsonObject } from "@saferun/core";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { createWebhook, type WebhookChannel } from "../src/webhook/webhook.ts";
import { type Standing, standUp } from "./standing.ts";
import { eventually, type Waiting, type World, world } from "./world.ts";

export const SECRET = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;

export const ANSWER_SECRET = `whsec_${Buffer.alloc(32, 2).toString("base64")}`;

export let receiver: Standing;

export let w: World;

export let webhook: WebhookChannel;

export async function asked(args: JsonObject = { amount: 450, to: "ada@example.com" }): Promise<[Waiting, JsonObject]> {
  const waiting = await w.propose(args);
  await webhook.notify(receiver.url, waiting);
  const got = receiver.got.at(-1);
  const event = new Webhook(SECRET).verify(got?.text ?? "", got?.headers as Record<string, string>) as {
    type: string;
    data: JsonObject;
  };
  expect(event.type).toBe("approval.requested");
  return [waiting, event.data];
}

export interface How {
  readonly id?: string;
  readonly secret?: string;
  readonly shiftMs?: number;
}

/** An answer, signed by the specification's own library. */
export function request(
  data: Json,
  { id = `msg_${Math.random()}`, secret = ANSWER_SECRET, shiftMs = 0 }: How = {},
): Request {
  return requestOf(JSON.stringify({ type: "approval.decide", timestamp: new Date().toISOString(), data }), {
    id,
    secret,
    shiftMs,
  });
}

/** Any body, signed. */
export function requestOf(
  body: string,
  { id = `msg_${Math.random()}`, secret = ANSWER_SECRET, shiftMs = 0 }: How = {},
): Request {
  const at = new Date(Date.now() + shiftMs);
  return new Request("http://127.0.0.1/webhook", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
      "webhook-signature": new Webhook(secret).sign(id, at, body),
    },
    body,
  });
}

export function answerTo({ approval, version, nonce }: JsonObject, more: JsonObject): JsonObject {
  return { approval: approval ?? null, version: version ?? null, nonce: nonce ?? null, account: "42", ...more };
}

export async function say(data: Json, how?: How) {
  const response = await webhook.handle(request(data, how));
  const text = await response.text();
  return { status: response.status, text };
}

export const closing = () =>
  eventually(() => receiver.got.find(({ json }) => (json as JsonObject).type === "approval.closed"));

/** Registers the set-up of a file. */
export function useWebhook(): void {
  beforeAll(async () => {
    receiver = await standUp();
  });
  afterAll(() => receiver.close());
  beforeEach(() => {
    w = world();
    receiver.got.splice(0);
    receiver.answers.splice(0);
    webhook = createWebhook({
      secret: SECRET,
      answerSecret: ANSWER_SECRET,
      approvers: { "42": { principal: "ann" }, "43": { principal: "bob" } },
      onError: () => {},
    });
  });
  afterEach(() => webhook.close());
}
