/** A person at the inbox of `saferun dev`: what they press is what the tool is called with, counted at the tool. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { launch, openPage, type Watched } from "./browser.ts";
import { type Dev, makePlace, type Place } from "./place.ts";

let place: Place;
let dev: Dev;
let browser: Browser;
let context: BrowserContext;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  place = makePlace();
  // The page of an empty store would follow its first run.
  await place.call("orders.lookup", { order: "1" });
  dev = await place.dev();
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

function card(id: string, on = page): Locator {
  return on.locator(`article[id="${id}"]`);
}

function press(name: string, at: Locator): Promise<void> {
  return at.getByRole("button", { name, exact: true }).click();
}

const REFUND = { order: "777", amount: 450_000, reason: "requested_by_customer" };

describe("the inbox", () => {
  it("[A9] approves a call, which then runs once with exactly what was shown", async () => {
    const answer = place.call("stripe.refund", REFUND);
    const { id } = await place.question("stripe.refund");
    await card(id).getByText("Refunds over $50 need a person.").waitFor();
    await card(id).getByText("$4,500.00 (450000)").waitFor();
    expect(place.ran).toEqual([]);
    await press("Approve", card(id));
    expect(await answer).toMatchObject({ done: true, amount: 450_000 });
    expect(place.ran).toEqual([{ tool: "stripe.refund", args: REFUND }]);
    await card(id).getByText("Approved by").waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it("[A3~] runs exactly the edited arguments, and shows the difference before", async () => {
    const answer = place.call("stripe.refund", REFUND);
    const { id } = await place.question("stripe.refund");
    await press("Edit", card(id));
    const amount = card(id).getByLabel("Amount in cents");
    await card(id).getByText("in cents: 450000 is $4,500.00").waitFor();
    // Money that is typed where cents are meant is not taken for it, and not for cents either.
    for (const typed of ["12.5", "$450", "450.00"]) {
      await amount.fill(typed);
      await card(id).locator("input[aria-invalid=true]").waitFor();
      await card(id)
        .getByText(typed === "12.5" ? "type 1250 for $12.50" : "type 45000 for $450.00")
        .waitFor();
    }
    expect(await card(id).locator("[data-act=approve]").isDisabled()).toBe(true);
    await amount.fill("2000000");
    await card(id).getByRole("alert").getByText("No refund over $10 000.").waitFor();
    expect(await card(id).locator("[data-act=approve]").isDisabled()).toBe(true);
    await amount.fill("20000");
    await card(id).getByText("in cents: 20000 is $200.00").waitFor();
    await card(id).getByText("before:").waitFor({ state: "attached" });
    await card(id).locator("dd", { hasText: "before:" }).getByText("$4,500.00").waitFor();
    await card(id).locator("dd", { hasText: "after:" }).getByText("$200.00").waitFor();
    await press("Approve as edited", card(id));
    await answer;
    expect(place.ran).toEqual([{ tool: "stripe.refund", args: { ...REFUND, amount: 20_000 } }]);
    await card(id).getByText("Approved as edited by").waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it("says how long a list is, and what a rule shows first once", async () => {
    const to = Array.from({ length: 500 }, (_, at) => `lead-${at + 1}@example.com`);
    const answer = place.call("mail.send", { to, subject: "Spring sale", body: "Everything must go." });
    const { id } = await place.question("mail.send");
    await card(id).getByText("to · 500 items").waitFor();
    await card(id).getByText("lead-20@example.com").waitFor();
    // The rest is one press away.
    await press("480 more", card(id));
    await card(id).getByText("lead-21@example.com").waitFor();
    expect(await card(id).getByText("Spring sale").count()).toBe(1);
    expect(await card(id).getByText("Everything must go.").count()).toBe(1);
    await press("Deny", card(id));
    await answer;
    expect(place.ran).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });

  it("says that the process which asked has ended, and what an approval is worth then", async () => {
    const file = fileURLToPath(new URL("asker-process.ts", import.meta.url));
    const asked = [join(place.cwd, "policies.yaml"), place.directory, "stripe.refund", JSON.stringify(REFUND)];
    execFileSync(process.execPath, ["--conditions=@saferun/source", file, ...asked], { timeout: 30_000 });
    const { id } = await place.question("stripe.refund");
    await card(id).getByText("an approval makes nothing run by itself").waitFor();
    await press("Approve", card(id));
    await card(id).getByText("Approved by").waitFor();
    expect(place.ran).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });

  it("denies with a note: the tool does not run, and the agent is told", async () => {
    const answer = place.call("stripe.refund", REFUND);
    const { id } = await place.question("stripe.refund");
    await press("Add a note", card(id));
    await card(id).getByLabel("Note").fill("the parcel did arrive");
    await press("Deny", card(id));
    expect(JSON.stringify(await answer)).toContain("the parcel did arrive");
    expect(place.ran).toEqual([]);
    await card(id).getByText("Denied by").waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it("[A10~] wants two people: one counts once, the second lets it run", async () => {
    const to = ["a@example.com", "b@example.com", "c@example.com", "d@example.com"];
    const answer = place.call("mail.send", { to, subject: "Big news", body: "Dear customer" });
    const { id } = await place.question("mail.send");
    await card(id).getByText("2 people").waitFor();
    await press("Approve", card(id));
    await card(id).getByText("You have agreed. One more person has to.").waitFor();
    expect(await card(id).locator("[data-act=approve]").isDisabled()).toBe(true);
    expect(place.ran).toEqual([]);
    const second = await place.dev({ user: "second-approver" });
    const other = await openPage(await browser.newContext(), second.link);
    await card(id, other.page).getByText("agreed").waitFor();
    expect(place.ran).toEqual([]);
    await press("Approve", card(id, other.page));
    await answer;
    expect(place.ran).toEqual([{ tool: "mail.send", args: { to, subject: "Big news", body: "Dear customer" } }]);
    await card(id).getByText("Approved by").waitFor();
    await card(id).getByText("local:second-approver").first().waitFor();
    await other.page.context().close();
    expect([...watched.complaints, ...other.complaints]).toEqual([]);
  }, 60_000);

  it("needs no mouse: a key leads to the button, and only Enter decides", async () => {
    // Another order: what a person has denied stays denied.
    const answer = place.call("stripe.refund", { ...REFUND, order: "778" });
    const { id } = await place.question("stripe.refund");
    await card(id).waitFor();
    await page.locator("body").click({ position: { x: 1, y: 1 } });
    await page.keyboard.press("j");
    for (let presses = 0; presses < 20; presses++) {
      if (await card(id).evaluate("element => element.parentElement.className.includes('ring-2')")) break;
      await page.keyboard.press("j");
    }
    await page.keyboard.press("d");
    await card(id).locator("[data-act=deny]:focus").waitFor();
    expect(place.ran).toEqual([]);
    await page.keyboard.press("Enter");
    await answer;
    await card(id).getByText("Denied by").waitFor();
    expect(place.ran).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });
});
