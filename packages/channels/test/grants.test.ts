/** What a person permits from a channel: the like runs without a question, and whatever is not the like asks. Printed as a table. */
import { type JsonObject, type Run, revokeGrant } from "@saferun/core";
import { afterAll, describe, expect, it } from "vitest";
import { ACTIONS } from "../src/slack/card.ts";
import { type Asked, drivers, useAll } from "./drivers.ts";
import * as email from "./email-setup.ts";
import * as linear from "./linear-setup.ts";
import { buttonsOf, clickOf, openedForm, signedRequest } from "./slack-desk.ts";
import * as slack from "./slack-setup.ts";
import * as webhook from "./webhook-setup.ts";
import type { Waiting, World } from "./world.ts";

useAll();

interface Choice {
  readonly for: string;
  readonly count: string;
  readonly most: string;
}

const HOUR: Choice = { for: "1h", count: "2", most: "50" };

/** A person's yes with what is chosen beside it, on each channel. What the person is told of a mistake. */
const permit: Readonly<Record<string, (waiting: Waiting, choice: Choice) => Promise<string>>> = {
  async slack(waiting, choice) {
    const card = (await slack.desk.cards()).findLast(({ json }) => json.includes(waiting.approval.id));
    if (card === undefined) throw new Error("no card");
    const ann = slack.desk.account("ann");
    await slack.slack.handle(signedRequest(clickOf(card, ACTIONS.permit, ann, await slack.desk.trigger())));
    const view = openedForm(slack.desk.front) as unknown as { callback_id: string; private_metadata: string };
    const values = {
      "saferun.grant.for": { value: { type: "static_select", selected_option: { value: choice.for } } },
      "saferun.grant.count": { value: { type: "number_input", value: choice.count } },
      "saferun.grant.most": { value: { type: "number_input", value: choice.most } },
    };
    const { callback_id, private_metadata } = view;
    const form = { callback_id, private_metadata, state: { values } };
    const response = await slack.slack.handle(
      signedRequest({ type: "view_submission", user: { id: ann }, view: { id: "V1", ...form } }),
    );
    return response.text();
  },
  async webhook(waiting, choice) {
    const got = webhook.receiver.got.findLast(({ text }) => text.includes(waiting.approval.id));
    const { data } = JSON.parse(got?.text ?? "{}") as { data: JsonObject };
    expect(data.grant_offer).toMatchObject({ same: ["to"], amount: "amount", free: ["reason"] });
    const answer = webhook.answerTo(data, { verdict: "approve", grant: { ...choice } });
    return (await webhook.say(answer)).text;
  },
  async linear(waiting, { for: window, count, most }) {
    const issue = await linear.issueAbout(waiting.approval.id);
    await linear.comment("ann", issue, `/approve grant for=${window} count=${count} most=${most}`);
    return (await waiting.now()).state === "pending" ? linear.said(issue, "not allowed") : "";
  },
  async email(waiting, choice) {
    const link = email.linkAbout(waiting.approval.id);
    const fields = { grant: choice.for, "grant.count": choice.count, "grant.most": choice.most };
    return (await email.send(link, "7", { verdict: "approve", ...fields })).text;
  },
};

const table: string[] = [];

describe.each(drivers)("a grant that is given from $name", (driver) => {
  const credit = (w: World, run: Run, amount: number, to = "ada", reason = "late") =>
    w.propose({ amount, to, reason }, { tool: "credit", run });

  /** Undefined: it ran without a question. */
  async function asks(w: World, run: Run, ...call: [amount: number, to?: string, reason?: string]): Promise<boolean> {
    const before = w.ran.length;
    try {
      await credit(w, run, ...call);
      expect(w.ran).toHaveLength(before);
      return true;
    } catch (error) {
      expect(String(error)).toContain('"ran"');
      expect(w.ran).toHaveLength(before + 1);
      return false;
    }
  }

  async function given(choice: Choice): Promise<{ w: World; run: Run; waiting: Waiting; asked: Asked; told: string }> {
    const w = driver.world();
    const run = w.gate.openRun({ agent: "support", environment: "prod" });
    const waiting = await credit(w, run, 450);
    await driver.tell(waiting);
    const asked = await driver.find(waiting);
    const told = (await permit[driver.name]?.(waiting, choice)) ?? "";
    return { w, run, waiting, asked, told };
  }

  it("covers the same recipient, so often and so much; nothing else [A11~]", async () => {
    const { w, run, waiting, asked } = await given(HOUR);
    expect((await waiting.answer).status).toBe("ran");
    const cells = {
      like: await asks(w, run, 20, "ada", "another reason"),
      "over the sum": await asks(w, run, 31),
      "other recipient": await asks(w, run, 1, "eve"),
      "other run": await asks(w, w.gate.openRun({ agent: "support", environment: "prod" }), 1),
      last: await asks(w, run, 30),
      "over the count": await asks(w, run, 0),
    };
    expect(cells).toEqual({
      ...{ like: false, "over the sum": true, "other recipient": true, "other run": true },
      ...{ last: false, "over the count": true },
    });
    const words = Object.entries(cells).map(([cell, asked]) => `${cell} ${asked ? "asks" : "runs"}`);
    table.push([driver.name.padEnd(8), ...words].join("  "));
    expect((await waiting.now()).decision?.by.via).toBe(driver.name);
    const outcome = await asked.outcome();
    // A mail breaks its lines.
    expect(outcome.replace(/=\r?\n/g, "")).toContain("permitted too: up to 2 more calls within 1 h");
  });

  it("ends with its time, and when it is revoked; never lets a denied call run [A11~]", async () => {
    const timed = await given(HOUR);
    await timed.waiting.answer;
    expect(await asks(timed.w, timed.run, 1)).toBe(false);
    timed.w.clock.moveOn(3_600_000);
    expect(await asks(timed.w, timed.run, 1)).toBe(true);
    const revoked = await given({ ...HOUR, most: "5000" });
    await revoked.waiting.answer;
    const over = revoked.w.gate.call(revoked.run, { tool: "credit", args: { amount: 1001, to: "ada" } }, () => "ran");
    expect((await over).status).toBe("denied");
    const by = { id: "bob", via: "cli", verified: true };
    expect(await revokeGrant(revoked.w.ports, revoked.waiting.approval.id, { by, why: "no more" })).toBe(true);
    expect(await asks(revoked.w, revoked.run, 1)).toBe(true);
  });

  it.each<Partial<Choice>>([{ for: "8h" }, { count: "1001" }, { count: "0" }, { most: "" }, { most: "1.5" }])(
    "%j is told to the person, and decides nothing",
    async (wrong) => {
      const { w, waiting, told } = await given({ ...HOUR, ...wrong });
      expect((await waiting.now()).state).toBe("pending");
      expect(w.ran).toEqual([]);
      expect(told).toMatch(/must be|no part of a grant/);
    },
  );

  it("is not offered for a call whose rule does not say so", async () => {
    const waiting = await driver.world().propose({ amount: 450, to: "ada" });
    await driver.tell(waiting);
    expect(waiting.approval.grantOffer).toBeUndefined();
    if (driver.name === "slack") {
      const card = (await slack.desk.cards()).findLast(({ json }) => json.includes(waiting.approval.id));
      expect(card === undefined ? [] : buttonsOf(card)).not.toContain(ACTIONS.permit);
    } else if (driver.name !== "webhook") {
      const told = await permit[driver.name]?.(waiting, HOUR);
      expect(told).toContain("does not say");
    }
    expect((await waiting.now()).state).toBe("pending");
    expect(driver.world().ran).toEqual([]);
  });
});

afterAll(() => console.log(table.join("\n")));
