/** The pages without a mouse: what `?` says of each of them works, and what was dropped comes back. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launch, openPage, violations, type Watched } from "./browser.ts";
import { type Dev, makePlace, type Place } from "./place.ts";

const POLICIES = `saferun: policy/v1
environments:
  prod: { unmatched: { read: allow, write: deny, destructive: deny } }
tools:
  mail.send: { kind: write }
rules:
  - { id: mail.any, tool: mail.send, then: allow }
budgets:
  - { id: mails, tool: mail.send, unit: emails, per: { key: [agent], window: { sliding: 24h } }, limit: 5 }
`;

let place: Place;
let dev: Dev;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  place = makePlace(POLICIES);
  await place.call("mail.send", { to: ["ann@example.com"] });
  dev = await place.dev({
    env: {
      SAFERUN_WEBHOOK_AUDIT_URL: "http://127.0.0.1:9/",
      SAFERUN_WEBHOOK_AUDIT_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      SAFERUN_WEBHOOK_AUDIT_ANSWER_SECRET: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
      SAFERUN_WEBHOOK_AUDIT_APPROVERS: "42=ann:finance",
    },
  });
  browser = await launch();
  watched = await openPage(await browser.newContext({ reducedMotion: "reduce" }), dev.link);
  page = watched.page;
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await place?.close();
});
afterEach(() => {
  expect(watched.complaints.splice(0)).toEqual([]);
});

const dialog = (): Locator => page.locator("dialog[open]");
const focused = (one: Locator): Locator => one.and(page.locator(":focus"));
const press = (...keys: readonly string[]) =>
  keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());

async function open(path: string, ready: Locator): Promise<void> {
  await page.goto(`${dev.url}${path}`);
  await ready.waitFor();
}

/** What `?` shows here, as one text. */
async function told(): Promise<string> {
  await press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  const text = (await dialog().textContent()) ?? "";
  await press("Escape");
  await dialog().waitFor({ state: "hidden" });
  return text;
}

describe("without a mouse", () => {
  it("a pot is raised, after a look at where it would end, and everything is stopped with one key and a reason", async () => {
    await open("/protections", page.getByRole("button", { name: "Raise…" }));
    expect(await told()).toMatch(/next limit.*stop everything, with a reason/s);
    await press("j");
    await focused(page.getByRole("button", { name: "Raise…" })).waitFor();
    await press("Enter");
    await dialog().getByLabel("How much more").fill("3");
    await dialog().getByText("It ends at 8 emails then, not at 5 emails.").waitFor();
    expect(await violations(page)).toEqual([]);
    await press("Escape");
    await dialog().waitFor({ state: "hidden" });
    await press("x");
    await page.getByRole("dialog", { name: "Stop everything" }).getByLabel("Reason").waitFor();
    await press("Escape");
  });

  it("an agent is stopped", async () => {
    await open("/agents", page.getByRole("button", { name: "Stop…" }));
    expect(await told()).toContain("next agent");
    await press("j", "Enter");
    await page.getByRole("dialog", { name: "Stop agent support-bot" }).waitFor();
    await press("Escape");
  });

  it("a channel is chosen, and the theme behind it", async () => {
    await open("/settings", page.getByRole("button", { name: "Send a test to webhook:audit" }));
    expect(await told()).toContain("next channel or setting");
    await press("j");
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe(
      "Send a test to webhook:audit",
    );
    await press("j");
    expect(await page.evaluate("document.activeElement.type")).toBe("radio");
  });

  it("policies are edited, panels changed, a draft dropped and taken back, and a look taken before it is put in force", async () => {
    const text = page.getByRole("textbox", { name: "text of policies.yaml" });
    await open("/policies", text);
    expect(await told()).toMatch(/to the editor.*Backtest.*new file.*it can be taken back.*after a look/s);
    await press("3");
    await page.getByRole("list", { name: "Rules" }).waitFor();
    await press("f");
    await page.getByText("there is no draft that loads").waitFor();
    await press("e");
    await focused(text).waitFor();
    await press("ControlOrMeta+End");
    await page.keyboard.type("# looked at");
    await page.getByRole("button", { name: "Discard draft" }).waitFor();
    // The first may close what is offered.
    await press("Escape", "Escape", "Tab");
    expect(await focused(text).count()).toBe(0);
    await page.getByText(/^loads/).waitFor();
    await press("d");
    await page.getByText("the draft of policies.yaml is gone").waitFor();
    expect(await text.textContent()).not.toContain("# looked at");
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Undo" }).press("Enter");
    await text.getByText("# looked at").waitFor();
    await page.getByText(/^loads/).waitFor();
    await page.locator("h1").click();
    await press("f");
    await page.getByRole("dialog", { name: "Put in force" }).getByText("# looked at").waitFor();
    await press("Escape");
    expect(readFileSync(join(place.cwd, "policies.yaml"), "utf8")).toBe(POLICIES);
  });
});
