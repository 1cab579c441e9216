/** The edit form made from the tool's schema, in Slack, on the page and in texts; what ran is counted at the tool. */
import type { Json, JsonObject } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { questionPage } from "../src/email/page.ts";
import { at, textAt } from "../src/json-body.ts";
import { issueOf } from "../src/linear/issue.ts";
import { ACTIONS } from "../src/slack/card.ts";
import { editForm } from "../src/slack/modal.ts";
import { click, clickOf, openedForm, submissionOf } from "./slack-desk.ts";
import { limitProblems } from "./slack-limits.ts";
import { asked, desk, setUp, slack, useSlack, w } from "./slack-setup.ts";
import { type World, world } from "./world.ts";

useSlack();

const EVIL = "*Approved* <!channel> <https://evil.example|Approve> \u202e\u001b[2J\n".repeat(200);

const PROPERTIES: Record<string, Json> = {
  amount: { type: "integer", minimum: 1, maximum: 500, title: "Refund", description: "In whole euros" },
  rate: { type: "number", exclusiveMinimum: 0 },
  tiny: { type: "number" },
  currency: { enum: ["eur", "usd"] },
  level: { anyOf: [{ enum: [1, 2] }, { type: "null" }] },
  notify: { type: "boolean" },
  reason: { type: "string", maxLength: 200, pattern: "^[A-Z]" },
  code: { type: "string", maxLength: 8 },
  to: { type: "array", items: { type: "string" } },
  customer: {
    type: "object",
    properties: { name: { type: "string", maxLength: 20 }, visits: { $ref: "#/$defs/count" } },
  },
  hostile: { type: "string", title: EVIL, description: EVIL },
  odd: { enum: ["a\u202eb", "c"] },
  absent: { type: "integer" },
};

const ARGS: JsonObject = {
  amount: 450,
  rate: 0.5,
  tiny: 1e-9,
  currency: "eur",
  level: null,
  notify: true,
  reason: "Broken",
  code: "A1",
  to: ["ada@example.com"],
  customer: { name: "Ada", visits: 7 },
  hostile: "x",
  odd: "c",
};

const EDITABLE = ["amount", "rate", "tiny", "currency", "level", "notify", "reason", "code", "to", "customer.name"];
const MORE = ["customer.visits", "hostile", "odd", "absent"];

