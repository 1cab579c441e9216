/** What Slack is sent and what it sends: requests, the form, the card, and deliveries that fail. */
import type { JsonObject } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { ACTIONS } from "../src/slack/card.ts";
import { buttonsOf, CHANNEL, click, clickOf, signedRequest, submissionOf } from "./slack-desk.ts";
import { limitProblems } from "./slack-limits.ts";
import {
  asked,
  cardAt,
  channel,
  closed,
  desk,
  failing,
  nextWhisper,
  setUp,
  slack,
  useSlack,
  w,
} from "./slack-setup.ts";
import { DEADLINE_MS } from "./world.ts";

useSlack();

describe("malformed requests", () => {
  it("refuses what is too large before it looks at it", async () => {
    const body = `payload=${"x".repeat(1_100_000)}`;
    expect((await slack.handle(new Request("http://127.0.0.1/", { method: "POST", body }))).status).toBe(413);
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
    });
    const init = { method: "POST", body: stream, duplex: "half" } as const;
    expect((await slack.handle(new Request("http://127.0.0.1/", init))).status).toBe(413);
  });

  it.each([
    null,
    {},
    [],
    { type: "block_actions" },
    { type: "view_submission", view: { callback_id: "saferun.edit-form" } },
  ])("answers 400 to a signed %j", async (payload) => {
    expect((await click(slack, payload)).status).toBe(400);
  });

  it("lets other features of the app pass", async () => {
    expect((await click(slack, { type: "shortcut" })).status).toBe(200);
    const other = { type: "block_actions", user: { id: "U1" }, actions: [{ action_id: "theirs" }] };
    expect((await click(slack, other)).status).toBe(200);
  });

  it("refuses everything but POST, and requests without a signature", async () => {
    expect((await slack.handle(new Request("http://127.0.0.1/slack"))).status).toBe(405);
    expect(
      (await slack.handle(new Request("http://127.0.0.1/slack", { method: "POST", body: "payload={}" }))).status,
    ).toBe(401);
  });

  it("answers 500 and forgets the click when the store cannot record it: the next one counts (trap 25)", async () => {
    let broken = true;
    const store = {
      ...w.store,
      commit: (transaction: Parameters<typeof w.store.commit>[0]) =>
        broken ? Promise.reject(new Error("disk full")) : w.store.commit(transaction),
    };
    const [waiting, card] = await asked();
    const replica = channel({ ports: { ...w.ports, store } });
    const request = signedRequest(clickOf(card, ACTIONS.approve, desk.account("ann")));
    const again = request.clone();
    expect((await replica.handle(request)).status).toBe(500);
    expect(w.ran).toEqual([]);
    broken = false;
    expect((await replica.handle(again)).status).toBe(200);
    expect((await waiting.answer).status).toBe("ran");
    expect(w.ran).toHaveLength(1);
    await replica.close();
  });
});

describe("the edit form", () => {
  async function edited(args: JsonObject, typed: Record<string, string>) {
    const [waiting, card] = await asked(args);
    await click(slack, clickOf(card, ACTIONS.edit, desk.account("ann"), await desk.trigger()));
    const response = await click(slack, submissionOf(desk.front, desk.account("ann"), typed));
    return { waiting, body: (await response.json()) as { response_action: string; errors?: Record<string, string> } };
  }

  it.each([
    ["curly quotes", { lines: "[{“sku”: 1}]" }, "curly quotes"],
    ["no JSON", { amount: "fifty" }, "it must be JSON"],
    ["a key twice", { lines: '[{"a":1,"a":2}]' }, "twice"],
    ["an integer beyond 2^53", { amount: "9007199254740993" }, "beyond"],
    ["a prototype key", { lines: '[{"__proto__":1}]' }, "__proto__"],
  ])("stays open on %s", async (_, typed, said) => {
    const { waiting, body } = await edited({ amount: 450, lines: [{ sku: 1 }] }, typed);
    expect(body.response_action).toBe("errors");
    expect(Object.values(body.errors ?? {}).join()).toContain(said);
    expect((await waiting.now()).state).toBe("pending");
    expect(w.ran).toEqual([]);
  });

  it("takes a list from its JSON box", async () => {
    const { waiting } = await edited({ amount: 450, lines: [{ sku: 1 }] }, { lines: '[{"sku": 2}]' });
    expect((await waiting.answer).status).toBe("ran");
    expect(w.ran).toEqual([{ amount: 450, lines: [{ sku: 2 }] }]);
  });

  it("approves as proposed what was left as it was, whatever the line ends", async () => {
    const { waiting } = await edited({ amount: 450, reason: "a\nb" }, { reason: "a\r\nb" });
    await waiting.answer;
    expect(w.ran).toEqual([{ amount: 450, reason: "a\nb" }]);
    expect((await waiting.now()).decision?.edited).toBe(false);
  });

  it("shows the answer when somebody else was faster", async () => {
    const [waiting, card] = await asked();
    await click(slack, clickOf(card, ACTIONS.edit, desk.account("ann"), await desk.trigger()));
    const form = submissionOf(desk.front, desk.account("ann"), { amount: "1" });
    await click(slack, clickOf(card, ACTIONS.deny, desk.account("bob")));
    const body = JSON.stringify(await (await click(slack, form)).json());
    expect(body).toContain("already decided by bob via slack: denied");
    expect((await waiting.answer).status).toBe("denied");
    expect(w.ran).toEqual([]);
  });

  it("does not open for values that cannot be seen or do not fit", async () => {
    for (const reason of ["a\u202eb", "x".repeat(3_500)]) {
      const [, card] = await asked({ amount: 450, reason });
      const before = desk.front.passed.filter(({ path }) => path.endsWith("/views.open")).length;
      await click(slack, clickOf(card, ACTIONS.edit, desk.account("ann"), await desk.trigger()));
      expect(await nextWhisper()).toContain("do not fit into a form");
      expect(desk.front.passed.filter(({ path }) => path.endsWith("/views.open"))).toHaveLength(before);
    }
  });
});

