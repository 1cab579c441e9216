/** Each channel as the people there use it, for the tests that hold for all of them. */
import type { JsonObject } from "@saferun/core";
import { ACTIONS } from "../src/slack/card.ts";
import * as email from "./email-setup.ts";
import * as linear from "./linear-setup.ts";
import { clickOf, type Hostile, signedRequest, submissionOf } from "./slack-desk.ts";
import * as slack from "./slack-setup.ts";
import * as webhook from "./webhook-setup.ts";
import type { Waiting, World } from "./world.ts";

export type Answering =
  | { readonly verdict: "approve" | "deny" }
  | { readonly amount: number }
  /** Typed where JSON belongs. */
  | { readonly typed: string };

export type Who = "ann" | "bob" | "eve";

/** A question on a channel, as the people there can deal with it. */
export interface Asked {
  readonly waiting: Waiting;
  /** What people see of the question. */
  shown(): Promise<string>;
  /** One person's answer, by default ann's; false where the channel offers none. */
  answer(what: Answering, who?: Who): Promise<boolean>;
  /** The last answer's request, exactly as it was sent. */
  replay(): Promise<void>;
  /** An approval that only looks like one of the vendor's, or comes from another time; its status. */
  forge(how: { readonly secret?: string; readonly shiftMs?: number }): Promise<number>;
  /** What people see in the end. */
  outcome(): Promise<string>;
}

export type Unwell = "500 after posting" | "429" | "down";

export interface Driver {
  readonly name: string;
  /** How many requests the vendor saw that put a question. */
  questions(): number;
  world(): World;
  /** Puts a call that waits; not yet answered by the vendor while that is down. */
  tell(waiting: Waiting): Promise<unknown>;
  ask(args?: JsonObject): Promise<Asked>;
  /** What was told, as somebody finds it at the vendor. */
  find(waiting: Waiting): Promise<Asked>;
  /** Once, or as long as it is down; the return makes it well again. */
  unwell(how: Unwell): () => void;
  /** A body above what is read; its status. */
  oversized(): Promise<number>;
}

export const ARGS = { amount: 450, to: "ada@example.com" };
const LARGE = "x".repeat(1_100_000);

function edited(what: Answering): string {
  if ("typed" in what) return what.typed;
  return JSON.stringify({ ...ARGS, ...("amount" in what ? { amount: what.amount } : {}) });
}

const slackDriver: Driver = {
  name: "slack",
  world: () => slack.w,
  questions: () => slack.desk.front.passed.filter(({ path }) => path.endsWith("/chat.postMessage")).length,
  tell: (waiting) => slack.slack.notify("#ops-approvals", waiting),
  async ask(args = ARGS) {
    const waiting = await slack.w.propose(args);
    await this.tell(waiting);
    return this.find(waiting);
  },
  async find(waiting) {
    const card = (await slack.desk.cards()).findLast(({ json }) => json.includes(waiting.approval.id));
    if (card === undefined) throw new Error("no card");
    const ann = slack.desk.account("ann");
    let last: Request | undefined;
    const offers = (action: string) => card.json.includes(`"${action}"`);
    const send = async (payload: Parameters<typeof signedRequest>[0]) => {
      const request = signedRequest(payload);
      last = request.clone();
      await slack.slack.handle(request);
      return true;
    };
    return {
      waiting,
      async answer(what, who = "ann") {
        const account = slack.desk.account(who);
        if ("verdict" in what) {
          const action = ACTIONS[what.verdict];
          return offers(action) && send(clickOf(card, action, account));
        }
        if (!offers(ACTIONS.edit)) return false;
        await send(clickOf(card, ACTIONS.edit, account, await slack.desk.trigger()));
        const amount = "typed" in what ? what.typed : String(what.amount);
        return send(submissionOf(slack.desk.front, account, { amount }));
      },
      shown: async () => card.json,
      replay: async () => void (last && (await slack.slack.handle(last.clone()))),
      forge: async (how: Hostile) =>
        (await slack.slack.handle(signedRequest(clickOf(card, ACTIONS.approve, ann), how))).status,
      outcome: async () => (await slack.closed(card)).json,
    };
  },
  unwell: (how) => faultIn(slack.desk.front.faults, how, ({ path }) => path.endsWith("/chat.postMessage")),
  oversized: async () =>
    (await slack.slack.handle(new Request("http://127.0.0.1/", { method: "POST", body: `payload=${LARGE}` }))).status,
};

const linearDriver: Driver = {
  name: "linear",
  world: () => linear.w,
  questions: () => linear.front.passed.filter(({ body }) => body.includes("issueCreate")).length,
  tell: (waiting) => linear.linear.notify("OPS", waiting),
  async ask(args = ARGS) {
    const waiting = await linear.w.propose(args);
    await this.tell(waiting);
    return this.find(waiting);
  },
  async find(waiting) {
    const issue = await linear.issueAbout(waiting.approval.id);
    return {
      waiting,
      async answer(what, who = "ann") {
        const block = `/approve\n\`\`\`json\n${edited(what)}\n\`\`\``;
        await linear.comment(who, issue, "verdict" in what ? `/${what.verdict}` : block);
        return true;
      },
      shown: async () => (await linear.issueNow(issue)).description,
      replay: async () => void (await linear.linear.handle(linear.signed(linear.delivered[0]?.body ?? ""))),
      async forge({ secret, shiftMs = 0 }) {
        linear.lose();
        await linear.comment("ann", issue, "/approve");
        linear.lose(false);
        const event = JSON.parse(linear.delivered.at(-1)?.body ?? "{}") as object;
        linear.delivered.pop();
        const body = JSON.stringify({ ...event, webhookTimestamp: Date.now() + shiftMs });
        return (await linear.linear.handle(linear.signed(body, secret))).status;
      },
      outcome: () => linear.said(issue, "**Outcome**"),
    };
  },
  unwell: (how) => faultIn(linear.front.faults, how, ({ body }) => body.includes("issueCreate")),
  oversized: async () => (await linear.linear.handle(linear.signed(LARGE))).status,
};

