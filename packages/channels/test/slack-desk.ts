/** Slack as far as a test needs it: the emulator driven by Slack's own client, and clicks signed as Slack signs them. */
import type { Json } from "@saferun/core";
import { WebClient } from "@slack/web-api";
import { createEmulator } from "emulate";
import type { SlackMessage } from "../src/slack/interaction.ts";
import { slackSignature } from "../src/slack/signature.ts";
import type { SlackChannel } from "../src/slack/slack.ts";
import { type Front, openFront } from "./front.ts";
import { limitProblems } from "./slack-limits.ts";

export const SECRET = "slack-signing-secret-of-a-test";
export const TOKEN = "xoxb-saferun-test";
export const CHANNEL = "#ops-approvals";

export interface SlackDesk {
  readonly front: Front;
  readonly apiUrl: string;
  /** Slack's client on the emulator itself. */
  readonly client: WebClient;
  /** Name → account id. */
  readonly accounts: ReadonlyMap<string, string>;
  account(name: string): string;
  /** All cards in the channel, oldest first. */
  cards(): Promise<readonly Card[]>;
  /** Texts that only this account was shown. */
  whispers(): readonly { readonly user: string; readonly text: string }[];
  /** Slack's answers to users.info get this instead of what the emulator knows. */
  readonly profiles: Map<string, Record<string, Json>>;
  trigger(): Promise<string>;
  close(): Promise<void>;
}

export interface Card extends SlackMessage {
  readonly text: string;
  readonly blocks: readonly Block[];
  /** All of it as one text. */
  readonly json: string;
}

export interface Block {
  readonly type: string;
  readonly elements?: readonly { readonly action_id?: string; readonly value?: string; readonly url?: string }[];
}

export async function openSlackDesk(): Promise<SlackDesk> {
  const names = ["bot", "ann", "bob", "eve"];
  const emulator = await createEmulator({
    service: "slack",
    port: 0,
    seed: {
      slack: {
        users: names.map((name) => ({ name })),
        channels: [{ name: "ops-approvals" }],
        tokens: [
          { token: TOKEN, user: "bot", scopes: ["chat:write", "users:read", "channels:history", "channels:read"] },
        ],
      },
    },
  });
  const front = await openFront(emulator.url);
  const client = new WebClient(TOKEN, { slackApiUrl: `${emulator.url}/api/`, retryConfig: { retries: 0 } });
  const { members = [] } = await client.users.list({});
  const accounts = new Map(members.map(({ name = "", id = "" }) => [name, id]));
  const { channels = [] } = await client.conversations.list({});
  const channel = channels.find(({ name }) => name === "ops-approvals")?.id ?? "";
  const profiles = new Map<string, Record<string, Json>>();
  const account = (name: string): string => {
    const id = accounts.get(name);
    if (id === undefined) throw new Error(`no account for ${name}`);
    return id;
  };
  front.faults.push((passed, answer) => {
    const problems = limitProblems(passed.path, new URLSearchParams(passed.body));
    if (problems.length > 0) {
      return Promise.resolve(Response.json({ ok: false, error: `invalid_blocks: ${problems.join("; ")}` }));
    }
    if (!passed.path.endsWith("/users.info")) return undefined;
    const more = profiles.get(new URLSearchParams(passed.body).get("user") ?? "");
    if (more === undefined) return undefined;
    return answer().then(async (response) => {
      const body = (await response.json()) as { user: object };
      return Response.json({ ...body, user: { ...body.user, ...more } });
    });
  });
  return {
    front,
    apiUrl: `${front.url}/api/`,
    client,
    accounts,
    account,
    profiles,
    async cards() {
      const { messages = [] } = await client.conversations.history({ channel, limit: 200 });
      return messages
        .map((message) => {
          const blocks = (message.blocks ?? []) as readonly Block[];
          return { channel, ts: message.ts ?? "", text: message.text ?? "", blocks, json: JSON.stringify(message) };
        })
        .toReversed();
    },
    whispers: () =>
      front.passed
        .filter(({ path }) => path.endsWith("/chat.postEphemeral"))
        .map(({ body }) => new URLSearchParams(body))
        .map((form) => ({ user: form.get("user") ?? "", text: form.get("text") ?? "" })),
    async trigger() {
      const answer = await client.apiCall("views.generateTriggerId", {});
      return String(Reflect.get(answer, "trigger_id"));
    },
    async close() {
      await front.close();
      await emulator.close();
    },
  };
}

export interface Hostile {
  readonly secret?: string;
  /** How far from now the request says it is. */
  readonly shiftMs?: number;
}

