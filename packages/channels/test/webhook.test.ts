/** The webhook channel, with the specification's own library on the other side. Counted at the tool. */
import type { JsonObject } from "@saferun/core";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { createWebhook } from "../src/webhook/webhook.ts";
import { standUp } from "./standing.ts";
import {
  ANSWER_SECRET,
  answerTo,
  asked,
  closing,
  receiver,
  request,
  SECRET,
  say,
  useWebhook,
  w,
  webhook,
} from "./webhook-setup.ts";
import { DEADLINE_MS } from "./world.ts";

useWebhook();

describe("the webhook channel", () => {
  it("approve: signed both ways, runs once, and the receiver is told [A8~]", async () => {
    const [waiting, data] = await asked();
    expect(data).toMatchObject({ tool: "refund", arguments: { amount: 450, to: "ada@example.com" } });
    const { status, text } = await say(answerTo(data, { verdict: "approve" }));
    expect([status, JSON.parse(text)]).toEqual([
      200,
      { answer: "applied", message: "applied: approved by ann via webhook" },
    ]);
    expect((await waiting.answer).status).toBe("ran");
    expect(w.ran).toEqual([{ amount: 450, to: "ada@example.com" }]);
    const { json, headers, text: raw } = await closing();
    new Webhook(SECRET).verify(raw, headers as Record<string, string>);
    expect(json).toMatchObject({ data: { approval: waiting.approval.id, verdict: "approve", by: "ann" } });
  });

  it("deny: the tool does not run [A8~]", async () => {
    const [waiting, data] = await asked();
    expect((await say(answerTo(data, { verdict: "deny", note: "no" }))).status).toBe(200);
    expect(await waiting.answer).toMatchObject({ denial: { reason: expect.stringContaining("no") } });
    expect(w.ran).toEqual([]);
  });

  it("edit: runs as edited; an edit of what is not editable is said and can be mended", async () => {
    const [waiting, data] = await asked();
    const bad = await say(answerTo(data, { verdict: "approve", arguments: { amount: 450, to: "eve@example.com" } }));
    expect([bad.status, bad.text]).toEqual([422, expect.stringContaining("to may not be changed")]);
    const good = { verdict: "approve", arguments: { amount: 50, to: "ada@example.com" } };
    expect((await say(answerTo(data, good))).status).toBe(200);
    await waiting.answer;
    expect(w.ran).toEqual([{ amount: 50, to: "ada@example.com" }]);
  });

  it("expire: the receiver is told, and a late answer is refused", async () => {
    const [waiting, data] = await asked();
    w.clock.moveOn(DEADLINE_MS + 1);
    expect(await waiting.answer).toMatchObject({ denial: { status: "expired" } });
    expect((await closing()).json).toMatchObject({ data: { state: "expired", verdict: null } });
    expect((await say(answerTo(data, { verdict: "approve" }))).status).toBe(410);
    expect(w.ran).toEqual([]);
  });

  it("replay and second decision: one run (trap 15)", async () => {
    const [waiting, data] = await asked();
    const first = await say(answerTo(data, { verdict: "approve" }), { id: "msg_1" });
    expect(await say(answerTo(data, { verdict: "approve" }), { id: "msg_1" })).toEqual(first);
    await waiting.answer;
    const second = await say(answerTo(data, { verdict: "deny", account: "43" }));
    expect([second.status, JSON.parse(second.text)]).toMatchObject([409, { answer: "already_decided" }]);
    expect(w.ran).toHaveLength(1);
  });

  it("refuses other keys, old and future requests, and its own questions sent back", async () => {
    const [waiting, data] = await asked();
    const approve = answerTo(data, { verdict: "approve" });
    for (const how of [{ secret: SECRET }, { shiftMs: -600_000 }, { shiftMs: 600_000 }]) {
      expect((await say(approve, how)).status).toBe(401);
    }
    const signed = request(approve);
    const body = (await signed.text()).replace('"42"', '"43"');
    const changed = new Request(signed.url, { method: "POST", headers: signed.headers, body });
    expect((await webhook.handle(changed)).status).toBe(401);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("answers stale versions, unmapped people and foreign nonces", async () => {
    const [waiting, data] = await asked();
    const said = async (more: JsonObject) => (await say(answerTo(data, { verdict: "approve", ...more }))).text;
    for (const account of ["44", "ann", "__proto__"]) expect(await said({ account })).toContain("linked to nobody");
    expect(await said({ nonce: "AAAAAAAAAAAAAAAAAAAAAA" })).toContain("not_allowed");
    expect(await said({ version: 2 })).toContain("not_allowed");
    await w.store.commit({
      approvals: [{ row: { ...waiting.approval, version: 2, since: 2 }, expect: 1 }],
      entries: [],
    });
    expect(await said({})).toContain("stale_version");
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
  });

  it.each([
    ["an unknown key", { extra: 1 }],
    ["another verdict", { verdict: "yes" }],
    ["no account", { account: null }],
    ["arguments beside a denial", { verdict: "deny", arguments: {} }],
    ["a note that is too long", { note: "x".repeat(2_001) }],
  ])("answers 400 to %s", async (_, more) => {
    const [waiting, data] = await asked();
    expect((await say(answerTo(data, { verdict: "approve", ...more } as JsonObject))).status).toBe(400);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("refuses what is too large", async () => {
    const body = "x".repeat(1_100_000);
    expect((await webhook.handle(new Request("http://127.0.0.1/", { method: "POST", body }))).status).toBe(413);
  });
});

describe("delivery", () => {
  it("decides nothing by what the receiver answers (trap 16)", async () => {
    receiver.answers.push({ status: 200, body: JSON.stringify({ verdict: "approve", approved: true, account: "42" }) });
    const [waiting] = await asked();
    expect((await waiting.now()).state).toBe("pending");
  });

  it("tries again after a 500 and a 429, under the same id", async () => {
    receiver.answers.push({ status: 500 }, { status: 429, headers: { "retry-after": "2" } });
    await asked();
    expect(receiver.got).toHaveLength(3);
    expect(new Set(receiver.got.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  });

  it("follows no redirect with its signature (trap 24)", async () => {
    const elsewhere = await standUp();
    receiver.answers.push({ status: 307, headers: { location: elsewhere.url } });
    const waiting = await w.propose({ amount: 450 });
    await expect(webhook.notify(receiver.url, waiting)).rejects.toMatchObject({ code: "channel.undelivered" });
    expect(elsewhere.got).toEqual([]);
    await elsewhere.close();
  });

  it.each(["", "whsec_", "whsec_c2hvcnQ=", "plain text", `whsec_${"%".repeat(40)}`])(
    "refuses the secret %j",
    (secret) => {
      expect(() => createWebhook({ secret, answerSecret: ANSWER_SECRET, approvers: {} })).toThrow(/`secret` must be/);
    },
  );
});
