/** All that is promised of Slack in one story, told twice: over HTTP and over a socket. */
import type { Json, JsonObject } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { ACTIONS } from "../src/slack/card.ts";
import { CHANNEL, clickOf, signedRequest, submissionOf } from "./slack-desk.ts";
import { cardAt, closed, desk, nextWhisper, setUp, slack, useSlack, w } from "./slack-setup.ts";
import { eventually } from "./world.ts";

useSlack();

/** How Slack brings an interaction, and what it gets back. */
type Say = (payload: Json) => Promise<JsonObject>;

async function overHttp(payload: Json): Promise<JsonObject> {
  const response = await slack.handle(signedRequest(payload));
  const text = await response.text();
  return text === "" ? {} : (JSON.parse(text) as JsonObject);
}

/** Slack's end of a socket: a hello, then envelopes that are acknowledged with an answer. */
async function overSocket(story: (say: Say) => Promise<void>): Promise<void> {
  const sockets = new WebSocketServer({ server: desk.front.server, path: "/socket" });
  const url = `${desk.front.url.replace("http", "ws")}/socket`;
  desk.front.faults.push(({ path }) =>
    path.endsWith("/apps.connections.open") ? Promise.resolve(Response.json({ ok: true, url })) : undefined,
  );
  const acks = new Map<string, JsonObject>();
  sockets.on("connection", (socket) => {
    socket.on("message", (data) => {
      const ack = JSON.parse(String(data)) as { envelope_id: string; payload?: JsonObject };
      acks.set(ack.envelope_id, ack.payload ?? {});
    });
    socket.send(JSON.stringify({ type: "hello", num_connections: 1 }));
  });
  const open = () => [...sockets.clients].find(({ readyState }) => readyState === WebSocket.OPEN);
  let said = 0;
  try {
    await setUp({ appToken: "xapp-saferun-test" });
    // A question that stays open keeps the line open; with the last one it is hung up.
    const kept = await w.propose({ amount: 1 });
    const [message] = await slack.notify(CHANNEL, kept);
    const card = await cardAt(message?.ts);
    const say = async (payload: Json) => {
      const socket = await eventually(open);
      const envelope_id = `envelope-${++said}`;
      socket.send(JSON.stringify({ type: "interactive", envelope_id, accepts_response_payload: true, payload }));
      return eventually(() => acks.get(envelope_id));
    };
    await story(say);
    await say(clickOf(card, ACTIONS.deny, desk.account("ann")));
    await eventually(() => (open() === undefined ? true : undefined));
    // The next question calls again.
    await slack.notify(CHANNEL, await w.propose({ amount: 2 }));
    await eventually(open);
  } finally {
    await slack.close();
    sockets.close();
  }
}

async function story(say: Say): Promise<void> {
  const [ann, eve] = [desk.account("ann"), desk.account("eve")];
  const waiting = await w.propose({ amount: 450, to: "ada@example.com" });
  const [message] = await slack.notify(CHANNEL, waiting);
  const card = await cardAt(message?.ts);

  // Nobody whom the configuration does not name, and nothing that Slack has not signed.
  await say(clickOf(card, ACTIONS.approve, eve));
  expect(await nextWhisper()).toMatch(/^not allowed: /);
  const forged = signedRequest(clickOf(card, ACTIONS.approve, ann), { secret: "another" });
  expect((await slack.handle(forged)).status).toBe(401);
  expect((await waiting.now()).state).toBe("pending");

  // The form stays open on a mistake, and then lets the edited call run.
  await say(clickOf(card, ACTIONS.edit, ann, await desk.trigger()));
  expect(await say(submissionOf(desk.front, ann, { amount: "fifty" }))).toMatchObject({ response_action: "errors" });
  expect(w.ran).toEqual([]);
  expect(await say(submissionOf(desk.front, ann, { amount: "50" }))).toMatchObject({ response_action: "update" });
  expect((await waiting.answer).status).toBe("ran");
  expect(w.ran).toEqual([{ amount: 50, to: "ada@example.com" }]);
  expect((await closed(card)).json).toContain("approved as edited by ann via slack");

  // A button denies, and a late one is told.
  const other = await w.propose({ amount: 451 });
  const [second] = await slack.notify(CHANNEL, other);
  const otherCard = await cardAt(second?.ts);
  await say(clickOf(otherCard, ACTIONS.deny, ann));
  expect((await other.answer).status).toBe("denied");
  await say(clickOf(otherCard, ACTIONS.approve, desk.account("bob")));
  expect(await nextWhisper()).toBe("already decided by ann via slack: denied");
  expect((await closed(otherCard)).json).toContain("denied by ann via slack");
  expect(w.ran).toHaveLength(1);
}

describe("Slack", () => {
  it("buttons, form, only allowed people, signatures and the updated card, over HTTP and over a socket [A5]", async () => {
    await story(overHttp);
    w.ran.splice(0);
    await overSocket(story);
  });
});
