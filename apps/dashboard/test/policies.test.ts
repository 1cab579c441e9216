/** A person at the policies of `saferun dev`: what they put in force is what the gate of a running agent goes by. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { launch, openPage, type Watched } from "./browser.ts";
import { type Dev, makePlace, type Place } from "./place.ts";

const POLICIES = `saferun: policy/v1
environments:
  prod: { unmatched: { read: allow, write: deny, destructive: deny } }
tools:
  stripe.refund:
    kind: write
    schema: { type: object, required: [order, amount], properties: { order: { type: string }, amount: { type: integer } } }
rules:
  - { id: refund.small, tool: stripe.refund, then: allow, when: args.amount <= 5000 }
  - { id: refund.huge, tool: stripe.refund, then: deny, when: args.amount > 5000, reason: No refund over $50. }
`;

let place: Place;
let dev: Dev;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  place = makePlace(POLICIES);
  await place.run("Refund it", [
    ["stripe.refund", { order: "1", amount: 4_000 }],
    ["stripe.refund", { order: "2", amount: 9_000 }],
  ]);
  dev = await place.dev();
  browser = await launch();
  watched = await openPage(await browser.newContext({ reducedMotion: "reduce" }), dev.link);
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

const editor = (): Locator => page.getByRole("textbox", { name: "text of policies.yaml" });
const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
const written = (): string => readFileSync(join(place.cwd, "policies.yaml"), "utf8");

async function open(panel = "try"): Promise<void> {
  await page.goto(`${dev.url}/policies?panel=${panel}`);
  await editor().waitFor();
}

/** Puts a text in the place of all that stands in the file, as somebody does who pastes it. */
async function write(text: string): Promise<void> {
  await editor().click();
  await page.keyboard.press("ControlOrMeta+a");
  await paste(text);
}

// What is evaluated in the page, where they are.
declare const DataTransfer: new () => { setData(type: string, text: string): void };
declare const ClipboardEvent: new (type: string, init: object) => Event;

