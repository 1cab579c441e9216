/**
 * What routes name is told through the outbox: to vendors' stand-ins on loopback, from as many dispatchers as a test needs,
 * in time that moves when the test says so. What people see is looked up at the vendor.
 */
import { createSweeper, decideApproval, type JsonObject, parseBreakerRowId, resetBreaker } from "@saferun/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { type Channels, channelsFromEnvironment, type Dispatcher, type Variables } from "../src/index.ts";
import { ACTIONS } from "../src/slack/card.ts";
import * as email from "./email-setup.ts";
import * as linear from "./linear-setup.ts";
import * as pagerduty from "./pagerduty-setup.ts";
import { buttonsOf, clickOf, openSlackDesk, SECRET, type SlackDesk, signedRequest, TOKEN } from "./slack-desk.ts";
import { type Standing, standUp } from "./standing.ts";
import { eventually, type Waiting, type World, world } from "./world.ts";

const HOUR = 3_600_000;
const EVERYWHERE = `"slack:#ops-approvals", "linear:OPS", "pagerduty:payments", "webhook:audit", "email:fin@example.com"`;
const policies = (to: string, more = "") => `saferun: policy/v1
environments: { prod: { unmatched: deny } }
breakers: [{ caps: { minutes: 600 } }]
routes: { default: { to: [${to}, cli, dashboard], within: 4h${more} } }
tools: { refund: { kind: write }, look: { kind: read } }
rules: [{ id: ask, tool: refund, then: pause }, { id: see, tool: look, then: allow }]
`;

linear.useLinear();
email.useEmail();
pagerduty.usePagerDuty();
let desk: SlackDesk;
let audit: Standing;
let open: Channels[] = [];
let errors: string[] = [];
let seen = 0;

beforeAll(async () => {
  desk = await openSlackDesk();
  audit = await standUp();
});
afterAll(async () => {
  await desk.close();
  await audit.close();
});
beforeEach(async () => {
  audit.got.splice(0);
  audit.answers.splice(0);
  errors = [];
  seen = (await desk.cards()).length;
});
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()));
  open = [];
  desk.front.faults.splice(1);
});

function variables(): Variables {
  const secret = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;
  return {
    SLACK_BOT_TOKEN: TOKEN,
    SLACK_SIGNING_SECRET: SECRET,
    SLACK_API_URL: desk.apiUrl,
    SAFERUN_SLACK_APPROVERS: `${desk.account("ann")}=ann`,
    LINEAR_API_KEY: linear.TOKENS.bot,
    LINEAR_WEBHOOK_SECRET: "linear-webhook-secret",
    LINEAR_API_URL: `${linear.front.url}/graphql`,
    SAFERUN_LINEAR_APPROVERS: `${linear.account("ann")}=ann`,
    PAGERDUTY_KEY_PAYMENTS: pagerduty.KEY,
    PAGERDUTY_API_URL: pagerduty.events.url,
    SAFERUN_APPROVAL_URL: "https://gate.example.com/approvals/{id}",
    SAFERUN_WEBHOOK_AUDIT_URL: audit.url,
    SAFERUN_WEBHOOK_AUDIT_SECRET: secret(1),
    SAFERUN_WEBHOOK_AUDIT_ANSWER_SECRET: secret(2),
    SAFERUN_SMTP_URL: `smtp://127.0.0.1:${email.port()}?ignoreTLS=true`,
    SAFERUN_EMAIL_FROM: "gate@example.com",
    SAFERUN_EMAIL_PAGE: "https://ops.example.com/approve",
    SAFERUN_EMAIL_SECRET: "a secret of more than thirty-two characters",
  };
}

/** A process of its own, as far as the outbox is concerned. */
function another(w: World, change: Variables = {}): { readonly channels: Channels; readonly dispatcher: Dispatcher } {
  const onError = (error: unknown) => errors.push(String(error));
  const channels = channelsFromEnvironment({ ...variables(), ...change }, { ports: w.ports, onError });
  open.push(channels);
  return { channels, dispatcher: channels.dispatcher(w.ports, { owner: `process ${open.length}` }) };
}

