/**
 * Every channel × every way in which a question ends, through the gate, counted at the tool. What is special to a vendor
 * stands in its own test; here the same five rows hold for all.
 */
import { decideApproval } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { ACTIONS } from "../src/slack/card.ts";
import { type Answering, ARGS, type Driver, drivers, useAll } from "./drivers.ts";
import * as email from "./email-setup.ts";
import * as linear from "./linear-setup.ts";
import * as pagerduty from "./pagerduty-setup.ts";
import { clickOf, signedRequest } from "./slack-desk.ts";
import * as slack from "./slack-setup.ts";
import * as webhook from "./webhook-setup.ts";
import { DEADLINE_MS } from "./world.ts";

useAll();
pagerduty.usePagerDuty();

/** What the tool ran with, and whether the channel could be fooled afterwards. */
async function ended(driver: Driver, what: Answering): Promise<{ readonly status: string; readonly outcome: string }> {
  const asked = await driver.ask();
  expect(await asked.forge({ secret: "x" })).toBeGreaterThanOrEqual(401);
  expect((await asked.waiting.now()).state).toBe("pending");
  expect(driver.world().ran).toEqual([]);
  await asked.answer(what);
  const { status } = await asked.waiting.answer;
  const outcome = await asked.outcome();
  const ran = driver.world().ran.length;
  await asked.replay();
  await asked.answer({ verdict: "approve" });
  expect(driver.world().ran).toHaveLength(ran);
  return { status, outcome };
}

describe.each(drivers)("the $name channel", (driver) => {
  it("shows money as money, and what runs beside it", async () => {
    const fee = { ...ARGS, fee: 450_000 };
    const { waiting, answer, shown } = await driver.ask(fee);
    const text = await shown();
    expect(text).toContain("$4,500.00");
    expect(text).toContain("450000");
    expect(driver.world().ran).toEqual([]);
    await answer({ verdict: "approve" });
    await waiting.answer;
    expect(driver.world().ran).toEqual([fee]);
  });

  it("approve: one run, with the arguments as proposed", async () => {
    const { status, outcome } = await ended(driver, { verdict: "approve" });
    expect([status, driver.world().ran]).toEqual(["ran", [ARGS]]);
    expect(outcome).toContain("approved by ann");
  });

  it("edit: one run, with the arguments as edited", async () => {
    const { status, outcome } = await ended(driver, { amount: 50 });
    expect([status, driver.world().ran]).toEqual(["ran", [{ ...ARGS, amount: 50 }]]);
    expect(outcome).toContain("approved as edited by ann");
  });

  it("deny: no run, and none by a later approval", async () => {
    const { status, outcome } = await ended(driver, { verdict: "deny" });
    expect([status, driver.world().ran]).toEqual(["denied", []]);
    expect(outcome).toContain("denied by ann");
  });

  it("expire: no run, and none by a late approval (trap 15)", async () => {
    const { waiting, answer, outcome } = await driver.ask();
    driver.world().clock.moveOn(DEADLINE_MS + 1);
    expect(await waiting.answer).toMatchObject({ status: "denied", denial: { status: "expired" } });
    expect(await outcome()).toContain("expired");
    await answer({ verdict: "approve" });
    await answer({ amount: 50 }).catch(() => undefined);
    expect(driver.world().ran).toEqual([]);
  });

  it("replay: the same answer twice is one run (trap 15)", async () => {
    const { waiting, answer, replay } = await driver.ask();
    await answer({ verdict: "approve" });
    await replay();
    await waiting.answer;
    await replay();
    expect(driver.world().ran).toHaveLength(1);
    expect((await waiting.now()).state).toBe("consumed");
  });

  it("elsewhere: shows the outcome, and takes no other", async () => {
    const { waiting, answer, outcome } = await driver.ask();
    const by = { id: "local:ada", via: "cli", verified: false };
    await decideApproval(driver.world().ports, { approval: waiting.approval.id, verdict: "deny", by });
    expect(await outcome()).toContain("denied by local:ada");
    await answer({ verdict: "approve" });
    expect(driver.world().ran).toEqual([]);
  });
});

describe("the pagerduty channel", () => {
  it.each(["approve", "deny", "expire"] as const)(
    "%s elsewhere: acknowledging decides nothing, resolves in the end",
    async (end) => {
      const { w, pagerduty: channel } = pagerduty;
      const waiting = await pagerduty.asked();
      expect((await channel.handle(pagerduty.webhook("incident.acknowledged", waiting))).status).toBe(202);
      expect((await channel.handle(pagerduty.webhook("incident.resolved", waiting))).status).toBe(202);
      expect((await waiting.now()).state).toBe("pending");
      expect(w.ran).toEqual([]);
      if (end === "expire") w.clock.moveOn(DEADLINE_MS + 1);
      else {
        const by = { id: "ann", via: "dashboard", verified: true };
        await decideApproval(w.ports, { approval: waiting.approval.id, verdict: end, by });
      }
      await waiting.answer;
      await pagerduty.sent("resolve");
      expect(w.ran).toHaveLength(end === "approve" ? 1 : 0);
    },
  );
});

describe("for everything else", () => {
  it("a webhook signed both ways and a mailed link each lead to one decision, and to none unsigned or by opening [A8]", async () => {
    for (const driver of drivers.filter(({ name }) => name === "webhook" || name === "email")) {
      const { status } = await ended(driver, { amount: 50 });
      expect([status, driver.world().ran]).toEqual(["ran", [{ ...ARGS, amount: 50 }]]);
    }
    const [waiting, link] = await email.asked(ARGS);
    for (const account of [undefined, "7"]) await email.look(`${link}&verdict=approve`, account);
    expect((await waiting.now()).state).toBe("pending");
    const unsigned = new Request("http://127.0.0.1/", { method: "POST", body: "{}" });
    expect((await webhook.webhook.handle(unsigned)).status).toBe(401);
    expect(email.w.ran).toHaveLength(1);
  });
});

describe("several channels", () => {
  it("ask about one call at once: one decision, and all show it", async () => {
    const [waiting, card] = await slack.asked(ARGS);
    await webhook.webhook.notify(webhook.receiver.url, waiting);
    const [issue] = await linear.linear.notify("OPS", waiting);
    await email.email.notify("finance@example.com", waiting);
    const ann = slack.desk.account("ann");
    await slack.slack.handle(signedRequest(clickOf(card, ACTIONS.approve, ann)));
    expect((await waiting.answer).status).toBe("ran");
    expect(await email.outcome()).toContain("approved by ann via slack");
    expect((await webhook.closing()).text).toContain("approved by ann via slack");
    expect(await linear.said(issue?.issue ?? "", "**Outcome**")).toContain("approved by ann via slack");
    expect((await slack.closed(card)).json).toContain("approved by ann via slack");
    expect(slack.w.ran).toEqual([ARGS]);
  });
});