const webhookDriver: Driver = {
  name: "webhook",
  world: () => webhook.w,
  questions: () => webhook.receiver.got.filter(({ text }) => text.includes("approval.requested")).length,
  tell: (waiting) => webhook.webhook.notify(webhook.receiver.url, waiting),
  async ask(args = ARGS) {
    const waiting = await webhook.w.propose(args);
    await this.tell(waiting);
    return this.find(waiting);
  },
  async find(waiting) {
    const got = webhook.receiver.got.findLast(({ text }) => text.includes(waiting.approval.id));
    const { data } = JSON.parse(got?.text ?? "{}") as { data: JsonObject };
    let last: Request | undefined;
    const accounts = { ann: "42", bob: "43", eve: "44" };
    return {
      waiting,
      async answer(what, who = "ann") {
        const account = accounts[who];
        const more = "verdict" in what ? { verdict: what.verdict } : { verdict: "approve" };
        const args = "verdict" in what || "typed" in what ? {} : { arguments: JSON.parse(edited(what)) };
        const body = { ...webhook.answerTo(data, { ...more, ...args }), account };
        const request = "typed" in what ? webhook.requestOf(what.typed) : webhook.request(body);
        last = request.clone();
        await webhook.webhook.handle(request);
        return true;
      },
      shown: async () => got?.text ?? "",
      replay: async () => void (last && (await webhook.webhook.handle(last.clone()))),
      forge: async ({ secret, shiftMs }) => {
        const how = { ...(secret === undefined ? {} : { secret: webhook.SECRET }), ...(shiftMs ? { shiftMs } : {}) };
        return (await webhook.say(webhook.answerTo(data, { verdict: "approve" }), how)).status;
      },
      outcome: async () => (await webhook.closing()).text,
    };
  },
  unwell(how) {
    if (how === "500 after posting") webhook.receiver.answers.push({ status: 500 });
    if (how === "429") webhook.receiver.answers.push({ status: 429, headers: { "retry-after": "1" } });
    if (how === "down") webhook.receiver.answers.push(...Array.from({ length: 1_000 }, () => ({ status: 503 })));
    return () => void webhook.receiver.answers.splice(0);
  },
  oversized: async () => (await webhook.webhook.handle(webhook.requestOf(LARGE))).status,
};

const emailDriver: Driver = {
  name: "email",
  world: () => email.w,
  questions: () => email.attempts(),
  tell: (waiting) => email.email.notify("finance@example.com", waiting),
  async ask(args = ARGS) {
    const waiting = await email.w.propose(args);
    await this.tell(waiting);
    return this.find(waiting);
  },
  async find(waiting) {
    const link = email.linkAbout(waiting.approval.id);
    const accounts = { ann: "7", bob: "8", eve: "9" };
    let last: Record<string, string> = {};
    return {
      waiting,
      async answer(what, who = "ann") {
        const amount = "typed" in what ? what.typed : "amount" in what ? String(what.amount) : undefined;
        const verdict = "verdict" in what ? what.verdict : "approve";
        last = { verdict, ...(amount === undefined ? {} : { "field.0": amount }) };
        await email.send(link, accounts[who], last);
        return true;
      },
      shown: async () => (await email.look(link, "7")).text(),
      replay: async () => void (await email.send(link, "7", last)),
      forge: async () =>
        (await email.send(link, "7", { verdict: "approve" }, { origin: "https://evil.example" })).status,
      outcome: () => email.outcome(),
    };
  },
  unwell(how) {
    const refusal = (responseCode: number) => Object.assign(new Error("unwell"), { responseCode });
    if (how === "500 after posting") email.keepNext();
    email.refusals.push(...Array.from({ length: how === "down" ? 1_000 : 1 }, () => refusal(451)));
    return () => void email.refusals.splice(0);
  },
  oversized: async () => (await email.send("https://ops.example.com/approve", "7", { note: LARGE })).status,
};

export const drivers: readonly Driver[] = [slackDriver, webhookDriver, linearDriver, emailDriver];

/** Registers the set-up of a file. */
export function useAll(): void {
  slack.useSlack();
  webhook.useWebhook();
  linear.useLinear();
  email.useEmail();
}

type Faults = typeof slack.desk.front.faults;
type Passing = Parameters<Faults[number]>[0];

function faultIn(faults: Faults, how: Unwell, isQuestion: (passed: Passing) => boolean): () => void {
  let left = how === "down" ? Number.POSITIVE_INFINITY : 1;
  const answers = {
    "500 after posting": async (answer: () => Promise<Response>) => {
      await answer();
      return new Response("oops", { status: 500 });
    },
    "429": async () => new Response("slow down", { status: 429, headers: { "retry-after": "1" } }),
    down: async () => new Response("no", { status: 503 }),
  };
  faults.push((passed, answer) => (isQuestion(passed) && left-- > 0 ? answers[how](answer) : undefined));
  return () => {
    left = 0;
  };
}