describe("the card", () => {
  it("shows what others wrote as text, and all of it (trap 27)", async () => {
    const [, card] = await asked({
      amount: 450,
      reason: "*Approved by finance* <!channel> <@U123> <https://evil.example|Approve> \u202e\nSilence approves it",
      'to": "x What': 1,
    });
    const texts: { type: string; text: string }[] = [];
    JSON.stringify(card.blocks, (_, value: unknown) => {
      if (typeof value === "object" && value !== null && "type" in value && value.type === "mrkdwn") {
        texts.push(value as never);
      }
      return value;
    });
    expect(texts).toHaveLength(1);
    expect(texts[0]?.text).not.toContain("finance");
    expect(card.text).not.toMatch(/[<>]/);
    expect(card.json).toContain("\\\\u{202e}");
    expect(card.json).not.toContain("\u202e");
    expect(card.json).toContain("<!channel>");
    const all = JSON.stringify(card.blocks);
    expect(all).toContain(JSON.stringify('["to\\": \\"x What"]: 1').slice(1, -1));
    const post = desk.front.passed.findLast(({ path }) => path.endsWith("/chat.postMessage"));
    const form = new URLSearchParams(post?.body);
    expect([form.get("unfurl_links"), form.get("parse"), form.get("link_names")]).toEqual(["false", "none", "false"]);
  });

  it("offers no approval for arguments that it cannot show whole, but a link", async () => {
    await setUp({ link: ({ id }) => `https://gate.example/approvals/${id}` });
    const [waiting, card] = await asked({ amount: 450, reason: "x".repeat(9_000) });
    expect(buttonsOf(card)).toEqual([ACTIONS.deny, ACTIONS.explain, ACTIONS.open]);
    expect(card.json).toContain(`https://gate.example/approvals/${waiting.approval.id}`);
    expect(JSON.stringify(card.blocks).length).toBeLessThan(8_000);
  });

  it("stays within Slack's documented limits, and the checker would say if it did not", async () => {
    const lines = Array.from({ length: 80 }, (_, index) => ({ sku: `s${index}` }));
    for (const args of [{ amount: 450 }, { amount: 450, reason: "x".repeat(7_000) }, { amount: 450, lines }]) {
      const [waiting, card] = await asked(args);
      await click(slack, clickOf(card, ACTIONS.deny, desk.account("ann")));
      expect((await waiting.answer).status).toBe("denied");
      await closed(card);
    }
    const block = (text: string) => JSON.stringify([{ type: "section", text: { type: "plain_text", text } }]);
    const form = (blocks: string) => new URLSearchParams({ text: "x", blocks });
    expect(limitProblems("/api/chat.postMessage", form(block("x".repeat(3_000))))).toEqual([]);
    expect(limitProblems("/api/chat.postMessage", form(block("x".repeat(3_001))))).toHaveLength(1);
    const many = JSON.stringify(Array.from({ length: 51 }, () => ({ type: "divider" })));
    expect(limitProblems("/api/chat.update", form(many))).toContain("51 blocks");
    const view = JSON.stringify({ title: { text: "x".repeat(25) }, private_metadata: "x".repeat(3_001), blocks: [] });
    expect(limitProblems("/api/views.open", new URLSearchParams({ view }))).toHaveLength(2);
  });

  it("carries the approval, its version and a nonce, and never an argument", async () => {
    const [waiting, card] = await asked({ amount: 450, to: "ada@example.com" });
    const values = card.blocks.flatMap(({ elements = [] }) => elements).flatMap(({ value }) => value ?? []);
    for (const value of values) {
      const { approval, version, nonce, ...more } = JSON.parse(value) as Record<string, unknown>;
      expect([approval, version, more]).toEqual([waiting.approval.id, 1, {}]);
      expect(nonce).toMatch(/^[\w-]{22}$/);
    }
  });

  it("has no buttons where nobody may answer", async () => {
    await setUp({ approvers: {} });
    const [, card] = await asked();
    expect(buttonsOf(card)).toEqual([]);
    expect(card.json).toContain("Nobody is set up to answer here.");
  });
});

