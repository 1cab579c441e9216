/** What every test of the Slack channel starts from: an emulated Slack, a gate, and a channel between them. */
import type { JsonObject } from "@saferun/core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { createSlack, type SlackChannel, type SlackOptions } from "../src/slack/slack.ts";
import { buttonsOf, type Card, CHANNEL, openSlackDesk, SECRET, type SlackDesk, TOKEN } from "./slack-desk.ts";
import { eventually, type Waiting, type World, world } from "./world.ts";

export let desk: SlackDesk;
export let w: World;
export let slack: SlackChannel;
export let errors: unknown[];
let heard = 0;

/** Registers the set-up of a file. */
export function useSlack(): void {
  beforeAll(async () => {
    desk = await openSlackDesk();
  });
  afterAll(() => desk.close());
  beforeEach(() => {
    w = world();
    errors = [];
    heard = desk.whispers().length;
    slack = channel();
  });
  afterEach(async () => {
    await slack.close();
    desk.front.faults.splice(1);
    desk.profiles.clear();
  });
}

/** Another channel in place of the one that a test starts with. */
export async function setUp(options: Partial<SlackOptions>): Promise<void> {
  await slack.close();
  slack = channel(options);
}

export function channel(options: Partial<SlackOptions> = {}): SlackChannel {
  return createSlack({
    token: TOKEN,
    signingSecret: SECRET,
    apiUrl: desk.apiUrl,
    approvers: { [desk.account("ann")]: { principal: "ann" }, [desk.account("bob")]: { principal: "bob" } },
    onError: (error) => errors.push(error),
    ...options,
  });
}

/** A call that waits, with its card. */
export async function asked(
  args: JsonObject = { amount: 450, to: "ada@example.com" },
  tool?: string,
): Promise<[Waiting, Card]> {
  const waiting = await w.propose(args, tool === undefined ? {} : { tool });
  const [message] = await slack.notify(CHANNEL, waiting);
  return [waiting, await cardAt(message?.ts)];
}

export async function cardAt(ts: string | undefined): Promise<Card> {
  const card = (await desk.cards()).find((one) => one.ts === ts);
  if (card === undefined) throw new Error("no card");
  return card;
}

/** The card once it has no buttons any more. */
export function closed({ ts }: Card): Promise<Card> {
  return eventually(async () => {
    const card = await cardAt(ts);
    return buttonsOf(card).length === 0 ? card : undefined;
  });
}

/** What the next person is told, in order, and nobody else sees. */
export async function nextWhisper(): Promise<string> {
  const { text } = await eventually(() => desk.whispers()[heard]);
  heard++;
  return text;
}

export async function failing(status: number): Promise<Response> {
  return new Response("no", { status });
}
