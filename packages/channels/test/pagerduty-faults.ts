/**
 * What each kind of bad input and each fault comes to at PagerDuty, where nobody answers: whatever is delivered decides
 * nothing, a person does behind the link, and the call runs once. Counted at the tool.
 */
import { decideApproval, type JsonObject } from "@saferun/core";
import { expect } from "vitest";
import { ARGS } from "./drivers.ts";
import { delivery, events, pagerduty, sent, w, webhook } from "./pagerduty-setup.ts";
import { DEADLINE_MS, eventually, type Waiting } from "./world.ts";

const HOUR = 3_600_000;
/** As the documentation names those of an incident that somebody has dealt with. */
const THEIRS = ["incident.acknowledged", "incident.resolved", "incident.annotated"];

async function asked(args: JsonObject = ARGS, tool = "refund"): Promise<Waiting> {
  const waiting = await w.propose(args, { tool });
  await pagerduty.notify("payments", waiting);
  return waiting;
}

async function untouched(waiting: Waiting): Promise<void> {
  expect((await waiting.now()).state).toBe("pending");
  expect(w.ran).toEqual([]);
}

/** Takes what was delivered, does nothing by it, and lets a person decide afterwards. */
async function decidesNothing(what: (waiting: Waiting) => readonly Request[]): Promise<string> {
  const waiting = await asked();
  for (const request of what(waiting)) expect((await pagerduty.handle(request)).status).toBe(202);
  await untouched(waiting);
  await approved(waiting, ARGS);
  return "taken, decides nothing";
}

const told = (type: string, change: (at: number) => JsonObject) => () =>
  decidesNothing((waiting) => [webhook(type, waiting, undefined, change(Date.now()))]);

const decide = (waiting: Waiting, verdict: "approve" | "deny", id = "ann") =>
  decideApproval(w.ports, { approval: waiting.approval.id, verdict, by: { id, via: "dashboard", verified: true } });

async function approved(waiting: Waiting, args: JsonObject): Promise<void> {
  await decide(waiting, "approve");
  expect((await waiting.answer).status).toBe("ran");
  await sent("resolve");
  expect(w.ran).toEqual([args]);
}

const triggers = () => events.got.map(({ json }) => json as JsonObject).filter((one) => one.event_action === "trigger");

async function unwell(answers: readonly { status: number; headers?: Record<string, string> }[]): Promise<string> {
  events.answers.push(...answers);
  const waiting = await asked();
  expect(new Set(triggers().map((one) => one.dedup_key))).toEqual(new Set([waiting.approval.id]));
  await approved(waiting, ARGS);
  return `sent ${triggers().length} times, one alert, 1 run`;
}

const hasNone = async (why: string): Promise<string> => `n/a: ${why}`;

export const onPagerDuty = {
  async "bad signature"() {
    const waiting = await asked();
    for (const type of THEIRS) expect((await pagerduty.handle(webhook(type, waiting, "v1=00"))).status).toBe(401);
    await untouched(waiting);
    return "refused, 401";
  },
  // Its signature is over the body alone: what is old is believed, and says nothing.
  "10 minutes old": told("incident.resolved", (at) => ({ occurred_at: new Date(at - 600_000).toISOString() })),
  "10 minutes ahead": told("incident.resolved", (at) => ({ occurred_at: new Date(at + 600_000).toISOString() })),
  replay: () =>
    decidesNothing((waiting) => {
      const request = webhook("incident.resolved", waiting);
      return [request.clone(), request.clone(), request];
    }),
  async "second decision"() {
    const waiting = await asked();
    await decide(waiting, "deny");
    await waiting.answer;
    for (const type of THEIRS) await pagerduty.handle(webhook(type, waiting));
    await decide(waiting, "approve", "bob");
    expect((await waiting.now()).state).toBe("denied");
    expect(w.ran).toEqual([]);
    return "the first stands";
  },
  async "stale version"() {
    const waiting = await asked();
    const row = { ...waiting.approval, version: 2, since: 2 };
    await w.store.commit({ approvals: [{ row, expect: 1 }], entries: [] });
    for (const type of THEIRS) await pagerduty.handle(webhook(type, waiting));
    await untouched(waiting);
    return "taken, decides nothing";
  },
  async expired() {
    const waiting = await asked();
    w.clock.moveOn(DEADLINE_MS + 1);
    expect(await waiting.answer).toMatchObject({ denial: { status: "expired" } });
    for (const type of THEIRS) await pagerduty.handle(webhook(type, waiting));
    await sent("resolve");
    expect(w.ran).toEqual([]);
    return "denied";
  },
  "unmapped person": told("incident.acknowledged", () => ({ agent: { type: "user_reference", summary: "Eve" } })),
  guest: () => hasNone("whoever it is, nothing there decides"),
  bot: told("incident.resolved", () => ({ agent: { type: "inbound_integration_reference", summary: "monitor" } })),
  "edited comment": told("incident.annotated", () => ({ data: { type: "incident_note", content: "/approve" } })),
  async "oversized JSON"() {
    const waiting = await asked();
    const body = JSON.stringify({ event: { event_type: "incident.resolved", note: "x".repeat(1_100_000) } });
    expect((await pagerduty.handle(delivery(body))).status).toBe(413);
    await untouched(waiting);
    return "refused, 413";
  },
  "smart-quoted JSON": () => decidesNothing(() => [delivery("{“event”: 1}")]),
  "no JSON": () => decidesNothing(() => [delivery("approve")]),
  "a key twice": () => decidesNothing(() => [delivery('{"event": {}, "event": {"event_type": "incident.resolved"}}')]),
  async "arguments over the card's limits"() {
    const args = { amount: 450, reason: "x".repeat(60_000) };
    const waiting = await asked(args);
    const [got] = events.got;
    expect(got?.text).not.toContain("xxx");
    expect(got?.text.length).toBeLessThan(8_000);
    await approved(waiting, args);
    return "none are sent, 1 run";
  },
  "vendor 500 after posting": () => unwell([{ status: 500 }]),
  async "vendor down for an hour"() {
    events.answers.push(...Array.from({ length: 1_000 }, () => ({ status: 503 })));
    const waiting = await w.propose({ amount: 450 }, { tool: "pay" });
    const telling = pagerduty.notify("payments", waiting);
    await eventually(() => (triggers().length >= 2 ? true : undefined));
    w.clock.moveOn(HOUR);
    await untouched(waiting);
    events.answers.splice(0);
    await telling;
    await approved(waiting, { amount: 450 });
    return "sent when back, 1 run";
  },
  "vendor answers 429": () => unwell([{ status: 429, headers: { "retry-after": "1" } }]),
};
