/** A list whose values are given is chosen from, in Slack's form and on the page: what ran is counted at the tool. */
import type { JsonObject } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { at, textAt } from "../src/json-body.ts";
import { ACTIONS } from "../src/slack/card.ts";
import * as email from "./email-setup.ts";
import { click, clickOf, openedForm, submissionOf, type TypedIn } from "./slack-desk.ts";
import { desk, setUp, slack, useSlack } from "./slack-setup.ts";
import { world } from "./world.ts";

useSlack();
email.useEmail();

const ARGS = { amount: 45, ways: ["mail", "post"], levels: [1], extras: [] };
const SCHEMA = {
  type: "object",
  properties: {
    amount: { type: "integer" },
    ways: {
      type: "array",
      items: { enum: ["mail", "text <b>message</b>", "post"] },
      minItems: 1,
      maxItems: 2,
      uniqueItems: true,
    },
    levels: { type: "array", items: { type: "integer", enum: [1, 2, 3] }, uniqueItems: true },
    extras: { type: "array", items: { enum: ["gift", "card"] }, uniqueItems: true },
  },
};
const POLICIES = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
routes: { default: { to: [cli], within: 10m } }
tools: { refund: { kind: write } }
rules:
  - { id: ask, tool: refund, then: pause, approval: { route: default, editable: [args.ways, args.levels, args.extras] } }
  - { id: post.never, tool: refund, when: '"post" in args.ways && 3 in args.levels', then: deny }
