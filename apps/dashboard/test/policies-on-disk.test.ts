/** Policies that are written elsewhere than on the page: a file that does not load, and modules of TypeScript. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launch, openPage, type Watched } from "./browser.ts";
import { type Dev, makePlace, type Place } from "./place.ts";

const POLICIES = `saferun: policy/v1
environments:
  prod: { unmatched: { read: allow, write: deny, destructive: deny } }
tools:
  stripe.refund: { kind: write }
  mail.send: { kind: write }
rules:
  - { id: refund.small, tool: stripe.refund, then: allow, when: args.amount <= 5000 }
`;
const MODULE = `import { policy, rule } from ${JSON.stringify(new URL("../../../packages/document/src/index.ts", import.meta.url).href)};
export const mail = policy({ rules: [rule({ id: "mail.never", tool: "mail.send", then: "deny", reason: "No mails." })] });
`;

let place: Place;
let dev: Dev;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  place = makePlace(POLICIES);
  await place.call("stripe.refund", { amount: 4_000 });
  mkdirSync(join(place.cwd, "policies"));
  writeFileSync(join(place.cwd, "policies", "mail.ts"), MODULE);
  dev = await place.dev();
  browser = await launch();
  watched = await openPage(await browser.newContext(), dev.link);
  page = watched.page;
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await place?.close();
});
afterEach(() => {
  expect(watched.complaints.splice(0)).toEqual([]);
});

describe("modules of TypeScript", () => {
  it("are shown and taken into account, and cannot be written here", async () => {
    await page.goto(`${dev.url}/policies?panel=rules`);
    const rules = page.getByRole("list", { name: "Rules" });
    await rules.getByText("mail.never").waitFor();
    await page.getByRole("tab", { name: /mail\.ts/ }).click();
    const text = page.getByRole("textbox", { name: "text of policies/mail.ts" });
    await text.getByText("No mails.").waitFor();
    await page.getByText("TypeScript", { exact: false }).first().waitFor();
    await text.click();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("export {};");
    expect(await text.textContent()).toContain("No mails.");
    expect(await page.getByRole("button", { name: "Discard draft" }).count()).toBe(0);
    // What is judged by the draft is judged by the module as well.
    await page.goto(`${dev.url}/policies?panel=try`);
    await page.getByLabel("Tool", { exact: true }).fill("mail.send");
    await page.getByRole("button", { name: "Judge this call" }).click();
    await page.getByRole("region", { name: "Verdict" }).getByText("No mails.").waitFor();
    expect(readFileSync(join(place.cwd, "policies", "mail.ts"), "utf8")).toBe(MODULE);
  });
});

describe("a file on disk that does not load", () => {
  it("[P9~] is told with its place while the old revision stays in force, and goes when it is mended", async () => {
    await page.goto(`${dev.url}/policies`);
    await page.getByRole("textbox", { name: "text of policies.yaml" }).waitFor();
    writeFileSync(join(place.cwd, "policies.yaml"), POLICIES.replace("then: allow", "then: permit"));
    const told = page.getByRole("region", { name: "Rejected" });
    for (let tries = 0; !(await told.isVisible()); tries++) {
      if (tries > 200) throw new Error("nobody was told");
      place.ran.length = 0;
      await place.call("stripe.refund", { amount: 4_000 });
      expect(place.ran).toHaveLength(1);
      await sleep(100);
    }
    await told.getByText("went on with revision").waitFor();
    await told.getByText(/policies\.yaml:8:\d+/).waitFor();
    await page.getByRole("list", { name: "Problems" }).getByText("permit").first().waitFor();
    // By the old set, whatever the file says.
    place.ran.length = 0;
    await place.call("stripe.refund", { amount: 9_000 });
    expect(place.ran).toEqual([]);
    writeFileSync(join(place.cwd, "policies.yaml"), POLICIES.replace("5000", "3000"));
    await told.waitFor({ state: "hidden" });
    for (place.ran.length = 1; place.ran.length > 0; await sleep(50)) {
      place.ran.length = 0;
      await place.call("stripe.refund", { amount: 4_000 });
    }
  });
});
