/** A list of thousands of runs in the browser: what is in sight is in the page, everything is reached, and nothing moves. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launch, openPage, type Watched } from "./browser.ts";
import { recordShortRuns } from "./long.ts";
import { type Dev, makePlace, type Place } from "./place.ts";

const RUNS = 5_000;
/** Every hundredth is refused. */
const DENIED = 100;

let place: Place;
let dev: Dev;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  place = makePlace();
  await recordShortRuns(place.directory, RUNS, DENIED);
  dev = await place.dev();
  browser = await launch();
  watched = await openPage(await browser.newContext({ viewport: { width: 1280, height: 860 } }), dev.link);
  page = watched.page;
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await place?.close();
}, 60_000);
afterEach(() => {
  expect(watched.complaints.splice(0)).toEqual([]);
});

const list = () => page.getByRole("list", { name: "Runs" });
const row = (at: number) => list().locator(`li[aria-posinset="${at}"]`);
const focused = () => page.evaluate<string>("document.activeElement?.closest('li')?.ariaPosInSet ?? ''");

async function open(search = ""): Promise<void> {
  await page.goto(`${dev.url}/runs${search}`);
  await row(1).getByRole("link").waitFor();
}

describe(`a list of ${RUNS} runs`, () => {
  it("has those in sight in the page, and is reached to its end by keys", async () => {
    await open();
    expect(await row(1).getAttribute("aria-setsize")).toBe(String(RUNS));
    expect(await list().getByRole("listitem").count()).toBeLessThan(60);
    await page.keyboard.press("End");
    await row(RUNS).getByRole("link").and(page.locator(":focus")).waitFor();
    expect(await list().getByRole("listitem").count()).toBeLessThan(60);
    await page.keyboard.press("k");
    await row(RUNS - 1)
      .getByRole("link")
      .and(page.locator(":focus"))
      .waitFor();
    await page.keyboard.press("Home");
    await row(1).getByRole("link").and(page.locator(":focus")).waitFor();
    for (let at = 2; at <= 60; at++) {
      await page.keyboard.press("j");
      await row(at).getByRole("link").and(page.locator(":focus")).waitFor();
    }
    // Rows that had the focus do not stay.
    expect(await list().getByRole("listitem").count()).toBeLessThan(60);
  });

  it("asks for what a hand stops at, not for everything on the way", async () => {
    await open();
    const asked: string[] = [];
    page.on("request", (request) => {
      if (request.url().includes("/v1/runs?")) asked.push(request.url());
    });
    for (let at = 1; at <= 60; at++) await page.evaluate(`scrollTo(0, document.body.scrollHeight * ${at} / 60)`);
    await row(RUNS).getByRole("link").waitFor();
    page.removeAllListeners("request");
    expect(asked.length).toBeLessThan(30);
  });

  it("stands where it stood when one comes back from a run, with the focus on it", async () => {
    await open();
    await page.evaluate("scrollTo(0, 90000)");
    const link = page.locator("li a[href^='/runs/run_']");
    await link.first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.locator("li a:focus").waitFor();
    const [at, top, id] = [await focused(), await page.evaluate<number>("scrollY"), await focusedRun()];
    expect(Number(at)).toBeGreaterThan(1_000);
    await page.keyboard.press("Enter");
    await page.getByRole("slider", { name: "Step" }).waitFor();
    expect(await page.evaluate<number>("scrollY")).toBe(0);
    await page.goBack();
    await row(Number(at)).getByRole("link").and(page.locator(":focus")).waitFor();
    expect(await focusedRun()).toBe(id);
    expect(Math.abs((await page.evaluate<number>("scrollY")) - top)).toBeLessThan(5);
  });

  it("says how many are new to somebody who reads further down, and moves nothing", async () => {
    await open();
    await page.evaluate("scrollTo(0, 3000)");
    const seen = row(48).getByRole("link");
    await seen.waitFor();
    const href = await seen.getAttribute("href");
    const line = page.locator(`a[href="${href}"]`);
    const before = await line.boundingBox();
    await recordShortRuns(place.directory, 3, DENIED);
    const newer = page.getByRole("button", { name: "3 new runs" });
    await newer.waitFor();
    expect(await line.boundingBox()).toEqual(before);
    await newer.click();
    await list()
      .locator(`li[aria-posinset="1"][aria-setsize="${RUNS + 3}"] a`)
      .waitFor();
    await newer.waitFor({ state: "detached" });
    // At the top the list follows.
    const first = await row(1).getByRole("link").getAttribute("href");
    await recordShortRuns(place.directory, 1, DENIED);
    await row(2).locator(`a[href="${first}"]`).waitFor();
  });
});

async function focusedRun(): Promise<string> {
  return page.evaluate<string>("document.activeElement?.getAttribute('href') ?? ''");
}

describe("a filter", () => {
  it("is applied where the runs are: its pages are whole, its numbers those of all, and it stands in the address", async () => {
    await open();
    const chips = page.getByRole("navigation", { name: "What happened" });
    const denied = chips.getByRole("link", { name: `Denied ${RUNS / DENIED}` });
    await denied.click();
    await page.waitForURL(/happened=denied/);
    await page.getByText(`${RUNS / DENIED} runs like that`).waitFor();
    expect(await row(1).getAttribute("aria-setsize")).toBe(String(RUNS / DENIED));
    await page.keyboard.press("End");
    await row(RUNS / DENIED)
      .getByText("night-bot")
      .waitFor();
    await row(RUNS / DENIED)
      .getByText("stripe.refund")
      .waitFor();
    await page.getByLabel("Tool").selectOption("orders.lookup");
    await page.waitForURL(/tool=orders\.lookup/);
    // Both together are never true, and the page says which one to lift.
    await page.getByText("No run is like that").waitFor();
    await page.getByRole("link", { name: `Lift tool orders.lookup ${RUNS / DENIED} runs` }).waitFor();
    await page.getByRole("link", { name: /^Lift denied 4,9\d\d runs$/ }).click();
    await row(1).getByText("orders.lookup").waitFor();
    await page.reload();
    await row(1).getByText("orders.lookup").waitFor();
    expect(await page.getByLabel("Tool").inputValue()).toBe("orders.lookup");
    expect(Number(await row(1).getAttribute("aria-setsize"))).toBeGreaterThan(RUNS - RUNS / DENIED - 1);
  });

  it("by agent, environment and whom it was for", async () => {
    await open("?principal=customer-4&agent=night-bot&environment=prod");
    expect(await row(1).getAttribute("aria-setsize")).toBe(String(RUNS / DENIED));
    await row(1).getByText("customer-4").waitFor();
    await page.getByLabel("For").selectOption("customer-3");
    await page.getByText("No run is like that").waitFor();
    await page.getByLabel("Agent").selectOption({ label: "every agent" });
    await row(1).getByText("customer-3").waitFor();
    expect(await row(1).getAttribute("aria-setsize")).toBe(String(RUNS / 5));
  });
});
