/**
 * What is large stays quick. Times are measured by the benchmark; what makes them is counted here: bytes that are sent,
 * requests, rows in the page.
 */
import { gzipSync } from "node:zlib";
import type { Browser, Locator, Page, Request } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launch, openPage, type Watched } from "./browser.ts";
import { ask, recordRuns } from "./long.ts";
import { type Dev, makePlace, type Place } from "./place.ts";

const STEPS = 2_000;
const QUESTIONS = 300;

let place: Place;
let dev: Dev;
let browser: Browser;
let watched: Watched;
let page: Page;
let runs: readonly string[];
let asked: { end(): Promise<void> };

beforeAll(async () => {
  place = makePlace();
  runs = await recordRuns(place.directory, STEPS, [0, 7]);
  asked = await ask(place.directory, QUESTIONS);
  dev = await place.dev();
  browser = await launch();
  watched = await openPage(await browser.newContext({ viewport: { width: 1280, height: 860 } }), dev.link);
  page = watched.page;
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await asked?.end();
  await place?.close();
}, 60_000);
afterEach(() => {
  expect(watched.complaints.splice(0)).toEqual([]);
});

/** Rows are measured as they come into sight, and the end moves away from who scrolls to it: as often as it takes. */
async function scrollToEnd(last: Locator): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    await page.evaluate("scrollTo(0, document.body.scrollHeight)");
    const seen = await last.waitFor({ timeout: 250 }).then(
      () => true,
      () => false,
    );
    if (seen) return;
  }
  await last.waitFor();
}

/** Requests of the API while something is done, by their paths. */
async function requested(work: () => Promise<void>): Promise<readonly string[]> {
  const paths: string[] = [];
  const note = (request: Request) => paths.push(new URL(request.url()).pathname);
  page.on("request", note);
  await work();
  page.off("request", note);
  return paths.filter((path) => path.startsWith("/v1/"));
}

const steps = () => page.getByRole("region", { name: "Steps" }).getByRole("listitem");
const detail = (number: number) => page.getByRole("region", { name: `Step ${number}`, exact: true });

describe("the first view", () => {
  it("[G9~] is at most 200 kB gzipped", async () => {
    const bodies: Promise<number>[] = [];
    const context = await browser.newContext({ storageState: await page.context().storageState() });
    const fresh = await openPage(context, "about:blank");
    fresh.page.on("response", (response) => {
      // What the pages are made of; what they show is as much as there is.
      if (!response.url().includes("/v1/")) bodies.push(response.body().then((body) => gzipSync(body).length));
    });
    await fresh.page.goto(dev.url);
    await fresh.page.getByRole("article").first().waitFor();
    const sizes = await Promise.all(bodies);
    await context.close();
    expect(fresh.complaints).toEqual([]);
    expect(sizes.length).toBeGreaterThan(5);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(200_000);
  });
});

describe(`a run of ${STEPS} steps`, () => {
  it("opens with its outline and what one step holds", async () => {
    const [first = ""] = runs;
    let bytes = 0;
    const measure = page.waitForResponse((response) => response.url().endsWith(`/v1/runs/${first}/outline`));
    const paths = await requested(async () => {
      await page.goto(`${dev.url}/runs/${first}?step=17`);
      bytes = (await (await measure).body()).length;
      await detail(17).getByRole("heading", { level: 3 }).first().waitFor();
    });
    expect(await page.getByRole("slider", { name: "Step" }).getAttribute("max")).toBe(String(STEPS));
    expect(bytes).toBeLessThan(STEPS * 300);
    expect(paths).not.toContain(`/v1/runs/${first}`);
    expect(await steps().count()).toBeLessThan(60);
  });

  it("[R2~] is scrubbed through with a few rows in the page and a request for several steps", async () => {
    const [first = ""] = runs;
    await page.goto(`${dev.url}/runs/${first}?step=1`);
    await detail(1).getByRole("heading", { level: 3 }).first().waitFor();
    const slider = page.getByRole("slider", { name: "Step" });
    const walked = await requested(async () => {
      for (let step = 2; step <= 41; step++) {
        await page.keyboard.press("ArrowRight");
        await detail(step).waitFor();
        if (step % 10 === 0) expect(await steps().count()).toBeLessThan(60);
      }
      await detail(41).getByRole("heading", { level: 3 }).first().waitFor();
    });
    expect(walked.length).toBeLessThan(25);
    const nodes = await page.evaluate<number>("document.querySelectorAll('*').length");
    const box = await slider.boundingBox();
    if (box === null) throw new Error("no slider");
    await page.mouse.move(box.x + 10, box.y + box.height / 2);
    await page.mouse.down();
    for (let at = 0; at <= 100; at++) await page.mouse.move(box.x + (box.width * at) / 100, box.y + box.height / 2);
    await page.mouse.up();
    await detail(STEPS).getByRole("heading", { level: 3 }).first().waitFor();
    expect(await steps().count()).toBeLessThan(60);
    expect(await page.evaluate<number>("document.querySelectorAll('*').length")).toBeLessThan(nodes * 2);
  });

  it("[R6~] stands beside another one, unfolded, with the rows in sight in the page", async () => {
    const [first = "", second = ""] = runs;
    await page.goto(`${dev.url}/runs/${first}/beside/${second}?all=true`);
    const lines = page.getByRole("list", { name: "Steps of both runs" }).getByRole("listitem");
    await lines.first().waitFor();
    expect(Number(await lines.first().getAttribute("aria-setsize"))).toBeGreaterThan(STEPS);
    expect(await lines.count()).toBeLessThan(60);
    await scrollToEnd(lines.last().getByText(`, step ${STEPS}`).first());
    expect(await lines.count()).toBeLessThan(60);
    await page.getByRole("link", { name: "Fold what is equal" }).click();
    await page.evaluate("scrollTo(0, 0)");
    const fold = page.getByRole("button", { name: /equal steps?$/ }).first();
    expect(await fold.getAttribute("aria-expanded")).toBe("false");
    await fold.click();
    await page.getByRole("button", { name: /equal steps?$/, expanded: true }).waitFor();
  });
});

describe(`an inbox of ${QUESTIONS} questions`, () => {
  it("has those in sight in the page, is walked by keys, and keeps what was typed", async () => {
    const cards = page.getByRole("list", { name: "Questions" }).locator("article[id]");
    const paths = await requested(async () => {
      await page.goto(dev.url);
      await page.getByText(`${QUESTIONS} calls wait for a person.`).waitFor();
      await cards.first().waitFor();
      for (let at = 0; at < 5; at++) await page.keyboard.press("j");
      await page.locator('li[aria-posinset="5"] article').waitFor();
    });
    expect(paths.length).toBeLessThan(40);
    expect(await cards.count()).toBeLessThan(20);
    const fifth = page.locator('li[aria-posinset="5"]');
    await fifth.getByRole("button", { name: "Add a note" }).click();
    const note = fifth.getByRole("textbox", { name: "Note" });
    await note.fill("half a sentence");
    await scrollToEnd(page.locator(`li[aria-posinset="${QUESTIONS}"] article`));
    expect(await cards.count()).toBeLessThan(20);
    expect(await note.inputValue()).toBe("half a sentence");
    await page.evaluate("document.activeElement.blur()");
    await page.keyboard.press("j");
    await page.locator('li[aria-posinset="6"] article').waitFor();
    await page.keyboard.press("d");
    expect(await page.evaluate<string>("document.activeElement?.textContent ?? ''")).toContain("Deny");
  });
});
