/** Decisions in Slack against its emulator, with clicks signed as Slack signs them. Counted at the tool. */
import { decideApproval } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { ACTIONS } from "../src/slack/card.ts";
import { buttonsOf, CHANNEL, click, clickOf, signedRequest, submissionOf } from "./slack-desk.ts";
import {
  asked,
  cardAt,
  channel,
  closed,
  desk,
  errors,
  failing,
  nextWhisper,
  slack,
  useSlack,
  w,
} from "./slack-setup.ts";
import { DEADLINE_MS } from "./world.ts";

useSlack();

describe("a decision in Slack", () => {
  it("approve: the call runs once, and the card says who it was [A5~]", async () => {
    const [waiting, card] = await asked();
    expect(buttonsOf(card)).toEqual([ACTIONS.approve, ACTIONS.edit, ACTIONS.deny, ACTIONS.explain]);
    expect(card.json).toContain('amount: 450\\nto: \\"ada@example.com\\"');
    const response = await click(slack, clickOf(card, ACTIONS.approve, desk.account("ann")));
    expect(response.status).toBe(200);
    expect((await waiting.answer).status).toBe("ran");
    expect(w.ran).toEqual([{ amount: 450, to: "ada@example.com" }]);
    expect((await waiting.now()).decision?.by).toEqual({ id: "ann", via: "slack", verified: true });
    expect((await closed(card)).json).toContain("approved by ann via slack");
  });

  it("deny: the tool does not run [A5~]", async () => {
    const [waiting, card] = await asked();
    await click(slack, clickOf(card, ACTIONS.deny, desk.account("bob")));
    expect(await waiting.answer).toMatchObject({ status: "denied", denial: { status: "denied" } });
    expect(w.ran).toEqual([]);
    expect((await closed(card)).json).toContain("denied by bob via slack");
  });

  it("deny with a reason: the form asks for it, the agent and the card say it [A5~]", async () => {
    const [waiting, card] = await asked();
    await click(slack, clickOf(card, ACTIONS.explain, desk.account("ann"), await desk.trigger()));
    expect((await waiting.now()).state).toBe("pending");
    const form = submissionOf(desk.front, desk.account("ann"), { Why: "the order is fine <!here>\nreally" });
    expect(await (await click(slack, form)).json()).toMatchObject({ response_action: "update" });
    expect(await waiting.answer).toMatchObject({
      denial: { reason: "a person denied this call: the order is fine <!here>\nreally" },
    });
    expect((await closed(card)).json).toContain("the order is fine <!here>");
    expect(w.ran).toEqual([]);
    const [other, second] = await asked();
    await click(slack, clickOf(second, ACTIONS.explain, desk.account("ann"), await desk.trigger()));
    const strangers = submissionOf(desk.front, desk.account("eve"), { Why: "no" });
    expect(JSON.stringify(await (await click(slack, strangers)).json())).toContain("linked to nobody");
    expect((await other.now()).state).toBe("pending");
  });

  it("edit: the form has the editable fields, and the call runs as edited [A5~]", async () => {
    const [waiting, card] = await asked({ amount: 450, reason: "late", to: "ada@example.com" });
    await click(slack, clickOf(card, ACTIONS.edit, desk.account("ann"), await desk.trigger()));
    const form = submissionOf(desk.front, desk.account("ann"), { amount: "50", reason: "agreed\nwith Ada" });
    const response = await click(slack, form);
    expect(await response.json()).toMatchObject({ response_action: "update" });
    expect((await waiting.answer).status).toBe("ran");
    expect(w.ran).toEqual([{ amount: 50, reason: "agreed\nwith Ada", to: "ada@example.com" }]);
    const shown = (await closed(card)).json;
    expect(shown).toContain("- amount: 450");
    expect(shown).toContain("+ amount: 50");
  });

  it("edit to what a rule denies: the form says so at once, and takes what fits", async () => {
    const [waiting, card] = await asked();
    await click(slack, clickOf(card, ACTIONS.edit, desk.account("ann"), await desk.trigger()));
    const refused = await click(slack, submissionOf(desk.front, desk.account("ann"), { amount: "5000" }));
    expect(await refused.text()).toMatch(
      /"response_action":"errors".*the policies deny the edited call, by refund\.limit/,
    );
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
    await click(slack, submissionOf(desk.front, desk.account("ann"), { amount: "50" }));
    expect((await waiting.answer).status).toBe("ran");
    expect(w.ran).toMatchObject([{ amount: 50 }]);
  });

  it("expire: nobody answers, the card says so, and a late click is told", async () => {
    const [waiting, card] = await asked();
    const late = clickOf(card, ACTIONS.approve, desk.account("ann"));
    w.clock.moveOn(DEADLINE_MS + 1_000);
    expect(await waiting.answer).toMatchObject({ denial: { status: "expired" } });
    expect((await closed(card)).json).toContain("expired; nobody answered in time");
    expect((await click(slack, late)).status).toBe(200);
    expect(await nextWhisper()).toMatch(/^expired: /);
    expect(w.ran).toEqual([]);
  });

  it("elsewhere: the card is closed when another channel decided", async () => {
    const [waiting, card] = await asked();
    const by = { id: "local:ada", via: "cli", verified: false };
    await decideApproval(w.ports, { approval: waiting.approval.id, verdict: "deny", by, note: "<!here> not *this*" });
    expect((await waiting.answer).status).toBe("denied");
    const shown = (await closed(card)).json;
    expect(shown).toContain("denied by local:ada via cli (not verified)");
    expect(shown).toContain("<!here> not *this*");
    expect(errors).toEqual([]);
  });

  it("withdrawn: an abort closes the card, and a click on it runs nothing", async () => {
    const stop = new AbortController();
    const waiting = await w.propose({ amount: 450 }, { signal: stop.signal });
    const [message] = await slack.notify(CHANNEL, waiting);
    const card = await cardAt(message?.ts);
    stop.abort();
    expect(await waiting.answer).toMatchObject({ denial: { status: "aborted" } });
    expect((await closed(card)).json).toContain("No longer wanted");
    await click(slack, clickOf(card, ACTIONS.approve, desk.account("ann")));
    expect(await nextWhisper()).toMatch(/^expired: /);
    expect(w.ran).toEqual([]);
  });
});