async function paste(text: string): Promise<void> {
  await editor().evaluate((element, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

/** Waits until the editor offers it; where it does not, what stands there says more than that. */
async function offered(name: string | RegExp): Promise<Locator> {
  const option = page.getByRole("option", { name }).first();
  await option.waitFor().catch(async (cause: unknown) => {
    const text = (await editor().innerText()).split("\n").slice(-3).join("\n");
    const focus = await page.evaluate<string>("String(document.activeElement?.outerHTML).slice(0, 200)");
    throw new Error(`${name} is not offered; the text ends with ${text}; the focus is on ${focus}`, { cause });
  });
  return option;
}

const loads = () => page.getByText(/^loads/).waitFor();

/** The gate takes what is written when it has seen it: until then its calls come out as before. */
async function until(wanted: number, call: () => Promise<unknown>): Promise<void> {
  for (;;) {
    place.ran.length = 0;
    await call();
    if (place.ran.length === wanted) return;
    await sleep(50);
  }
}

const small = () => place.call("stripe.refund", { order: "3", amount: 4_000 });

describe("the policies page", () => {
  it("[P1~] says what is wrong where it is, while one types, and leads there", async () => {
    await open();
    await loads();
    await write(POLICIES.replace("then: deny", "then: denied"));
    const problem = page.getByRole("list", { name: "Problems" }).getByRole("button").filter({ hasText: "denied" });
    await problem.first().waitFor();
    expect(await problem.first().textContent()).toMatch(/denied.*policies\.yaml:10:\d+/s);
    await page.locator(".cm-lintRange-error").first().waitFor();
    expect(await page.locator(".cm-lintRange-error").first().textContent()).toBe("denied");
    expect(await page.getByRole("button", { name: "Put in force…" }).isDisabled()).toBe(true);
    await problem.first().click();
    for (const _ of "denied") await page.keyboard.press("Shift+ArrowRight");
    await paste("deny");
    await loads();
    expect(written()).toBe(POLICIES);
    // It says again what stands on disk: there is no draft any more.
    await page.getByRole("button", { name: "Discard draft" }).waitFor({ state: "hidden" });
    expect(watched.complaints).toEqual([]);
  });

  it("completes keys and words of the format, and tools that are known", async () => {
    await open();
    await write(`${POLICIES}  - { id: more, `);
    await page.keyboard.type("th");
    await (await offered("then")).click();
    await page.keyboard.type("p");
    await offered("pause");
    await page.keyboard.press("Escape");
    await page.keyboard.type("ause, tool: str");
    await offered("stripe.refund");
    await page.keyboard.press("Escape");
    await press("Discard draft");
    expect(watched.complaints).toEqual([]);
  });

  it("completes a condition: the tool's arguments, functions with what they are for, the gate's own variables", async () => {
    await open();
    await write(`${POLICIES}  - { id: more, tool: stripe.refund, then: deny, when: `);
    await page.keyboard.type("args.");
    await offered("order");
    await (await offered("amount")).click();
    await page.keyboard.type(" > 5 && dom");
    await offered(/^domain/);
    await page.getByText("The domain of one bare mail address").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.type("ain(principal.");
    await offered("roles");
    expect(await editor().textContent()).toContain("when: args.amount > 5 && domain(principal.");
    await page.keyboard.press("Escape");
    await press("Discard draft");
    expect(watched.complaints).toEqual([]);
  });

  it("[P16~] judges a call by the draft, and says why", async () => {
    await open();
    await page.getByLabel("Tool", { exact: true }).fill("stripe.refund");
    await page.getByLabel("Arguments").fill('{"order":"1","amount":9000}');
    await press("Judge this call");
    const verdict = page.getByRole("region", { name: "Verdict" });
    await verdict.getByText("No refund over $50.").waitFor();
    await verdict.getByText("args.amount > 5000").waitFor();
    await verdict.getByText("refund.small").waitFor();
    // The draft is judged as it is typed, and the address holds the call.
    await write(POLICIES.replaceAll("5000", "10000"));
    await verdict.getByText("args.amount <= 10000").waitFor();
    await page.reload();
    await verdict.getByText("args.amount <= 10000").waitFor();
    expect(await editor().textContent()).toContain("10000");
    await press("Discard draft");
    await verdict.getByText("No refund over $50.").waitFor();
    expect(place.ran).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });

  it("[P13~] shows which recorded calls a draft would have changed, each with its step", async () => {
    await open("backtest");
    await write(POLICIES.replaceAll("5000", "3000"));
    await loads();
    await press("Judge them again");
    const changed = page.getByRole("list", { name: "Changed calls" });
    await changed.getByText("stripe.refund").first().waitFor();
    expect(await changed.getByRole("listitem").count()).toBe(1);
    const link = await changed.getByRole("link").first().getAttribute("href");
    expect(link).toMatch(/^\/runs\/[^?]+\?step=\d+$/);
    await press("Discard draft");
    expect(watched.complaints).toEqual([]);
  });

  it("[P9~] puts a draft in force after a second look: the tool does not run, until it is taken back", async () => {
    await open();
    await until(1, small);
    await write(POLICIES.replaceAll("5000", "3000"));
    await press("Put in force…");
    const dialog = page.getByRole("dialog", { name: "Put in force" });
    await dialog.getByText("args.amount <= 3000").waitFor();
    await dialog.getByRole("region", { name: "Backtest" }).waitFor();
    expect(written()).toBe(POLICIES);
    await dialog.getByRole("button", { name: "Put in force", exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
    expect(written()).toBe(POLICIES.replaceAll("5000", "3000"));
    await until(0, small);
    expect(place.ran).toEqual([]);
    await press("Undo");
    await page.getByText("taken back").waitFor();
    expect(written()).toBe(POLICIES);
    await until(1, small);
    place.ran.length = 0;

    await write(POLICIES.replaceAll("5000", "3000"));
    await press("Put in force…");
    await dialog.getByRole("button", { name: "Put in force", exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
    await until(0, small);
    await page.getByRole("tab", { name: "Revisions" }).click();
    await page.getByRole("list", { name: "Revisions" }).getByRole("button", { name: "Go back to it…" }).first().click();
    await press("Go back");
    await page.getByText("back at revision").waitFor();
    expect(written()).toBe(POLICIES);
    await until(1, small);
    // What somebody wrote meanwhile is not undone.
    writeFileSync(join(place.cwd, "policies.yaml"), POLICIES.replaceAll("5000", "4500"));
    await press("Undo");
    await page.getByText("not taken back: the files were changed meanwhile").waitFor();
    expect(written()).toBe(POLICIES.replaceAll("5000", "4500"));
    writeFileSync(join(place.cwd, "policies.yaml"), POLICIES);
    await until(1, small);
    expect(watched.complaints).toEqual([]);
  });

  it("writes nothing over what somebody else wrote meanwhile", async () => {
    await open();
    await write(POLICIES.replaceAll("5000", "2000"));
    await loads();
    const theirs = POLICIES.replaceAll("5000", "1000");
    writeFileSync(join(place.cwd, "policies.yaml"), theirs);
    await press("Put in force…");
    const dialog = page.getByRole("dialog", { name: "Put in force" });
    const act = dialog.getByRole("button", { name: "Put in force", exact: true });
    const told = dialog.getByText("The files were changed meanwhile");
    // The page may have heard of it already; else the gate says so when it is asked.
    while (!(await told.isVisible())) {
      await act.click({ timeout: 500 }).catch(() => undefined);
    }
    expect(written()).toBe(theirs);
    await dialog.getByText("args.amount <= 1000").waitFor();
    await dialog.getByRole("button", { name: /I have looked at it/ }).click();
    await act.click();
    await dialog.waitFor({ state: "hidden" });
    expect(written()).toBe(POLICIES.replaceAll("5000", "2000"));
  });
});