describe("delivery", () => {
  const posts = () => desk.front.passed.filter(({ path }) => path.endsWith("/chat.postMessage")).length;

  it("sends the same approval once to a channel", async () => {
    const waiting = await w.propose({ amount: 450 });
    const before = posts();
    const [one, other] = await Promise.all([slack.notify(CHANNEL, waiting), slack.notify(CHANNEL, waiting)]);
    expect(one).toEqual(other);
    expect(posts() - before).toBe(1);
  });

  it("a 500 after posting: two cards, one decision, both closed, one run (trap 25)", async () => {
    const before = (await desk.cards()).length;
    failOnce("/chat.postMessage", async (answer) => {
      await answer();
      return new Response("oops", { status: 500 });
    });
    const [waiting, card] = await asked();
    const cards = (await desk.cards()).slice(before);
    expect(cards).toHaveLength(2);
    const [first] = cards;
    if (first === undefined) throw new Error("no card");
    await click(slack, clickOf(first, ACTIONS.approve, desk.account("ann")));
    expect((await waiting.answer).status).toBe("ran");
    await click(slack, clickOf(card, ACTIONS.approve, desk.account("bob")));
    await closed(first);
    await closed(card);
    expect(w.ran).toHaveLength(1);
  });

  it("closes a card too that went out when the others were already closed", async () => {
    const [waiting, first] = await asked();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    failOnce("/chat.postMessage", async (answer) => {
      const response = await answer();
      await held;
      return response;
    });
    const late = slack.notify("ops-approvals", waiting);
    await click(slack, clickOf(first, ACTIONS.deny, desk.account("ann")));
    await closed(first);
    release();
    const [message] = await late;
    await closed(await cardAt(message?.ts));
    expect(w.ran).toEqual([]);
  });

  it("a 429: waits, then sends", async () => {
    const before = posts();
    failOnce(
      "/chat.postMessage",
      async () => new Response("slow down", { status: 429, headers: { "retry-after": "1" } }),
    );
    const [, card] = await asked();
    expect(buttonsOf(card)).not.toEqual([]);
    expect(posts() - before).toBe(2);
  });

  it("says what Slack refuses, and the call waits on", async () => {
    const waiting = await w.propose({ amount: 450 });
    await expect(slack.notify("#nowhere", waiting)).rejects.toMatchObject({
      code: "channel.undelivered",
      message: expect.stringContaining("channel_not_found"),
    });
    expect((await waiting.now()).state).toBe("pending");
    const [message] = await slack.notify(CHANNEL, waiting);
    expect(message?.ts).toMatch(/^\d+\.\d+$/);
  });

  it("gives up when nobody waits any more", async () => {
    const waiting = await w.propose({ amount: 450 });
    desk.front.faults.push(({ path }) => (path.endsWith("/chat.postMessage") ? failing(503) : undefined));
    const before = posts();
    const sending = slack.notify(CHANNEL, waiting);
    w.clock.moveOn(DEADLINE_MS);
    expect(await sending).toEqual([]);
    // Slack's own client would have tried again by itself.
    expect(posts() - before).toBe(1);
    expect((await waiting.answer).status).toBe("denied");
  });

  function failOnce(path: string, make: (answer: () => Promise<Response>) => Promise<Response>): void {
    let left = 1;
    desk.front.faults.push((passed, answer) => (passed.path.endsWith(path) && left-- > 0 ? make(answer) : undefined));
  }
});