`;

const propose = () => {
  const here = world(POLICIES, { refund: SCHEMA });
  return here.propose(ARGS).then((waiting) => ({ waiting, ran: here.ran }));
};

type Chosen = Readonly<Record<"ways" | "levels" | "extras", readonly string[]>>;

/** What is chosen → what runs. */
const GOOD: readonly [string, Partial<Chosen>, JsonObject][] = [
  [
    "other values, in the list's order",
    { ways: ["text <b>message</b>", "mail"] },
    { ways: ["mail", "text <b>message</b>"] },
  ],
  ["numbers stay numbers", { levels: ["3", "2"], ways: ["mail"] }, { levels: [2, 3], ways: ["mail"] }],
  ["all taken away", { levels: [] }, { levels: [] }],
  ["from none to some", { extras: ["card"] }, { extras: ["card"] }],
  ["nothing touched", {}, {}],
];
/** What is chosen → the field that says why not. */
const BAD: readonly [string, Partial<Chosen>][] = [
  ["more than fit", { ways: ["mail", "text <b>message</b>", "post"] }],
  ["fewer than needed", { ways: [] }],
];

describe("in Slack's form", () => {
  async function opened() {
    await setUp({ approvers: { [desk.account("ann")]: { principal: "ann" } } });
    const { waiting, ran } = await propose();
    const [message] = await slack.notify("#ops-approvals", waiting);
    const card = (await desk.cards()).find(({ ts }) => ts === message?.ts);
    if (card === undefined) throw new Error("no card");
    await click(slack, clickOf(card, ACTIONS.edit, desk.account("ann"), await desk.trigger()));
    return { waiting, ran, blocks: openedForm(desk.front).blocks };
  }

  async function sent(typed: Readonly<Record<string, TypedIn>>) {
    const response = await click(slack, submissionOf(desk.front, desk.account("ann"), typed));
    return (await response.json()) as { response_action: string; errors?: Record<string, string> };
  }

  it("is a menu that takes several, with those that stand there chosen [A5~]", async () => {
    const { blocks } = await opened();
    const elements = blocks.slice(1).map((block) => at(block, "element"));
    expect(elements.map((element) => textAt(element, "type"))).toEqual(Array(3).fill("multi_static_select"));
    expect(blocks.slice(1).map((block) => at(block, "optional"))).toEqual([false, true, true]);
    const option = (text: string, value: string) => ({ text: { type: "plain_text", text, emoji: false }, value });
    expect(at(elements[0], "initial_options")).toEqual([option("mail", "0"), option("post", "2")]);
    expect(at(elements[2], "initial_options")).toBeUndefined();
  });

  it.each(GOOD)("%s: runs once with exactly that [A3~]", async (_, chosen, changed) => {
    const { waiting, ran } = await opened();
    expect((await sent(chosen)).response_action).toBe("update");
    expect((await waiting.answer).status).toBe("ran");
    expect(ran).toEqual([{ ...ARGS, ...changed }]);
  });

  it.each(BAD)("%s: the form stays open, and nothing runs [A5~]", async (_, chosen) => {
    const { waiting, ran, blocks } = await opened();
    const answer = await sent(chosen);
    expect(answer.response_action).toBe("errors");
    expect(Object.keys(answer.errors ?? {})).toEqual([textAt(blocks[1], "block_id")]);
    expect((await waiting.now()).state).toBe("pending");
    expect(ran).toEqual([]);
  });

  it("a choice that the form never had is none", async () => {
    const { waiting, ran } = await opened();
    const payload = JSON.stringify(submissionOf(desk.front, desk.account("ann"), { ways: ["mail"] }));
    for (const value of ["9", "-1", "mail", "__proto__"]) {
      const forged = JSON.parse(
        payload.replace('"selected_options":[{"value":"0"}]', `"selected_options":[{"value":"${value}"}]`),
      );
      expect(await (await click(slack, forged)).json()).toMatchObject({ response_action: "errors" });
    }
    expect((await waiting.now()).state).toBe("pending");
    expect(ran).toEqual([]);
  });
});

describe("on the page", () => {
  async function opened() {
    const { waiting, ran } = await propose();
    await email.email.notify("finance@example.com", waiting);
    const link = email.linkAbout(waiting.approval.id);
    const page = await (await email.look(link, "7")).text();
    return { waiting, ran, link, page };
  }

  /** As a browser sends it: first the hidden field, which stands for none, then each that is chosen. */
  function sent(link: string, chosen: Partial<Chosen>) {
    const fields = [chosen.ways ?? ARGS.ways, chosen.levels ?? ["1"], chosen.extras ?? []];
    const form = Object.fromEntries(fields.map((texts, index) => [`field.${index}`, ["", ...texts]]));
    return email.send(link, "7", { verdict: "approve", ...form });
  }

  it("is a list that takes several, escaped, with those that stand there chosen [A8~]", async () => {
    const { page } = await opened();
    const chosen = '<option value="mail" selected>mail</option>';
    const other = '<option value="text &lt;b&gt;message&lt;/b&gt;">text &lt;b&gt;message&lt;/b&gt;</option>';
    expect(page).toContain('<input type="hidden" name="field.0" value=""><select name="field.0" multiple size="3">');
    expect(page).toContain(`${chosen}${other}<option value="post" selected>post</option>`);
  });

  it.each(GOOD)("%s: runs once with exactly that [A3~]", async (_, chosen, changed) => {
    const { waiting, ran, link } = await opened();
    expect((await sent(link, chosen)).status).toBe(200);
    expect((await waiting.answer).status).toBe("ran");
    expect(ran).toEqual([{ ...ARGS, ...changed }]);
  });

  it.each([...BAD, ["one that the list never had", { ways: ["pigeon"] }] as const])(
    "%s: the form comes back, and nothing runs [A8~]",
    async (_, chosen) => {
      const { waiting, ran, link } = await opened();
      const answer = await sent(link, chosen);
      expect(answer.text).toMatch(/<p class="bad">[^<]*(a list of|mail)/);
      expect((await waiting.now()).state).toBe("pending");
      expect(ran).toEqual([]);
    },
  );

  it("what the policies deny of a choice is told at once, and nothing runs", async () => {
    const { waiting, ran, link } = await opened();
    const answer = await sent(link, { levels: ["3"] });
    expect(answer.text).toContain("post.never");
    expect((await waiting.now()).state).toBe("pending");
    expect(ran).toEqual([]);
  });
});