const cards = async () => (await desk.cards()).slice(seen);
const lastCard = async () => {
  const card = (await cards()).at(-1);
  if (card === undefined) throw new Error("no card");
  return card;
};
const audited = (type: string) => audit.got.filter(({ json }) => (json as JsonObject).type === type);
const paged = (action: string) =>
  pagerduty.events.got.map(({ json }) => json as JsonObject).filter((event) => event.event_action === action);
const ended = () => email.mails.filter((mail) => mail.includes("Outcome:"));

async function approvedBySlack(channels: Channels, waiting: Waiting): Promise<void> {
  const click = clickOf(await lastCard(), ACTIONS.approve, desk.account("ann"));
  expect((await channels.handle("slack", signedRequest(click))).status).toBe(200);
  expect((await waiting.answer).status).toBe("ran");
}

describe("a question whose route names channels", () => {
  it("is put on all of them once, and a decision on one closes the others, each once", async () => {
    const w = world(policies(EVERYWHERE));
    const { channels, dispatcher } = another(w);
    const waiting = await w.propose({ amount: 450 });
    const { id } = waiting.approval;
    expect(await dispatcher.tick()).toBe(5);
    expect(await dispatcher.tick()).toBe(0);
    expect(buttonsOf(await lastCard())).toContain(ACTIONS.approve);
    expect([audited("approval.requested"), paged("trigger"), email.mails]).toMatchObject([[{}], [{}], [/waits/]]);
    const issue = await linear.issueAbout(id);
    expect(w.ran).toEqual([]);
    await approvedBySlack(channels, waiting);
    expect(w.ran).toEqual([{ amount: 450 }]);
    await dispatcher.tick();
    expect(await dispatcher.tick()).toBe(0);
    const card = await lastCard();
    expect([card.json.includes("approved by ann"), buttonsOf(card), await cards()]).toMatchObject([true, [], [{}]]);
    expect([audited("approval.closed"), paged("resolve"), ended()]).toMatchObject([[{}], [{}], [{}]]);
    const { comments, state } = await linear.issueNow(issue);
    expect([comments.filter((comment) => comment.includes("Outcome")), state.type]).toMatchObject([[{}], "completed"]);
    expect(errors).toEqual([]);
  });

  it("answered in Linear: the issue gets one outcome, and the card closes", async () => {
    const w = world(policies(`"slack:#ops-approvals", "linear:OPS"`));
    const { channels, dispatcher } = another(w);
    const waiting = await w.propose({ amount: 450 });
    await dispatcher.tick();
    const issue = await linear.issueAbout(waiting.approval.id);
    linear.delivered.splice(0);
    await linear.comment("ann", issue, "/deny not this one");
    const { body, signature } = await eventually(() => linear.delivered[0]);
    const headers = { "linear-signature": signature };
    await channels.handle("linear", new Request("http://127.0.0.1/", { method: "POST", headers, body }));
    expect((await waiting.answer).status).toBe("denied");
    await dispatcher.tick();
    await dispatcher.tick();
    expect((await linear.issueNow(issue)).comments.filter((comment) => comment.includes("Outcome"))).toHaveLength(1);
    expect((await lastCard()).json).toContain("denied by ann");
    expect(w.ran).toEqual([]);
  });

  it("shows on every message who has agreed so far, once each", async () => {
    const w = world(policies(EVERYWHERE, ", need: 2"));
    const { channels, dispatcher } = another(w);
    const waiting = await w.propose({ amount: 450 });
    await dispatcher.tick();
    const { id } = waiting.approval;
    await decideApproval(w.ports, { approval: id, verdict: "approve", by: { ...CLI, id: "bob" } });
    await dispatcher.tick();
    expect(await dispatcher.tick()).toBe(0);
    const card = await lastCard();
    expect(card.json).toContain("agreed: bob");
    expect(buttonsOf(card)).toContain(ACTIONS.approve);
    const issue = await linear.issueNow(await linear.issueAbout(id));
    expect(issue.comments).toMatchObject([/agreed: bob/]);
    expect(
      audited("approval.requested").map(({ json }) => (json as { data: { version: number } }).data.version),
    ).toEqual([1, 2]);
    await approvedBySlack(channels, waiting);
    await dispatcher.tick();
    expect((await lastCard()).json).toContain("approved by bob via cli (not verified) and ann via slack");
    expect(w.ran).toHaveLength(1);
  });

  it("told by `onPause` in the same place as well: one card, and one end", async () => {
    const w = world(policies(`"slack:#ops-approvals"`));
    const { channels, dispatcher } = another(w);
    const waiting = await w.propose({ amount: 450 });
    await Promise.all([dispatcher.tick(), channels.notify(["slack:#ops-approvals"], waiting)]);
    w.clock.moveOn(60_000);
    await dispatcher.tick();
    expect(await cards()).toHaveLength(1);
    await approvedBySlack(channels, waiting);
    await dispatcher.tick();
    expect(await dispatcher.tick()).toBe(0);
    expect([buttonsOf(await lastCard()), errors]).toEqual([[], []]);
  });

  it("is answered over a socket by whoever sent it, which hangs up when it is over", async () => {
    const sockets = new WebSocketServer({ server: desk.front.server, path: "/socket" });
    desk.front.faults.push(({ path }) =>
      path.endsWith("/apps.connections.open")
        ? Promise.resolve(Response.json({ ok: true, url: `${desk.front.url.replace("http", "ws")}/socket` }))
        : undefined,
    );
    const connected = new Promise<WebSocket>((resolve) => sockets.once("connection", resolve));
    const w = world(policies(`"slack:#ops-approvals"`));
    const { dispatcher } = another(w, { SLACK_APP_TOKEN: "xapp-saferun-test" });
    const waiting = await w.propose({ amount: 450 });
    await dispatcher.tick();
    const socket = await connected;
    const over = new Promise((resolve) => socket.once("close", resolve));
    socket.send(JSON.stringify({ type: "hello", num_connections: 1, connection_info: { app_id: "A1" } }));
    const payload = clickOf(await lastCard(), ACTIONS.approve, desk.account("ann"));
    const envelope = { type: "interactive", envelope_id: "e-1", accepts_response_payload: true, payload };
    socket.send(JSON.stringify(envelope));
    expect((await waiting.answer).status).toBe("ran");
    await over;
    await dispatcher.tick();
    expect(buttonsOf(await lastCard())).toEqual([]);
    sockets.close();
  });

  it("two processes: one message; and whichever is left closes it", async () => {
    const w = world(policies(EVERYWHERE));
    const [one, other] = [another(w), another(w)];
    const waiting = await w.propose({ amount: 450 });
    await Promise.all([one.dispatcher.tick(), other.dispatcher.tick(), one.dispatcher.tick()]);
    expect([await cards(), audited("approval.requested"), paged("trigger"), email.mails]).toMatchObject([
      [{}],
      [{}],
      [{}],
      [/waits/],
    ]);
    await one.channels.close();
    await decideApproval(w.ports, { approval: waiting.approval.id, verdict: "deny", by: CLI });
    await other.dispatcher.tick();
    expect(buttonsOf(await lastCard())).toEqual([]);
    expect([audited("approval.closed"), paged("resolve"), ended()]).toMatchObject([[{}], [{}], [{}]]);
  });

  it("a 500 after posting: at most once more, under the same id wherever the vendor knows one", async () => {
    const w = world(policies(EVERYWHERE));
    const { dispatcher } = another(w);
    let failed = false;
    desk.front.faults.push(({ path }, answer) => {
      if (failed || !path.endsWith("/chat.postMessage")) return undefined;
      failed = true;
      return answer().then(() => new Response("no", { status: 500 }));
    });
    audit.answers.push({ status: 500 });
    pagerduty.events.answers.push({ status: 500 });
    email.refusals.push(Object.assign(new Error("later"), { responseCode: 451 }));
    email.keepNext();
    await w.propose({ amount: 450 });
    for (let seconds = 0; seconds < 10; seconds++, w.clock.moveOn(1_000)) await dispatcher.tick();
    expect(await cards()).toHaveLength(2);
    const ids = (list: readonly unknown[]) => [list.length, new Set(list).size];
    expect(ids(audited("approval.requested").map(({ headers }) => headers["webhook-id"]))).toEqual([2, 1]);
    expect(ids(paged("trigger").map(({ dedup_key }) => dedup_key))).toEqual([2, 1]);
    expect(ids(email.mails.map((mail) => /^Message-ID: (.*)$/im.exec(mail)?.[1]))).toEqual([2, 1]);
  });

  it("a vendor down for an hour: put within a minute of its return, without a flood", async () => {
    const w = world(policies(`"webhook:audit"`));
    const { dispatcher } = another(w);
    const waiting = await w.propose({ amount: 450 });
    let down = true;
    for (let time = 0; time < HOUR + 61_000; time += 1_000, w.clock.moveOn(1_000)) {
      down = time < HOUR;
      audit.answers.splice(0);
      if (down) audit.answers.push({ status: 503 });
      await dispatcher.tick();
    }
    expect(audit.got.length).toBeLessThan(75);
    expect(audit.got.at(-1)?.text).toContain(waiting.approval.id);
    expect(await dispatcher.tick()).toBe(0);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("no network and no variable: the call waits, the terminal decides, and nobody is told in vain", async () => {
    const w = world(policies(EVERYWHERE));
    const nowhere = "http://127.0.0.1:9/";
    const { dispatcher } = another(w, {
      SLACK_API_URL: nowhere,
      LINEAR_API_URL: nowhere,
      PAGERDUTY_API_URL: nowhere,
      SAFERUN_WEBHOOK_AUDIT_URL: nowhere,
      SAFERUN_EMAIL_PAGE: "",
    });
    const waiting = await w.propose({ amount: 450 });
    expect(await dispatcher.tick()).toBe(0);
    expect(errors).toEqual([expect.stringContaining("`SAFERUN_EMAIL_PAGE` is not set")]);
    const said = await decideApproval(w.ports, { approval: waiting.approval.id, verdict: "approve", by: CLI });
    expect(said.status).toBe("applied");
    expect((await waiting.answer).status).toBe("ran");
    expect(w.ran).toHaveLength(1);
    w.clock.moveOn(60_000);
    expect(await another(w).dispatcher.tick()).toBe(0);
    expect([await cards(), audit.got, email.mails]).toEqual([[], [], []]);
  });

  it("a later level is asked through the same rows, once", async () => {
    const w = world(policies(`"slack:#ops-approvals"`, `, after: [{ 30m: "pagerduty:payments" }]`));
    const [one, other] = [another(w).dispatcher, another(w).dispatcher];
    const waiting = await w.propose({ amount: 450 });
    const look = async () => {
      await createSweeper(w.ports).step();
      await Promise.all([one.tick(), other.tick()]);
    };
    await look();
    w.clock.moveOn(HOUR / 2 - 60_000);
    await look();
    expect(paged("trigger")).toEqual([]);
    w.clock.moveOn(60_000);
    await look();
    await look();
    expect(paged("trigger")).toMatchObject([{ dedup_key: waiting.approval.id }]);
    expect(await cards()).toHaveLength(1);
    w.clock.moveOn(4 * HOUR);
    await look();
    await look();
    expect((await waiting.answer).status).toBe("denied");
    expect(paged("resolve")).toHaveLength(1);
    expect(buttonsOf(await lastCard())).toEqual([]);
    expect(w.ran).toEqual([]);
  });
});

const CLI = { id: "local:cy", via: "cli", verified: false } as const;

describe("PagerDuty, from a route", () => {
  it("pages when nobody answered, links to the decision, is resolved by it, and acknowledging is none [A7]", async () => {
    const w = world(policies(`"slack:#ops-approvals"`, `, after: [{ 30m: "pagerduty:payments" }]`));
    const { channels, dispatcher } = another(w, { PAGERDUTY_WEBHOOK_SECRET: "pagerduty-webhook-secret" });
    const waiting = await w.propose({ amount: 450, to: "ada@example.com" });
    const { id } = waiting.approval;
    await dispatcher.tick();
    expect(paged("trigger")).toEqual([]);
    w.clock.moveOn(HOUR / 2);
    await createSweeper(w.ports).step();
    await dispatcher.tick();
    const href = `https://gate.example.com/approvals/${id}`;
    expect(paged("trigger")).toMatchObject([
      { routing_key: pagerduty.KEY, dedup_key: id, links: [{ href }], payload: { severity: "critical" } },
    ]);
    expect(JSON.stringify(paged("trigger"))).not.toContain("ada@example.com");
    for (const type of ["incident.acknowledged", "incident.resolved"]) {
      expect((await channels.handle("pagerduty", pagerduty.webhook(type, waiting), "payments")).status).toBe(202);
    }
    expect([(await waiting.now()).state, w.ran]).toEqual(["pending", []]);
    expect(await dispatcher.tick()).toBe(0);
    await decideApproval(w.ports, { approval: id, verdict: "approve", by: CLI });
    await waiting.answer;
    await dispatcher.tick();
    expect(paged("resolve")).toMatchObject([
      { dedup_key: id, payload: { summary: expect.stringContaining("approved by local:cy") } },
    ]);
    expect(w.ran).toHaveLength(1);
  });
});

describe("a trip", () => {
  it("is told everywhere at once, with why and without arguments, and undone by a named admin with a reason [B7]", async () => {
    const w = world(policies(EVERYWHERE));
    const { dispatcher } = another(w);
    const run = w.gate.openRun({ agent: "support", environment: "prod" });
    const look = () =>
      w.gate.call(run, { tool: "look", args: { q: "the secret question" } }, () => void w.ran.push({}));
    for (let n = 0; n < 5; n++) await look();
    expect((await look()).status).toBe("denied");
    const ran = w.ran.length;
    expect(await dispatcher.tick()).toBe(5);
    expect(await dispatcher.tick()).toBe(0);
    const card = await lastCard();
    expect(card.text).toContain(`the run \`${run.id}\` is stopped until a person resets it`);
    expect(card.text).toContain("Rule breaker:repeat");
    expect(buttonsOf(card)).toEqual([]);
    const [event] = audited("alarm.raised");
    expect(event?.json).toMatchObject({ data: { run: run.id, agent: "support", lines: [/is stopped/] } });
    expect(paged("trigger")).toMatchObject([{ dedup_key: expect.stringMatching(/^alarm_/) }]);
    expect(email.mails).toMatchObject([/is stopped/]);
    const everything = [card.json, event?.text, JSON.stringify(paged("trigger")), ...email.mails];
    expect(everything.filter((text) => text?.includes("secret question"))).toEqual([]);

    const rows = await w.store.rows({ kind: "breaker", limit: 10 });
    const breaker = rows.find(({ id }) => parseBreakerRowId(id)?.scope === "run")?.id ?? "";
    const admin = { id: "ann", kind: "person", roles: ["admin"] } as const;
    const reset = (
      by: typeof admin | { id: string; kind: "agent" | "person"; roles: string[] },
      reason = "it is fixed",
    ) => resetBreaker(w.ports, { breaker, reason, by });
    expect(await reset({ id: "support", kind: "agent", roles: ["admin"] })).toEqual({ ok: false, why: "not-allowed" });
    expect(await reset({ id: "bob", kind: "person", roles: ["approver"] })).toEqual({ ok: false, why: "not-allowed" });
    expect(await reset({ ...admin, roles: ["admin"], id: " " })).toEqual({ ok: false, why: "not-allowed" });
    expect(await reset(admin, " ")).toEqual({ ok: false, why: "no-reason" });
    expect((await look()).status).toBe("denied");
    expect(w.ran).toHaveLength(ran);
    expect(await reset(admin)).toEqual({ ok: true });
    const other = await w.gate.call(run, { tool: "look", args: { q: "another" } }, () => w.ran.push({}));
    expect(other.status).toBe("ran");
  });
});
