/** Runs in the browser: the list as it grows, a run step by step, what other policies would have made of it, two side by side. */
import { stopsInForce } from "@saferun/core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launch, openPage, type Watched } from "./browser.ts";
import { makePlace, type Place } from "./place.ts";

/** It lets any refund through: what the draft of the test is there to show. */
const PERMISSIVE = `saferun: policy/v1
environments:
  prod: { unmatched: { read: allow, write: deny } }
tools:
  orders.lookup: { kind: read }
  stripe.refund: { kind: write }
  mail.send: { kind: write }
  note.add: { kind: write }
rules:
  - { id: refund.any, tool: stripe.refund, then: allow }
  - { id: mail.any, tool: mail.send, then: allow }
  - { id: note.asked, tool: note.add, then: pause, reason: Every note is looked at. }
`;
const DENIAL =
  "  - { id: refund.huge, tool: stripe.refund, then: deny, when: args.amount > 1000000, reason: No refund over $10 000. }\n";

let place: Place;
let url: string;
let browser: Browser;
let context: BrowserContext;
let watched: Watched;
let page: Page;
let first: string;
let second: string;

beforeAll(async () => {
  place = makePlace(PERMISSIVE);
  await place.run("Refund order 1", [
    ["orders.lookup", { order: "1" }],
    ["stripe.refund", { order: "1", amount: 5_000_000 }],
    ["mail.send", { to: ["a@example.com"], subject: "Your refund" }],
    ["orders.delete", { order: "1" }],
  ]);
  await place.run("Refund order 1", [
    ["orders.lookup", { order: "1" }],
    ["stripe.refund", { order: "1", amount: 4_000 }],
    ["mail.send", { to: ["a@example.com"], subject: "Your refund" }],
  ]);
  const runs = await place.store.runs({ limit: 10 });
  [second = "", first = ""] = runs.map(({ id }) => id);
  const dev = await place.dev();
  url = dev.url;
  browser = await launch();
  context = await browser.newContext();
  watched = await openPage(context, dev.link);
  page = watched.page;
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await place?.close();
});
afterEach(() => {
  expect(watched.complaints.splice(0)).toEqual([]);
});

function detail() {
  return page.getByRole("region", { name: /^Step \d+$/ });
}

async function addressed(part: string): Promise<void> {
  await page.waitForURL(({ search }) => search.includes(part));
}