/** A request as Slack sends it: a form with one field, signed over its raw bytes. */
export function signedRequest(payload: Json, { secret = SECRET, shiftMs = 0 }: Hostile = {}): Request {
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = String(Math.floor((Date.now() + shiftMs) / 1_000));
  return new Request("http://127.0.0.1/slack", {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "x-slack-request-timestamp": timestamp,
      "x-slack-signature": slackSignature(timestamp, Buffer.from(body), secret),
    },
    body,
  });
}

/** The button of a card, as somebody clicks it. */
export function clickOf(card: Card, action: string, account: string, trigger = "none"): Json {
  const button = card.blocks.flatMap(({ elements = [] }) => elements).find(({ action_id }) => action_id === action);
  if (button === undefined) throw new Error(`no button ${action} on the card: ${card.json}`);
  return {
    type: "block_actions",
    trigger_id: trigger,
    user: { id: account, name: "Gate Approver", username: "admin" },
    container: { type: "message", channel_id: card.channel, message_ts: card.ts },
    actions: [{ type: "button", action_id: action, value: button.value ?? "" }],
  };
}

export function buttonsOf(card: Card): readonly string[] {
  return card.blocks.flatMap(({ elements = [] }) => elements).flatMap(({ action_id }) => action_id ?? []);
}

export async function click(slack: SlackChannel, payload: Json, hostile?: Hostile): Promise<Response> {
  return slack.handle(signedRequest(payload, hostile));
}

/** The form that was opened last. */
export function openedForm(front: Front): { blocks: readonly Json[] } {
  const opened = front.passed.findLast(({ path }) => path.endsWith("/views.open"));
  return JSON.parse(new URLSearchParams(opened?.body ?? "").get("view") ?? "null") as { blocks: readonly Json[] };
}

/** The form that was opened last, as Slack would send it back with these texts typed into its fields. */
export function submissionOf(front: Front, account: string, typed: Readonly<Record<string, TypedIn>>): Json {
  const opened = front.passed.findLast(({ path }) => path.endsWith("/views.open"));
  const view = JSON.parse(new URLSearchParams(opened?.body ?? "").get("view") ?? "null") as {
    callback_id: string;
    private_metadata: string;
    blocks: {
      type: string;
      block_id: string;
      label: { text: string };
      element: SubmittedElement;
    }[];
  } | null;
  if (view === null) throw new Error("no form was opened");
  const inputs = view.blocks.filter(({ type }) => type === "input");
  const pathOf = (label: { text: string }) => label.text.split(" — ")[0] ?? "";
  for (const path of Object.keys(typed)) {
    if (!inputs.some(({ label }) => pathOf(label) === path)) throw new Error(`the form has no field ${path}`);
  }
  const values = Object.fromEntries(
    inputs.map(({ block_id, label, element }) => [
      block_id,
      { [element.action_id]: approvalState(element, typed[pathOf(label)]) },
    ]),
  );
  const { callback_id, private_metadata } = view;
  return {
    type: "view_submission",
    user: { id: account },
    view: { id: "V1", callback_id, private_metadata, state: { values } },
  };
}

/** Of a menu that takes several the texts that are chosen in the end. */
export type TypedIn = string | readonly string[];

interface SubmittedElement {
  readonly type: string;
  readonly action_id: string;
  readonly initial_value?: string;
  readonly initial_option?: SubmittedOption;
  readonly initial_options?: readonly SubmittedOption[];
  readonly options?: readonly SubmittedOption[];
}

interface SubmittedOption {
  readonly text: { readonly text: string };
  readonly value: string;
}

/** As Slack sends it: of a menu the option that was chosen, of a field what stands in it. */
function approvalState(
  { type, options = [], initial_option, initial_options = [], initial_value }: SubmittedElement,
  typed: TypedIn | undefined,
): Json {
  const optionOf = (chosen: string): SubmittedOption => {
    const option = options.find(({ text }) => text.text === chosen);
    if (option === undefined) throw new Error(`the menu has no choice ${chosen}`);
    return option;
  };
  if (type === "multi_static_select") {
    const chosen = typed === undefined ? initial_options : [typed].flat().map(optionOf);
    return { type, selected_options: chosen.map(({ value }) => ({ value })) };
  }
  if (typed !== undefined && typeof typed !== "string") throw new Error(`${type} takes one`);
  if (type !== "static_select") return { type, value: typed ?? initial_value ?? null };
  const chosen = typed === undefined ? initial_option : optionOf(typed);
  return { type, selected_option: chosen === undefined ? null : { value: chosen.value } };
}
