/** Around the steps of a run: where it stands among others, what keeps it from going on, and its evidence. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { contentOf, parseHeader } from "@saferun/core";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { inspect, launch, openPage, type Watched } from "./browser.ts";
import { recordNested } from "./long.ts";
import { type Dev, makePlace, type Place } from "./place.ts";

const BIN = fileURLToPath(new URL("../../../packages/cli/bin/saferun.mjs", import.meta.url));
const run = promisify(execFile);

let place: Place;
let dev: Dev;
let browser: Browser;
let watched: Watched;
let page: Page;
/** The oldest first. */
let ids: readonly string[];

beforeAll(async () => {
  place = makePlace();
  await place.run("A small one", [["stripe.refund", { order: "1", amount: 4_000 }]]);
  // The third that brings nothing new is the last: the next is refused, and the one after it stops the run.
  const again = ["orders.lookup", { order: "1001" }] as const;
  await place.run("Where is it?", [again, again, again, again, again]);
  await place.run("Too large", [["stripe.refund", { order: "1", amount: 5_000_000 }]]);
  await place.run("Too large again", [["stripe.refund", { order: "2", amount: 6_000_000 }]]);
  ids = (await place.store.runs({ limit: 10 })).map(({ id }) => id).reverse();
  dev = await place.dev();
  browser = await launch();
  watched = await openPage(await browser.newContext({ viewport: { width: 1280, height: 860 } }), dev.link);
  page = watched.page;
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await place?.close();
});
afterEach(() => {
  expect(watched.complaints.splice(0)).toEqual([]);
});

async function open(id: string | undefined): Promise<void> {
  await page.goto(`${dev.url}/runs/${id}`);
  await page.getByRole("slider", { name: "Step" }).waitFor();
}

const runs = () => page.getByRole("navigation", { name: "Runs" });

describe("a run among others", () => {
  it("leads to the one before and behind it, and back, by links and by keys", async () => {
    await open(ids[2]);
    await runs().getByText("2 of 4").waitFor();
    await runs().getByRole("link", { name: "Newer" }).click();
    await page.waitForURL(`**/runs/${ids[3]}*`);
    await runs().getByText("1 of 4").waitFor();
    expect(await runs().getByRole("link", { name: "Newer" }).count()).toBe(0);
    for (const at of [2, 1, 0]) {
      await page.keyboard.press("]");
      await page.waitForURL(`**/runs/${ids[at]}*`);
      await runs()
        .getByText(`${4 - at} of 4`)
        .waitFor();
    }
    await page.keyboard.press("[");
    await page.waitForURL(`**/runs/${ids[1]}*`);
    await page.keyboard.press("u");
    await page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
  });

  it("stays within the list that it was opened from", async () => {
    await page.goto(`${dev.url}/runs?happened=stopped`);
    const list = page.getByRole("list", { name: "Runs" });
    await list.getByRole("link").first().click();
    await page.waitForURL(`**/runs/${ids[1]}*`);
    await runs().getByText("1 of 1").waitFor();
    await runs().getByRole("link", { name: /^Runs/ }).click();
    await page.waitForURL(/happened=stopped/);
  });

  it("leads to the runs of its sub-agents, and from them back", async () => {
    const { outer, inner } = await recordNested(place.directory);
    await open(inner);
    await page.getByRole("link", { name: `run ${outer}` }).click();
    await page.waitForURL(`**/runs/${outer}*`);
    await page.getByRole("region", { name: "Steps" }).getByRole("link", { name: "run of helper-bot" }).click();
    await page.waitForURL(`**/runs/${inner}*`);
  });
});

describe("its steps", () => {
  it("show what an argument counts, as the decision recorded it", async () => {
    await page.goto(`${dev.url}/runs/${ids[0]}?step=1&tab=Arguments`);
    await page.getByRole("region", { name: "Step 1" }).getByText("$40.00").first().waitFor();
  });
});

describe("a run that is stopped", () => {
  it("says by what, why and when, and goes on after a reset with a reason", async () => {
    await open(ids[1]);
    const stopped = page.getByRole("region", { name: "Stopped" });
    await stopped.getByText("Rule breaker:repeat").waitFor();
    await stopped.getByText("By breaker:repeat").waitFor();
    expect(await page.getByRole("button", { name: "Stop this run" }).count()).toBe(0);
    expect(await inspect(page, "run-halted")).toEqual([]);
    await stopped.getByRole("button", { name: "Reset…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("the order was merged twice; fixed");
    await dialog.getByRole("button", { name: "Reset" }).click();
    await stopped.waitFor({ state: "detached" });
    // It can be stopped again.
    await page.getByRole("button", { name: "Stop this run" }).waitFor();
  });

  it("by a person: says who, and that is lifted", async () => {
    await open(ids[0]);
    await page.getByRole("button", { name: "Stop this run" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("it frightens people");
    await dialog.getByRole("button", { name: /^Stop run/ }).click();
    const stopped = page.getByRole("region", { name: "Stopped" });
    await stopped.getByText("it frightens people").waitFor();
    await stopped.getByText(/By local:/).waitFor();
    await stopped.getByRole("button", { name: "Lift…" }).click();
    await dialog.getByLabel("Reason").fill("it does not");
    await dialog.getByRole("button", { name: "Lift" }).click();
    await stopped.waitFor({ state: "detached" });
  });
});

async function exported(): Promise<number> {
  const { size } = await place.store.head();
  const entries = await place.store.entries({ from: 0, limit: size });
  return entries.filter(({ header }) => parseHeader(header).type === "log.exported").length;
}

describe("its evidence", () => {
  it("[R8~] is downloaded, verifies offline with a key from elsewhere, and is recorded as taken out", async () => {
    const [first] = await place.store.entries({ from: 0, limit: 1 });
    const part = first?.parts.find(({ name }) => name === "key");
    const key = String(part === undefined ? undefined : contentOf(part));
    const before = await exported();
    await open(ids[2]);
    for (const [button, ending] of [
      ["Download a page that verifies itself", "html"],
      ["Download the bundle", "bundle"],
    ] as const) {
      await page.getByRole("button", { name: "Evidence…" }).click();
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: button }).click(),
      ]);
      expect(download.suggestedFilename()).toBe(`${ids[2]}.${ending}`);
      const file = join(place.cwd, download.suggestedFilename());
      await download.saveAs(file);
      const { stdout } = await run(process.execPath, [BIN, "log", "verify", file, "--pin", key, "--json"], {
        cwd: place.cwd,
      });
      expect(JSON.parse(stdout)).toMatchObject({ status: "verified", run: ids[2] });
      await page.getByRole("dialog").waitFor({ state: "hidden" });
    }
    expect(await exported()).toBe(before + 2);
  });
});

describe("on a phone", () => {
  it("its steps are in sight as it opens", async () => {
    await page.setViewportSize({ width: 375, height: 760 });
    await open(ids[2]);
    const step = await page.getByRole("region", { name: "Steps" }).getByRole("button").first().boundingBox();
    // Above the bar of the places.
    expect((step?.y ?? 760) + (step?.height ?? 0)).toBeLessThan(700);
    await page.getByRole("button", { name: "Actions" }).click();
    await page.getByRole("button", { name: "What if…" }).waitFor();
    await page.setViewportSize({ width: 1280, height: 860 });
  });
});