function described(properties = PROPERTIES): World {
  const $defs = { count: { type: "integer", minimum: 0 } };
  const schema = { type: "object", properties, required: ["amount"], $defs };
  const editable = JSON.stringify([...EDITABLE, ...MORE].map((path) => `args.${path}`));
  const text = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
routes: { default: { to: [cli], within: 10m } }
tools: { refund: { kind: write } }
rules: [{ id: ask, tool: refund, then: pause, approval: { route: default, editable: ${editable} } }]
`;
  return world(text, { refund: schema });
}

function inputOf(blocks: readonly Json[], path: string): Json {
  const found = blocks.find((block) => textAt(block, "label", "text")?.split(" — ")[0] === path);
  if (found === undefined) throw new Error(`no field ${path}`);
  return found;
}

describe("the form in Slack, from the tool's schema", () => {
  async function opened(args: JsonObject = ARGS) {
    await setUp({ approvers: { [desk.account("ann")]: { principal: "ann" } } });
    const here = described();
    const waiting = await here.propose(args);
    const [message] = await slack.notify("#ops-approvals", waiting);
    const card = (await desk.cards()).find(({ ts }) => ts === message?.ts);
    if (card === undefined) throw new Error("no card");
    await click(slack, clickOf(card, ACTIONS.edit, desk.account("ann"), await desk.trigger()));
    return { waiting, ran: here.ran, blocks: openedForm(desk.front).blocks };
  }

  async function sent(typed: Record<string, string>) {
    const response = await click(slack, submissionOf(desk.front, desk.account("ann"), typed));
    return (await response.json()) as { response_action: string; errors?: Record<string, string> };
  }

  it("has for each kind the element that Slack has for it, within Slack's limits [A5~]", async () => {
    const { blocks } = await opened();
    const element = (path: string) => at(inputOf(blocks, path), "element");
    const number = { type: "number_input", action_id: "value" };
    const text = { type: "plain_text_input", action_id: "value" };
    const option = (text: string, value: string) => ({ text: { type: "plain_text", text, emoji: false }, value });
    expect(element("amount")).toEqual({
      ...number,
      is_decimal_allowed: false,
      initial_value: "450",
      min_value: "1",
      max_value: "500",
    });
    expect(element("rate")).toEqual({ ...number, is_decimal_allowed: true, initial_value: "0.5" });
    expect(element("tiny")).toEqual({ ...text, multiline: false, initial_value: "1e-9" });
    expect(element("absent")).toEqual({ ...number, is_decimal_allowed: false });
    expect(element("currency")).toEqual({
      type: "static_select",
      action_id: "value",
      options: [option("eur", "0"), option("usd", "1")],
      initial_option: option("eur", "0"),
    });
    expect(element("level")).toMatchObject({
      options: [option("1", "0"), option("2", "1"), option("(nothing)", "nothing")],
      initial_option: option("(nothing)", "nothing"),
    });
    expect(element("notify")).toMatchObject({ options: [option("true", "0"), option("false", "1")] });
    expect(element("reason")).toEqual({ ...text, multiline: true, max_length: 200, initial_value: "Broken" });
    expect(element("code")).toEqual({ ...text, multiline: false, max_length: 8, initial_value: "A1" });
    expect(element("to")).toEqual({ ...text, multiline: true, initial_value: '[\n  "ada@example.com"\n]' });
    expect(element("customer.name")).toMatchObject({ max_length: 20, initial_value: "Ada" });
    expect(element("customer.visits")).toMatchObject({ type: "number_input", initial_value: "7", min_value: "0" });
    expect(element("odd")).toMatchObject({ type: "plain_text_input", initial_value: "c" });
    expect(textAt(inputOf(blocks, "amount"), "label", "text")).toBe("amount — Refund");
    expect(textAt(inputOf(blocks, "amount"), "hint", "text")).toBe("a whole number from 1 to 500; In whole euros");
    expect([at(inputOf(blocks, "amount"), "optional"), at(inputOf(blocks, "absent"), "optional")]).toEqual([
      false,
      true,
    ]);
  });

  it("shows what a tool's maker wrote as short visible text behind the path (trap 27)", async () => {
    const { blocks } = await opened();
    const field = inputOf(blocks, "hostile");
    const [label, hint] = [textAt(field, "label", "text") ?? "", textAt(field, "hint", "text") ?? ""];
    expect(label).toMatch(/^hostile — /);
    expect(label.length).toBeLessThan(120);
    expect(hint.length).toBeLessThan(400);
    expect(label + hint).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const types = [at(field, "label"), at(field, "hint")].map((text) => [textAt(text, "type"), at(text, "emoji")]);
    expect(types).toEqual([
      ["plain_text", false],
      ["plain_text", false],
    ]);
  });

  it.each<[string, Record<string, string>, string]>([
    ["a number above its maximum", { amount: "501" }, "must be a whole number from 1 to 500"],
    ["a fraction of a whole number", { amount: "1.5" }, "must be a whole number"],
    ["an exclusive bound", { rate: "0" }, "must be a number above 0"],
    ["a text against its pattern", { reason: "broken" }, "that matches ^[A-Z]"],
    ["a text over its length", { code: "123456789" }, "8 characters or less"],
    ["a choice that is none", { odd: "x" }, "must be one of a\\u{202e}b, c"],
    ["curly quotes in a list", { to: "[“x”]" }, "curly quotes"],
    ["a nested value", { "customer.visits": "-1" }, "must be a whole number 0 or more"],
  ])("stays open on %s, with the mistake below its field [A5~]", async (_, typed, said) => {
    const { waiting, blocks } = await opened();
    const [path = ""] = Object.keys(typed);
    const body = await sent(typed);
    expect(body.response_action).toBe("errors");
    expect(Object.keys(body.errors ?? {})).toEqual([textAt(inputOf(blocks, path), "block_id")]);
    expect(Object.values(body.errors ?? {}).join()).toContain(said);
    expect((await waiting.now()).state).toBe("pending");
  });

  it("runs with exactly what was chosen and typed, nested too, and leaves the rest as it was [A3~]", async () => {
    const { waiting, ran } = await opened();
    const typed = {
      amount: "50",
      currency: "usd",
      level: "2",
      notify: "false",
      reason: "It’s “broken”",
      "customer.name": "Ada L.",
      "customer.visits": "8",
    };
    expect((await sent(typed)).response_action).toBe("update");
    expect((await waiting.answer).status).toBe("ran");
    const edited = {
      ...ARGS,
      amount: 50,
      currency: "usd",
      level: 2,
      notify: false,
      reason: "It’s “broken”",
      customer: { name: "Ada L.", visits: 8 },
    };
    expect(ran).toEqual([edited]);
  });

  it("an approval of before, without a description, is edited by its values", async () => {
    const [waiting, card] = await asked();
    expect(waiting.approval.form).toBeUndefined();
    await click(slack, clickOf(card, ACTIONS.edit, desk.account("ann"), await desk.trigger()));
    const { blocks } = openedForm(desk.front);
    expect(at(inputOf(blocks, "amount"), "element")).toMatchObject({ type: "plain_text_input", initial_value: "450" });
    expect((await sent({ amount: "50" })).response_action).toBe("update");
    await waiting.answer;
    expect(w.ran).toEqual([{ ...JSON.parse(waiting.approval.bytes), amount: 50 }]);
  });

  it("stays within the limits for any schema, and the checker would say if it did not", async () => {
    const wide = Array.from({ length: 100 }, (_, index) => `${index}`);
    const properties = {
      ...PROPERTIES,
      currency: { enum: wide.slice(0, 99) },
      level: { enum: [...wide.slice(0, 98), null] },
      code: { type: "string", maxLength: 100_000 },
      reason: { enum: ["x".repeat(76), " "] },
    };
    const args = { ...ARGS, currency: "7", reason: " ", amount: 500 };
    const { approval } = await described(properties).propose(args);
    const view = editForm(approval, "{}");
    const problems = (shown: unknown) =>
      limitProblems("/api/views.open", new URLSearchParams({ view: JSON.stringify(shown) }));
    expect(view).toBeDefined();
    expect(problems(view)).toEqual([]);
    const bad = (element: Json) => ({ blocks: [{ type: "input", label: { text: "x" }, element }] });
    const option = { text: { text: "x".repeat(76) }, value: "x" };
    for (const element of [
      { type: "number_input", is_decimal_allowed: true, initial_value: "5", max_value: "4" },
      { type: "number_input", is_decimal_allowed: true, min_value: "5", max_value: "4" },
      { type: "number_input", is_decimal_allowed: true, initial_value: "five" },
      { type: "static_select", options: [] },
      { type: "static_select", options: [option] },
      { type: "plain_text_input", max_length: 3_001 },
      { type: "plain_text_input", max_length: 3, initial_value: "four" },
      { type: "slider" },
    ])
      expect(problems(bad(element)), JSON.stringify(element)).not.toEqual([]);
  });
});

describe("the form elsewhere, from the tool's schema", () => {
  it("is menus and fields with their bounds on the page, and no markup of anybody else", async () => {
    const { approval } = await described().propose(ARGS);
    const page = questionPage(approval, { approval: approval.id, version: 1, nonce: "n" });
    expect(page).toContain("Refund; a whole number from 1 to 500; In whole euros");
    expect(page).toContain('<option value="eur" selected>eur</option><option value="usd">usd</option>');
    expect(page).not.toMatch(/<https|<!channel|\u202e|\u001b/);
  });

  it("is said with types and bounds where an issue explains how to edit", async () => {
    const { approval } = await described().propose(ARGS);
    const { description } = issueOf(approval, "n", undefined);
    expect(description).toContain("amount: a whole number from 1 to 500");
    expect(description).toContain("customer.visits: a whole number 0 or more");
    expect(description).not.toMatch(/\u202e|\u001b/);
  });
});