describe("the list of runs", () => {
  it("[R7] shows each run with its verdicts, and a new one as it happens", async () => {
    await page.goto(`${url}/runs`);
    const list = page.getByRole("list", { name: "Runs" }).getByRole("listitem");
    await list.nth(1).waitFor();
    expect(await list.count()).toBe(2);
    await list.nth(1).getByText("3 allowed").waitFor();
    await list.nth(1).getByText("1 denied").waitFor();
    const answer = place.call("note.add", { text: "live" });
    await list.nth(2).waitFor();
    await list.nth(0).getByText("1 waiting").waitFor();
    await list.nth(0).getByText("live").waitFor();
    const { id } = await place.question("note.add");
    await place.decide(id, "deny", { id: "slack:U-ana", via: "slack", verified: true, roles: ["approver"] });
    await answer;
    await list.nth(0).getByText("1 waiting").waitFor({ state: "detached" });
  });

  it("is walked with j and k, and Enter opens a run", async () => {
    await page.goto(`${url}/runs`);
    await page.getByRole("list", { name: "Runs" }).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/runs/${second}*`);
  });
});

describe("a run", () => {
  it("[R2~] opens at the step and the tab of its address", async () => {
    await page.goto(`${url}/runs/${first}?step=2&tab=Decision`);
    await detail().getByText("refund.any").first().waitFor();
    expect(await detail().getByRole("heading", { level: 2 }).textContent()).toContain("stripe.refund");
    await detail()
      .getByText(/policies\.yaml:10:\d+/)
      .waitFor();
    await detail().getByRole("link", { name: "Result" }).click();
    await detail().getByText("What the tool returned").waitFor();
    await addressed("tab=Result");
    await addressed("step=2");
    await page.reload();
    await detail().getByText("What the tool returned").waitFor();
  });

  it("opens without a step at the one that went wrong", async () => {
    await page.goto(`${url}/runs/${first}`);
    await detail().getByRole("heading", { level: 2 }).getByText("orders.delete").waitFor();
    // Of what was denied one wants to know why.
    await detail().getByText("unmatched:prod").first().waitFor();
    await detail().getByRole("link", { name: "Arguments" }).click();
    await detail().getByText("The tool was not started with any.").waitFor();
  });

  it("[R2] is stepped through with keys and with the slider, and the address follows", async () => {
    await page.goto(`${url}/runs/${first}?step=2`);
    const heading = detail().getByRole("heading", { level: 2 });
    await heading.getByText("stripe.refund").waitFor();
    await page.keyboard.press("ArrowRight");
    await heading.getByText("mail.send").waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await heading.getByText("orders.lookup").waitFor();
    await page.keyboard.press("End");
    await heading.getByText("orders.delete").waitFor();
    await addressed("step=4");
    await page.keyboard.press("Home");
    await heading.getByText("orders.lookup").waitFor();
    await page.keyboard.press("n");
    await heading.getByText("orders.delete").waitFor();
    const slider = page.getByRole("slider", { name: "Step" });
    await slider.fill("2");
    await heading.getByText("stripe.refund").waitFor();
    expect(await slider.getAttribute("aria-valuetext")).toBe("2 of 4, stripe.refund, succeeded");
    await slider.press("ArrowRight");
    await heading.getByText("mail.send").waitFor();
    await addressed("step=3");
    await page
      .getByRole("region", { name: "Steps" })
      .getByRole("button", { name: /orders\.lookup/ })
      .click();
    await heading.getByText("orders.lookup").waitFor();
  });

  it("[R1~] has arguments, decision, result, the person's words and the entries of each call", async () => {
    await page.goto(`${url}/runs/${first}?step=2`);
    await detail().getByText("5000000").waitFor();
    await detail().getByText("Exactly as proposed.").waitFor();
    await page.keyboard.press("4");
    await detail().getByText("Refund order 1").waitFor();
    await page.keyboard.press("5");
    for (const type of ["call.proposed", "call.decided", "call.executing", "call.finished"])
      await detail().getByText(type).first().waitFor();
    const link = detail().getByRole("link", { name: "in the log" }).first();
    expect(await link.getAttribute("href")).toMatch(/^\/log\?entry=\d+$/);
  });

  it("[R3~] says that the $50,000 refund of a permissive policy would have been denied under a draft", async () => {
    await page.goto(`${url}/runs/${first}`);
    await page.getByRole("button", { name: "What if…" }).click();
    const dialog = page.getByRole("dialog", { name: /^What if/ });
    const draft = dialog.getByRole("textbox");
    await draft.waitFor();
    expect(await draft.inputValue()).toBe(PERMISSIVE);
    await draft.fill(`${PERMISSIVE}${DENIAL}`.replace("then: deny", "then: refuse"));
    await dialog.getByRole("button", { name: "Judge the run again" }).click();
    await dialog.getByRole("alert").getByText("policies.yaml:13:").waitFor();
    await draft.fill(`${PERMISSIVE}${DENIAL}`);
    const before = place.ran.length;
    await dialog.getByRole("button", { name: "Judge the run again" }).click();
    await dialog.getByText("1 would be other of 4 decisions.").waitFor();
    await dialog.getByText("would have been denied").waitFor();
    await dialog.getByText("No refund over $10 000.", { exact: true }).waitFor();
    await dialog.getByText(/policies\.yaml:13:\d+/).waitFor();
    expect(place.ran.length).toBe(before);
    await dialog.getByRole("link", { name: "step 2" }).click();
    await detail().getByText("refund.any").first().waitFor();
  });

  it("[R9~] becomes a policy test that says what is decided now", async () => {
    await page.goto(`${url}/runs/${first}`);
    await page.getByRole("button", { name: "Make a test…" }).click();
    const text = page.getByRole("dialog").locator("pre");
    await text.waitFor();
    expect(await text.textContent()).toContain(`"expect": {"then":"allow","by":["refund.any"]}`);
  });

  it("is stopped with a reason, which stands in the store", async () => {
    await page.goto(`${url}/runs/${second}`);
    await page.getByRole("button", { name: "Stop this run" }).click();
    const dialog = page.getByRole("dialog", { name: `Stop run ${second}` });
    await dialog.getByLabel("Reason").fill("it repeats itself");
    await dialog.getByRole("button", { name: `Stop run ${second}` }).click();
    await dialog.waitFor({ state: "detached" });
    const stops = await stopsInForce(place.store);
    expect(stops).toMatchObject([{ scope: { run: second }, reason: "it repeats itself" }]);
  });
});

describe("two runs", () => {
  it("[R6~] stand side by side, aligned by call, with what is equal folded", async () => {
    await page.goto(`${url}/runs/${first}`);
    await page.getByRole("button", { name: "Compare…" }).click();
    await page.getByRole("dialog").getByRole("link", { name: second }).click();
    await page.waitForURL(`**/runs/${first}/beside/${second}`);
    await page.getByText("2 of 4 steps differ in more than cost and time.").waitFor();
    await page.getByText("only in the first").waitFor();
    const refund = page.getByRole("article").filter({ hasText: "stripe.refund" });
    await refund.getByText("5000000").first().waitFor();
    await refund.getByText("4000", { exact: true }).first().waitFor();
    expect(await page.getByText("mail.send").count()).toBe(0);
    await page.getByRole("link", { name: "Unfold everything" }).click();
    await page.getByText("mail.send").first().waitFor();
    // Side by side: both values on one line, the first run's to the left.
    const values = await Promise.all(
      ["5000000", "4000"].map((value) => refund.getByText(value, { exact: true }).first().boundingBox()),
    );
    const [one, other] = values;
    expect(Math.abs((one?.y ?? 0) - (other?.y ?? 99))).toBeLessThan(5);
    expect((other?.x ?? 0) - (one?.x ?? 0)).toBeGreaterThan(300);
    await page.setViewportSize({ width: 375, height: 760 });
    const [above, below] = await Promise.all(
      ["5000000", "4000"].map((value) => refund.getByText(value, { exact: true }).first().boundingBox()),
    );
    expect((below?.y ?? 0) - (above?.y ?? 0)).toBeGreaterThan(10);
    await page.setViewportSize({ width: 1280, height: 720 });
    await page.getByRole("button", { name: "First difference: step 2" }).click();
    await refund.and(page.locator(":focus")).waitFor();
    // Below the bars that stay.
    expect((await refund.boundingBox())?.y).toBeGreaterThan(80);
    await page.keyboard.press("n");
    await page.getByRole("article").filter({ hasText: "only in the first" }).and(page.locator(":focus")).waitFor();
    await page.keyboard.press("p");
    await refund.and(page.locator(":focus")).waitFor();
    await refund.getByRole("link", { name: "second, step 2" }).click();
    await page.waitForURL(`**/runs/${second}?step=2`);
  });
});