describe("hostile clicks (trap 16)", () => {
  it("refuses a bad signature", async () => {
    const [, card] = await asked();
    const response = await click(slack, clickOf(card, ACTIONS.approve, desk.account("ann")), { secret: "another" });
    expect(response.status).toBe(401);
    expect(w.ran).toEqual([]);
  });

  it("refuses a signature over other bytes", async () => {
    const [waiting, card] = await asked();
    const good = signedRequest(clickOf(card, ACTIONS.deny, desk.account("ann")));
    const body = (await good.text()).replace("saferun.deny", "saferun.approve");
    const response = await slack.handle(new Request(good.url, { method: "POST", headers: good.headers, body }));
    expect(response.status).toBe(401);
    expect((await waiting.now()).state).toBe("pending");
  });

  it.each([-600_000, 600_000])("refuses a request of %d ms from now", async (shiftMs) => {
    const [waiting, card] = await asked();
    const response = await click(slack, clickOf(card, ACTIONS.approve, desk.account("ann")), { shiftMs });
    expect(response.status).toBe(401);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("does nothing for a replay (trap 15)", async () => {
    const [waiting, card] = await asked();
    const request = signedRequest(clickOf(card, ACTIONS.approve, desk.account("ann")));
    const again = request.clone();
    const elsewhere = request.clone();
    await slack.handle(request);
    await waiting.answer;
    expect((await slack.handle(again)).status).toBe(200);
    // Another process has no memory of the request; the store has.
    const replica = channel({ ports: w.ports });
    expect((await replica.handle(elsewhere)).status).toBe(200);
    await replica.close();
    expect(w.ran).toHaveLength(1);
  });

  it("answers a second decision with the first", async () => {
    const [waiting, card] = await asked();
    await click(slack, clickOf(card, ACTIONS.deny, desk.account("ann")));
    await click(slack, clickOf(card, ACTIONS.approve, desk.account("bob")));
    expect(await nextWhisper()).toBe("already decided by ann via slack: denied");
    expect((await waiting.answer).status).toBe("denied");
    expect(w.ran).toEqual([]);
  });

  it("lets one of two simultaneous decisions win", async () => {
    const [waiting, card] = await asked();
    await Promise.all([
      click(slack, clickOf(card, ACTIONS.deny, desk.account("ann"))),
      click(slack, clickOf(card, ACTIONS.approve, desk.account("bob"))),
    ]);
    const { status } = await waiting.answer;
    const { decision } = await waiting.now();
    expect(w.ran).toHaveLength(decision?.verdict === "approve" ? 1 : 0);
    expect(status).toBe(decision?.verdict === "approve" ? "ran" : "denied");
  });

  it("answers a stale version", async () => {
    const [waiting, card] = await asked();
    const { approval } = waiting;
    await w.store.commit({ approvals: [{ row: { ...approval, version: 2, since: 2 }, expect: 1 }], entries: [] });
    await click(slack, clickOf(card, ACTIONS.approve, desk.account("ann")));
    expect(await nextWhisper()).toMatch(/^stale version: /);
    await click(slack, clickOf(card, ACTIONS.edit, desk.account("bob"), await desk.trigger()));
    expect(await nextWhisper()).toMatch(/^stale version: /);
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
  });

  it("refuses a button that was not made here, also for another version of the same approval (trap 14)", async () => {
    const [waiting, card] = await asked();
    for (const change of [{ nonce: "AAAAAAAAAAAAAAAAAAAAAA" }, { version: 2 }, { approval: "appr_none" }]) {
      const payload = JSON.parse(JSON.stringify(clickOf(card, ACTIONS.approve, desk.account("ann")))) as {
        actions: { value: string }[];
      };
      const [action] = payload.actions;
      if (action) action.value = JSON.stringify({ ...(JSON.parse(action.value) as object), ...change });
      await click(slack, payload as never);
      expect(await nextWhisper()).toMatch(/^not allowed: this button belongs to no approval/);
    }
    expect((await waiting.now()).state).toBe("pending");
  });

  it("takes nobody whom the configuration does not name, whatever they are called", async () => {
    const [waiting, card] = await asked();
    for (const action of [ACTIONS.approve, ACTIONS.deny, ACTIONS.edit]) {
      await click(slack, clickOf(card, action, desk.account("eve"), await desk.trigger()));
      expect(await nextWhisper()).toBe("not allowed: this Slack account is linked to nobody who may decide");
    }
    const named = clickOf(card, ACTIONS.approve, "__proto__");
    await click(slack, named);
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
  });

  it.each([
    ["guest", { is_restricted: true }, "a guest"],
    ["single-channel guest", { is_ultra_restricted: true }, "a guest"],
    ["person of another workspace", { is_stranger: true }, "a guest"],
    ["bot", { is_bot: true }, "a bot"],
    ["deactivated account", { deleted: true }, "deactivated"],
  ])("refuses a %s, linked or not", async (_, profile, said) => {
    desk.profiles.set(desk.account("ann"), profile);
    const [waiting, card] = await asked();
    await click(slack, clickOf(card, ACTIONS.approve, desk.account("ann")));
    expect(await nextWhisper()).toContain(said);
    await click(slack, clickOf(card, ACTIONS.edit, desk.account("ann"), await desk.trigger()));
    const response = await click(slack, submissionOf(desk.front, desk.account("ann"), { amount: "1" }));
    expect(JSON.stringify(await response.json())).toContain(said);
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
  });

  it("decides nothing when Slack cannot say whose account it is (trap 5)", async () => {
    const [waiting, card] = await asked();
    desk.front.faults.push(({ path }) => (path.endsWith("/users.info") ? failing(500) : undefined));
    await click(slack, clickOf(card, ACTIONS.approve, desk.account("ann")));
    expect(await nextWhisper()).toMatch(/^not allowed: slack could not say/);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("asks for the role of the route", async () => {
    const [waiting, card] = await asked({ to: "all@example.com" }, "mail");
    await click(slack, clickOf(card, ACTIONS.approve, desk.account("ann")));
    expect(await nextWhisper()).toBe("not allowed: this asks for the role `finance`");
    const other = channel({
      ports: w.ports,
      approvers: { [desk.account("ann")]: { principal: "ann", roles: ["finance"] } },
    });
    await click(other, clickOf(card, ACTIONS.approve, desk.account("ann")), { shiftMs: 1_000 });
    expect((await waiting.answer).status).toBe("ran");
    await other.close();
    expect(w.ran).toHaveLength(1);
  });
});
