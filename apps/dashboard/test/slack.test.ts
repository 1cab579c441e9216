/** A question that is open in the dashboard and in Slack at once: whoever answers first decides, and the other sees it. */
import { slack } from "@saferun/channels";
import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { ACTIONS } from "../../../packages/channels/src/slack/card.ts";
import {
  buttonsOf,
  type Card,
  CHANNEL,
  click,
  clickOf,
  openSlackDesk,
  SECRET,
  type SlackDesk,
  TOKEN,
} from "../../../packages/channels/test/slack-desk.ts";
import { eventually } from "../../../packages/channels/test/world.ts";
import { launch, openPage, type Watched } from "./browser.ts";
import { makePlace, type Place } from "./place.ts";

let desk: SlackDesk;
let variables: Readonly<Record<string, string>> = {};
let place: Place;
let browser: Browser;
let watched: Watched;

beforeAll(async () => {
  desk = await openSlackDesk();
  variables = {
    SLACK_BOT_TOKEN: TOKEN,
    SLACK_SIGNING_SECRET: SECRET,
    SLACK_API_URL: desk.apiUrl,
    SAFERUN_SLACK_APPROVERS: `${desk.account("ann")}=ann:approver`,
  };
  Object.assign(process.env, variables);
  place = makePlace(undefined, { onPause: (approval) => slack.notify(CHANNEL, approval) });
  // The page of an empty store would follow its first run.
  await place.call("orders.lookup", { order: "1" });
  const dev = await place.dev();
  browser = await launch();
  watched = await openPage(await browser.newContext(), dev.link);
});
afterAll(async () => {
  await browser?.close();
  await slack.close();
  await place?.close();
  await desk?.close();
  for (const name of Object.keys(variables)) delete process.env[name];
});
beforeEach(() => {
  place.ran.length = 0;
});

/** The question in both places. */
async function asked(order: string): Promise<{ answer: Promise<unknown>; inbox: Locator; card: () => Promise<Card> }> {
  const before = (await desk.cards()).length;
  const answer = place.call("stripe.refund", { order, amount: 450_000 });
  const { id } = await place.question("stripe.refund");
  const inbox = watched.page.locator(`article[id="${id}"]`);
  await inbox.getByRole("button", { name: "Approve" }).waitFor();
  const card = () => eventually(async () => (await desk.cards())[before]);
  return { answer, inbox, card };
}

it("[A5~] is closed in the dashboard as soon as it is approved in Slack, and the call runs once", async () => {
  const { answer, inbox, card } = await asked("order-1");
  await click(slack, clickOf(await card(), ACTIONS.approve, desk.account("ann")));
  await inbox.getByText("Approved by ann in slack").waitFor();
  expect(await inbox.getByRole("button", { name: "Approve" }).count()).toBe(0);
  await answer;
  expect(place.ran).toEqual([{ tool: "stripe.refund", args: { order: "order-1", amount: 450_000 } }]);
  expect(watched.complaints).toEqual([]);
});

it("[A5~] is closed in Slack as soon as it is denied in the dashboard, and a late click there runs nothing", async () => {
  const { answer, inbox, card } = await asked("order-2");
  const open = await card();
  await inbox.getByRole("button", { name: "Deny" }).click();
  await inbox.getByText("Denied by").waitFor();
  await answer;
  await eventually(async () => (buttonsOf(await card()).length === 0 ? true : undefined));
  await click(slack, clickOf(open, ACTIONS.approve, desk.account("ann")));
  expect(place.ran).toEqual([]);
  expect(watched.complaints).toEqual([]);
});
