/** A recorded run under other policies, budgets and detectors, in the browser; no tool is called by it, counted at the tool. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { launch, openPage, violations, type Watched } from "./browser.ts";
import { makePlace, type Place } from "./place.ts";

const OBSERVED = ["repeat", "cycle", "raw", "duplicate", "similar"]
  .map((name) => `  ${name}: { mode: observe }\n`)
  .join("");
/** Lets any refund and any loop go by. */
const PERMISSIVE = `saferun: policy/v1
environments:
  prod: { unmatched: { read: allow, write: deny } }
tools:
  orders.lookup: { kind: read }
  stripe.refund: { kind: write }
  mail.send: { kind: write }
rules:
  - { id: refund.any, tool: stripe.refund, then: allow }
  - { id: mail.any, tool: mail.send, then: allow }
breakers:
${OBSERVED}`;
const BUDGET = `saferun: policy/v1
budgets:
  - { id: refunds, tool: stripe.refund, sum: args.amount, unit: cents, per: { key: [agent], window: { sliding: 24h } }, limit: 9000 }
`;

let place: Place;
let url: string;
let run: string;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  place = makePlace(PERMISSIVE);
  const again = Array.from({ length: 6 }, () => ["orders.lookup", { order: "7" }] as const);
  await place.run("Refund it", [
    ...again,
    ["stripe.refund", { order: "7", amount: 4_000 }],
    ["stripe.refund", { order: "8", amount: 4_500 }],
    ["stripe.refund", { order: "9", amount: 4_600 }],
  ]);
  expect(place.ran).toHaveLength(9);
  const [only] = await place.store.runs({ limit: 1 });
  run = only?.id ?? "";
  const dev = await place.dev();
  url = dev.url;
  browser = await launch();
  watched = await openPage(await browser.newContext(), dev.link);
  page = watched.page;
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await place?.close();
});
beforeEach(async () => {
  place.ran.length = 0;
  await page.goto(`${url}/runs/${run}`);
  await page.getByRole("button", { name: "What if…" }).click();
  await draft().waitFor();
});
afterEach(() => {
  expect(place.ran).toEqual([]);
  expect(readFileSync(join(place.cwd, "policies.yaml"), "utf8")).toBe(PERMISSIVE);
  expect(watched.complaints.splice(0)).toEqual([]);
});

const dialog = (): Locator => page.getByRole("dialog", { name: /^What if/ });
const draft = (): Locator => dialog().getByRole("textbox");
const judge = () => dialog().getByRole("button", { name: "Judge the run again" }).click();
const report = (): Locator => dialog().getByRole("status", { name: "What would have been" });

describe("what if", () => {
  it("[R3~] a budget had been there: the call that would have gone beyond it is named, in files taken beside", async () => {
    writeFileSync(join(place.cwd, "budget.draft.yaml"), BUDGET);
    writeFileSync(join(place.cwd, "more.draft.yaml"), "saferun: policy/v1\ntools:\n  note.add: { kind: write }\n");
    const files = ["budget.draft.yaml", "more.draft.yaml"].map((name) => join(place.cwd, name));
    await dialog().getByLabel("Take files…").setInputFiles(files);
    await dialog().getByText("2 files are in the draft").waitFor();
    expect(await dialog().getByLabel("File", { exact: true }).locator("option").count()).toBe(3);
    await judge();
    await report().getByText("1 would be other of 9 decisions.").waitFor();
    await report().getByRole("link", { name: "step 9" }).waitFor();
    await report().getByText("would have been denied").waitFor();
    await report().getByText("refunds", { exact: false }).first().waitFor();
    expect(await violations(page)).toEqual([]);

    await dialog().getByLabel("File", { exact: true }).selectOption("budget.draft.yaml");
    await dialog().getByRole("button", { name: "Leave it out" }).click();
    await judge();
    await report().getByText("Nothing would be other of 9 decisions.").waitFor();
  });

  it("[R3~] the detectors had stopped what they only saw: the loop ends where they would have ended it", async () => {
    await draft().fill(PERMISSIVE.replace(/breakers:[\s\S]*$/, ""));
    await judge();
    await report()
      .getByText(/^[1-9]\d* would be other of 9 decisions\.$/)
      .waitFor();
    await report().getByText("would have been denied").first().waitFor();
    await report()
      .getByText(/breaker/)
      .first()
      .waitFor();
  });

  it("takes a directory as the gate does, in the place of what is here", async () => {
    const directory = join(place.cwd, "stricter");
    mkdirSync(join(directory, "below"), { recursive: true });
    writeFileSync(join(directory, "a.yaml"), PERMISSIVE);
    writeFileSync(join(directory, "b.yml"), BUDGET);
    writeFileSync(join(directory, "c.ts"), "export {};");
    writeFileSync(join(directory, "below", "d.yaml"), "this is none of them");
    await dialog().getByLabel("Take a directory…").setInputFiles(directory);
    await dialog().getByText("2 files are in the draft").waitFor();
    await dialog().getByText("c.ts").waitFor();
    expect(await dialog().getByLabel("File", { exact: true }).locator("option").allTextContents()).toEqual([
      "stricter/a.yaml",
      "stricter/b.yml",
    ]);
    await judge();
    await report().getByText("1 would be other of 9 decisions.").waitFor();
  });

  it("says what is wrong with a draft, with its file and place", async () => {
    await draft().fill(PERMISSIVE.replace("then: allow", "then: permit"));
    await judge();
    await dialog().getByRole("alert").getByText("policies.yaml:9:").waitFor();
  });
});
