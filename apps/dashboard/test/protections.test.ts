/** A person at the limits, agents and settings of `saferun dev`: what they press is what runs, counted at the tool. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { inspect, launch, openPage, type Watched } from "./browser.ts";
import { type Dev, makePlace, type Place } from "./place.ts";

const POLICIES = `saferun: policy/v1
environments:
  prod: { unmatched: { read: allow, write: deny, destructive: deny } }
tools:
  orders.lookup: { kind: read }
  mail.send: { kind: write }
  note.add: { kind: write }
  books.burn: { kind: destructive }
rules:
  - { id: mail.any, tool: mail.send, then: allow }
  - { id: note.short, tool: note.add, agent: suport-bot, then: allow }
  - { id: note.other, tool: note.add, agent: support-*, then: pause, when: args.text == "hi" }
budgets:
  - { id: mails, tool: mail.send, unit: emails, per: { key: [agent], window: { calendar: day, zone: UTC } }, limit: 2 }
`;

let place: Place;
let dev: Dev;
let browser: Browser;
let watched: Watched;
let page: Page;
const received: string[] = [];
const vendor = createServer((request, response) => {
  request.setEncoding("utf8");
  let body = "";
  request.on("data", (piece: string) => {
    body += piece;
  });
  request.on("end", () => {
    received.push(body);
    response.end("{}");
  });
});

beforeAll(async () => {
  vendor.listen(0, "127.0.0.1");
  await once(vendor, "listening");
  const { port } = vendor.address() as AddressInfo;
  place = makePlace(POLICIES);
  await place.call("orders.lookup", { order: "1" });
  dev = await place.dev({
    env: {
      SAFERUN_WEBHOOK_AUDIT_URL: `http://127.0.0.1:${port}/`,
      SAFERUN_WEBHOOK_AUDIT_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      SAFERUN_WEBHOOK_AUDIT_ANSWER_SECRET: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
      SAFERUN_WEBHOOK_AUDIT_APPROVERS: "42=ann:finance",
      LINEAR_API_KEY: "lin_api_none",
    },
  });
  browser = await launch();
  watched = await openPage(await browser.newContext({ reducedMotion: "reduce" }), dev.link);
  page = watched.page;
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await place?.close();
  vendor.closeAllConnections();
  vendor.close();
});
beforeEach(() => {
  place.ran.length = 0;
  watched.complaints.length = 0;
});

const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
const dialog = () => page.locator("dialog[open]");

async function open(path: string, heading: string): Promise<void> {
  await page.goto(`${dev.url}${path}`);
  await page.getByRole("heading", { level: 1, name: heading }).waitFor();
}

async function because(reason: string, act: string): Promise<void> {
  await dialog().getByLabel("Reason").fill(reason);
  await dialog().getByRole("button", { name: act, exact: true }).click();
  await dialog().waitFor({ state: "hidden" });
}

const mail = () => place.call("mail.send", { to: ["ann@example.com"] });

describe("agents", () => {
  it("[G9~] shows who may call what by the rules, each answer with a call, beside who called it", async () => {
    await open("/agents", "Agents");
    const list = (name: string) => page.getByRole("list", { name, exact: true });
    await list("Called").getByText("orders.lookup").waitFor();
    const unused = list("May be called, and never was");
    const note = unused.getByRole("listitem").filter({ hasText: "note.add" });
    await note.getByText("pause", { exact: true }).first().waitFor();
    await note.getByText("note.add").click();
    await note.getByText("note.other").waitFor();
    await note.getByText("unmatched:prod").waitFor();
    expect(await note.getByText("note.short").count()).toBe(0);
    await page.getByText("May not be called (1)").click();
    await list("May not be called").getByText("books.burn").waitFor();
    // A name that is misspelt in a rule is noticed here.
    await page.getByText("suport-bot").waitFor();
    expect(await inspect(page, "agents-access")).toEqual([]);
    expect(watched.complaints).toEqual([]);
  }, 60_000);
});

describe("limits", () => {
  it("[B6~] stops an agent from its card, and the next call does not run; lifted, it does", async () => {
    await open("/agents", "Agents");
    await press("Stop…");
    await because("it mails the wrong people", "Stop agent support-bot");
    await mail();
    expect(place.ran).toEqual([]);
    await open("/protections", "Limits");
    await page.getByText("it mails the wrong people").waitFor();
    await press("Lift…");
    await because("the list is mended", "Lift");
    await page.getByText("Nothing is stopped.").waitFor();
    await mail();
    expect(place.ran).toHaveLength(1);
    expect(watched.complaints).toEqual([]);
  });

  it("[B3~] raises a budget that is spent, and the call that it refused runs", async () => {
    await mail();
    await mail();
    expect(place.ran).toHaveLength(1);
    await open("/protections", "Limits");
    await page.getByText("100 %").waitFor();
    await press("Raise…");
    await dialog().getByLabel("How much more, in emails").fill("3");
    await because("a quiet day", "Raise");
    await page.getByText("raised by 3 emails", { exact: true }).waitFor();
    await mail();
    expect(place.ran).toHaveLength(2);
    expect(watched.complaints).toEqual([]);
  });

  it("[B7~] shows a run that a loop has stopped, and resets it with a reason", async () => {
    const again = Array.from({ length: 12 }, () => ["orders.lookup", { order: "7" }] as const);
    await place.run("Where is it?", again);
    expect(place.ran.length).toBeLessThan(again.length);
    await open("/protections", "Limits");
    const breakers = page.getByRole("region", { name: "Breakers" });
    await breakers.getByText("stopped", { exact: true }).waitFor();
    await breakers.getByRole("button", { name: "Reset…" }).click();
    await because("the tool answers again", "Reset");
    await page.getByText("All breakers are closed.").waitFor();
    expect(watched.complaints).toEqual([]);
  });
});

describe("settings", () => {
  it("say which channels are ready and what another one lacks, and send a test that asks nothing", async () => {
    await open("/settings", "Settings");
    const channels = page.getByRole("list", { name: "Channels" });
    await channels.getByText("LINEAR_WEBHOOK_SECRET").waitFor();
    await page.getByRole("button", { name: "Send a test to webhook:audit" }).click();
    await channels.getByText("the message was sent").waitFor();
    expect(received).toHaveLength(1);
    expect(await page.getByRole("main").textContent()).not.toContain("whsec_");
    expect(place.ran).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });

  it("have no fault with channels that are ready and ones that are not", async () => {
    await open("/settings", "Settings");
    await page.getByRole("list", { name: "Channels" }).getByText("LINEAR_WEBHOOK_SECRET").waitFor();
    expect(await inspect(page, "settings-channels")).toEqual([]);
    expect(watched.complaints).toEqual([]);
  }, 60_000);

  it("turn the page dark and light, and say who one is", async () => {
    await open("/settings", "Settings");
    await page.getByLabel("dark", { exact: true }).check();
    expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
    await page.reload();
    expect(await page.getByLabel("dark", { exact: true }).isChecked()).toBe(true);
    await page.getByLabel("as the system says").check();
    await page.getByText(place.directory).waitFor();
    await page.getByText("SAFERUN_ROLES", { exact: true }).waitFor();
    expect(watched.complaints).toEqual([]);
  });
});
