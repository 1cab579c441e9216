/** What each page shows when it has nothing yet, while it reads, and when the gate answers with an error. */
import type { Browser, Page, Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { inspect, launch, openPage, type Watched } from "./browser.ts";
import { type Dev, makePlace, type Place } from "./place.ts";

let place: Place;
let dev: Dev;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  place = makePlace();
  dev = await place.dev();
  browser = await launch();
  watched = await openPage(await browser.newContext({ reducedMotion: "reduce" }), dev.link);
  page = watched.page;
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await place?.close();
});
afterEach(async () => {
  await page.unrouteAll({ behavior: "ignoreErrors" });
  expect(watched.complaints.splice(0)).toEqual([]);
});

/** Each page by its address, and what it says where nothing has happened. */
const PAGES = [
  ["inbox", "/", "Put the gate in front of your agent"],
  ["runs", "/runs", "No agent has run yet"],
  ["run", "/runs/run_none", "there is no such run"],
  ["two-runs", "/runs/run_none/beside/run_other", "there is no such run"],
  ["log", "/log", "Nothing found"],
  ["protections", "/protections", "No budget has been used yet"],
  ["policies", "/policies", "loads"],
  ["agents", "/agents", "called by nobody yet"],
  ["settings", "/settings", "None is set up"],
] as const;

/** What a page reads; by default all but what stands around each page. */
const HELD: Readonly<Record<string, RegExp>> = { inbox: /\/v1\/approvals/, settings: /\/v1\/(channels|health)/ };

const failing = (route: Route) =>
  route.fulfill({ status: 503, json: { status: 503, code: "record.unavailable", detail: "the disk is full" } });

describe.each(PAGES)("%s", (name, path, nothing) => {
  it("teaches where there is nothing", async () => {
    await page.goto(`${dev.url}${path}`);
    await page.getByText(nothing).first().waitFor();
    expect(await inspect(page, `empty-${name}`)).toEqual([]);
  }, 60_000);

  it("shows that it reads, and what is wrong with a way to try again, which works", async () => {
    const held: Route[] = [];
    let answers = false;
    await page.route(HELD[name] ?? /\/v1\/(?!events|health|approvals)/, (route) =>
      answers ? failing(route) : void held.push(route),
    );
    await page.goto(`${dev.url}${path}`);
    await page.getByRole("status", { name: "reading" }).first().waitFor();
    expect(await inspect(page, `reading-${name}`)).toEqual([]);
    answers = true;
    await Promise.all(held.map(failing));
    await page.getByRole("alert").getByText("the disk is full").first().waitFor();
    expect(await inspect(page, `error-${name}`)).toEqual([]);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await page.getByRole("button", { name: "Try again" }).first().click();
    await page.getByText(nothing).first().waitFor();
  }, 90_000);
});
