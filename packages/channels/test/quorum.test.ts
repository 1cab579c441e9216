/** Two people must agree, each in a channel of their own: what the first one said or changed is shown to the second. */
import { decideApproval } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { ACTIONS } from "../src/slack/card.ts";
import * as linear from "./linear-setup.ts";
import { type Card, CHANNEL, click, clickOf, submissionOf } from "./slack-desk.ts";
import * as slack from "./slack-setup.ts";
import { eventually, type Waiting } from "./world.ts";

slack.useSlack();
linear.useLinear();

const ARGS = { amount: 900, to: "DE89" };

async function asked(): Promise<readonly [Waiting, Card, string]> {
  const waiting = await slack.w.propose(ARGS, { tool: "wire" });
  const [card] = await slack.slack.notify(CHANNEL, waiting);
  const [issue] = await linear.linear.notify("OPS", waiting);
  return [waiting, await slack.cardAt(card?.ts), issue?.issue ?? ""];
}

const cardWith = (card: Card, text: string) =>
  eventually(async () => {
    const now = await slack.cardAt(card.ts);
    return now.json.includes(text) ? now : undefined;
  });
const by = (name: string) => slack.desk.account(name);
const press = (card: Card, action: string, name: string, trigger?: string) =>
  click(slack.slack, clickOf(card, action, by(name), trigger));

describe("a call that needs two people [A10~]", () => {
  it("waits after the first yes, says for whom, and runs once after the second, in another channel", async () => {
    const [waiting, card, issue] = await asked();
    expect(card.json).toContain("2 more");
    await press(card, ACTIONS.approve, "ann");
    expect(await slack.nextWhisper()).toMatch(/^recorded; /);
    await cardWith(card, "agreed: ann via slack");
    await linear.said(issue, "agreed: ann via slack");
    expect((await waiting.now()).state).toBe("pending");
    // The same person in another channel is one person.
    await linear.comment("ann", issue, "/approve");
    await linear.said(issue, "already agreed to by ann");
    expect(slack.w.ran).toEqual([]);
    await linear.comment("bob", issue, "/approve");
    expect((await waiting.answer).status).toBe("ran");
    expect(slack.w.ran).toEqual([ARGS]);
    expect((await slack.closed(card)).json).toContain("approved by ann via slack and bob via linear");
  });

  it("shows the second person what the first one changed, and takes no answer to the older version (trap 14)", async () => {
    const [waiting, card, issue] = await asked();
    await press(card, ACTIONS.edit, "ann", await slack.desk.trigger());
    await click(slack.slack, submissionOf(slack.desk.front, by("ann"), { amount: "500" }));
    const renewed = await cardWith(card, "+ amount: 500");
    expect(renewed.json).toContain("- amount: 900");
    expect(renewed.json).toContain("edited by ann via slack");
    await linear.said(issue, "edited by ann via slack");
    expect((await linear.issueNow(issue)).description).toContain("amount: 500");
    await press(card, ACTIONS.approve, "bob");
    expect(await slack.nextWhisper()).toMatch(/^stale version: /);
    expect((await waiting.now()).votes.map((vote) => vote.by.id)).toEqual(["ann"]);
    // The editor does not count on a version of their own: two others are needed.
    await press(renewed, ACTIONS.approve, "bob");
    await cardWith(card, "bob via slack");
    expect(slack.w.ran).toEqual([]);
    const cleo = { id: "cleo", via: "dashboard", verified: true };
    expect(
      await decideApproval(slack.w.ports, { approval: waiting.approval.id, verdict: "approve", by: cleo }),
    ).toMatchObject({ status: "applied" });
    expect((await waiting.answer).status).toBe("ran");
    expect(slack.w.ran).toEqual([{ ...ARGS, amount: 500 }]);
  });

  it("shows the end although an older edit of the card is slow", async () => {
    const [waiting, card] = await asked();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let left = 1;
    slack.desk.front.faults.push(({ path }, answer) =>
      path.endsWith("/chat.update") && left-- > 0 ? held.then(answer) : undefined,
    );
    await press(card, ACTIONS.approve, "ann");
    await eventually(() => (left === 0 ? true : undefined));
    await press(card, ACTIONS.deny, "bob");
    expect((await waiting.answer).status).toBe("denied");
    release();
    expect((await slack.closed(card)).json).toContain("denied by bob");
    await slack.slack.close();
    expect((await slack.cardAt(card.ts)).json).toContain("denied by bob");
  });

  it("ends with anybody's no", async () => {
    const [waiting, card, issue] = await asked();
    await press(card, ACTIONS.approve, "ann");
    await linear.comment("bob", issue, "/deny");
    expect((await waiting.answer).status).toBe("denied");
    expect(slack.w.ran).toEqual([]);
    expect((await slack.closed(card)).json).toContain("denied by bob via linear");
  });
});
