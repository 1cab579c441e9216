/** The PagerDuty channel against a server that checks events as the Events API v2 does. Counted at the tool. */
import { decideApproval, type JsonObject } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { createPagerDuty } from "../src/pagerduty/pagerduty.ts";
import { asked, events, KEY, pagerduty, sent, usePagerDuty, w, webhook } from "./pagerduty-setup.ts";
import { DEADLINE_MS } from "./world.ts";

usePagerDuty();

describe("the PagerDuty channel", () => {
  it("pages with the approval as dedup key and a link, and without arguments [A7~]", async () => {
    const waiting = await asked();
    const [got] = events.got;
    expect(got?.path).toBe("/v2/enqueue");
    expect(got?.json).toMatchObject({
      routing_key: KEY,
      event_action: "trigger",
      dedup_key: waiting.approval.id,
      links: [{ href: `https://gate.example/approvals/${waiting.approval.id}` }],
      payload: { severity: "critical", source: "support", component: "refund" },
    });
    expect(got?.text).not.toContain("ada@example.com");
    expect(got?.text).not.toContain("450");
  });

  it.each(["incident.acknowledged", "incident.resolved", "incident.annotated", "incident.triggered"])(
    "%s is answered with 202 and decides nothing [A7~] (trap 16)",
    async (type) => {
      const waiting = await asked();
      expect((await pagerduty.handle(webhook(type, waiting))).status).toBe(202);
      expect((await waiting.now()).state).toBe("pending");
      expect(w.ran).toEqual([]);
      expect(events.got).toHaveLength(1);
    },
  );

  it.each([
    ["approve", "ran", "approved by ann via web", 1],
    ["deny", "denied", "denied by ann via web", 0],
  ] as const)("%s elsewhere: resolves with the outcome", async (verdict, status, outcome, runs) => {
    const waiting = await asked();
    const by = { id: "ann", via: "web", verified: true };
    await decideApproval(w.ports, { approval: waiting.approval.id, verdict, by });
    expect((await waiting.answer).status).toBe(status);
    expect(await sent("resolve")).toMatchObject({
      routing_key: KEY,
      dedup_key: waiting.approval.id,
      payload: { summary: expect.stringContaining(outcome) },
    });
    expect(w.ran).toHaveLength(runs);
  });

  it("expire: resolves, and nothing ran", async () => {
    const waiting = await asked();
    w.clock.moveOn(DEADLINE_MS + 1);
    expect(await waiting.answer).toMatchObject({ denial: { status: "expired" } });
    expect(await sent("resolve")).toMatchObject({
      payload: { custom_details: { status: expect.stringContaining("expired") } },
    });
    expect(w.ran).toEqual([]);
  });

  it("takes requests with one good signature among several, and no others", async () => {
    const waiting = await asked();
    const good = webhook("incident.acknowledged", waiting).headers.get("x-pagerduty-signature");
    expect((await pagerduty.handle(webhook("incident.acknowledged", waiting, `v1=00,${good}`))).status).toBe(202);
    for (const signature of ["", "v1=00", `${good}0`, `v2${good?.slice(2)}`]) {
      expect((await pagerduty.handle(webhook("incident.acknowledged", waiting, signature))).status).toBe(401);
    }
    const without = createPagerDuty({ services: { payments: KEY }, link: () => "https://gate.example/" });
    expect((await without.handle(webhook("incident.acknowledged", waiting))).status).toBe(401);
    expect((await pagerduty.handle(new Request("http://127.0.0.1/"))).status).toBe(405);
  });

  it("tries again after a 500 under the same dedup key, and not after a 400", async () => {
    events.answers.push({ status: 500 }, { status: 429 });
    await asked();
    expect(events.got.map(({ json }) => (json as JsonObject).dedup_key)).toHaveLength(3);
    expect(new Set(events.got.map(({ json }) => (json as JsonObject).dedup_key)).size).toBe(1);
    events.answers.push({ status: 400 });
    const other = await w.propose({ amount: 451 });
    await expect(pagerduty.notify("payments", other)).rejects.toMatchObject({ code: "channel.undelivered" });
  });

  it("says which service has no key", async () => {
    const waiting = await w.propose({ amount: 450 });
    for (const name of ["billing", "__proto__"]) {
      await expect(pagerduty.notify(name, waiting)).rejects.toMatchObject({ code: "channel.unconfigured" });
    }
  });
});
