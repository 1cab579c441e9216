/** The inbox when others, the clock, the network or the server come between: nothing runs that nobody agreed to, or twice. */
import { nodeClock } from "@saferun/store";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { launch, openPage, type Watched } from "./browser.ts";
import { type Dev, freePort, makePlace, type Place } from "./place.ts";

let place: Place;
let dev: Dev;
let port: number;
let browser: Browser;
let context: BrowserContext;
let watched: Watched;
let page: Page;

const ANA = { id: "slack:U-ana", via: "slack", verified: true, roles: ["approver"] } as const;

beforeAll(async () => {
  place = makePlace();
  // The page of an empty store would follow its first run.
  await place.call("orders.lookup", { order: "1" });
  port = await freePort();
  dev = await place.dev({ port });
  browser = await launch();
  context = await browser.newContext();
  watched = await openPage(context, dev.link);
  page = watched.page;
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await place?.close();
});
beforeEach(() => {
  place.ran.length = 0;
  watched.complaints.length = 0;
});
afterEach(() => {
  expect(watched.complaints).toEqual([]);
});

function card(id: string, on = page): Locator {
  return on.locator(`article[id="${id}"]`);
}

function press(name: string, at: Locator): Promise<void> {
  return at.getByRole("button", { name, exact: true }).click();
}

let orders = 0;
/** A call that waits, of an order that nobody has denied before. */
async function waiting() {
  const args = { order: `order-${++orders}`, amount: 450_000 };
  const answer = place.call("stripe.refund", args);
  return { answer, args, id: (await place.question("stripe.refund")).id };
}

describe("the inbox, when something comes between", () => {
  it("says so when the time is over, and offers no button any more", async () => {
    const answer = place.call("note.add", { text: "quick" });
    const { id } = await place.question("note.add");
    await card(id).getByRole("button", { name: "Approve" }).waitFor();
    await card(id).getByText("Nobody answered in time, so it is denied.").waitFor();
    expect(await card(id).getByRole("button", { name: "Approve" }).count()).toBe(0);
    await answer;
    expect(place.ran).toEqual([]);
  });

  it("shows at once what was decided in another channel, and by whom", async () => {
    const { answer, id } = await waiting();
    await card(id).getByRole("button", { name: "Approve" }).waitFor();
    await place.decide(id, "deny", ANA);
    await card(id).getByText("Denied by").waitFor();
    await card(id).getByText(ANA.id).waitFor();
    expect(await card(id).getByRole("button", { name: "Approve" }).count()).toBe(0);
    await answer;
    expect(place.ran).toEqual([]);
  });

  it("refuses an answer that comes too late, and says who was first", async () => {
    const { answer, id } = await waiting();
    await card(id).waitFor();
    const blind = await openPage(
      await browser.newContext({ storageState: await context.storageState() }),
      "about:blank",
    );
    // A page that hears nothing new: it still shows the question as it was.
    await blind.page.route("**/v1/events", (route) => route.abort());
    await blind.page.goto(dev.url);
    await card(id, blind.page).waitFor();
    await place.decide(id, "deny", ANA);
    await press("Approve", card(id, blind.page));
    await card(id, blind.page).getByRole("alert").getByText(`already decided by ${ANA.id} via slack: denied`).waitFor();
    await card(id, blind.page).getByText("Denied by").waitFor();
    await answer;
    expect(place.ran).toEqual([]);
    expect(blind.complaints).toEqual([]);
    await blind.page.context().close();
  });

  it("lets a call run once where two browsers approve it at the same moment", async () => {
    const { answer, args, id } = await waiting();
    const other = await openPage(await browser.newContext({ storageState: await context.storageState() }), dev.url);
    await Promise.all([card(id).waitFor(), card(id, other.page).waitFor()]);
    await Promise.all([press("Approve", card(id)), press("Approve", card(id, other.page))]);
    await answer;
    for (const on of [page, other.page]) await card(id, on).getByText("Approved by").waitFor();
    expect(place.ran).toEqual([{ tool: "stripe.refund", args }]);
    expect(other.complaints).toEqual([]);
    await other.page.context().close();
  });

  it("has the question again after a reload in the middle of an edit, and nothing of the edit has run", async () => {
    const { answer, args, id } = await waiting();
    await press("Edit", card(id));
    await card(id).getByLabel("Amount in cents").fill("1");
    await page.reload();
    await press("Edit", card(id));
    expect(await card(id).getByLabel("Amount in cents").inputValue()).toBe("450000");
    expect(place.ran).toEqual([]);
    await press("Approve", card(id));
    await answer;
    expect(place.ran).toEqual([{ tool: "stripe.refund", args }]);
  });

  it("says that nothing was changed while the network is away, and goes on when it is back", async () => {
    const { answer, args, id } = await waiting();
    await card(id).waitFor();
    await context.setOffline(true);
    await press("Approve", card(id));
    await card(id).getByRole("alert").getByText("look before you try again").waitFor();
    expect(place.ran).toEqual([]);
    await context.setOffline(false);
    await press("Approve", card(id));
    await answer;
    await card(id).getByText("Approved by").waitFor();
    expect(place.ran).toEqual([{ tool: "stripe.refund", args }]);
  });

  it("[R7~] loses and doubles nothing in three seconds without a network, and keeps what was typed", async () => {
    const first = await waiting();
    await press("Edit", card(first.id));
    await card(first.id).getByLabel("Amount in cents").fill("123");
    const resumed = page.waitForRequest(
      (request) => request.url().endsWith("/v1/events") && /^[1-9]/.test(request.headers()["last-event-id"] ?? ""),
    );
    await context.setOffline(true);
    await page.getByText("the gate is not heard").waitFor();
    const to = ["a", "b", "c", "d"].map((name) => `${name}@example.com`);
    const answer = place.call("mail.send", { to, subject: "meanwhile" });
    const second = await place.question("mail.send");
    await nodeClock.sleep(3_000);
    expect(await card(second.id).count()).toBe(0);
    await context.setOffline(false);
    await resumed;
    await card(second.id).waitFor();
    await page.getByText("live ·").waitFor();
    expect(await card(second.id).count()).toBe(1);
    expect(await card(first.id).count()).toBe(1);
    expect(await card(first.id).getByLabel("Amount in cents").inputValue()).toBe("123");
    await press("Approve as edited", card(first.id));
    await press("Deny", card(second.id));
    await Promise.all([first.answer, answer]);
    expect(place.ran).toEqual([{ tool: "stripe.refund", args: { ...first.args, amount: 123 } }]);
  });

  it("hears of what happened while its stream was cut", async () => {
    await context.route("**/v1/events", (route) => route.abort());
    await page.reload();
    await page.getByText("the gate is not heard").waitFor();
    const { answer, id } = await waiting();
    await context.unroute("**/v1/events");
    await card(id).waitFor();
    await press("Deny", card(id));
    await answer;
    expect(place.ran).toEqual([]);
  });

  it("goes on after the server was restarted, with a new link and the same question", async () => {
    const { answer, args, id } = await waiting();
    await card(id).waitFor();
    await dev.stop();
    await page.getByText("the gate is not heard").waitFor();
    dev = await place.dev({ port });
    await page.reload();
    await page.getByText("This browser is not signed in").first().waitFor();
    expect(place.ran).toEqual([]);
    await page.goto("about:blank");
    await page.goto(dev.link);
    await press("Approve", card(id));
    await answer;
    await card(id).getByText("Approved by").waitFor();
    expect(place.ran).toEqual([{ tool: "stripe.refund", args }]);
  });
});
