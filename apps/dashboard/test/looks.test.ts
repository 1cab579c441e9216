/** How pages look, to people and to programs that read them aloud, with everything that strangers can write in them. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LOOKS, launch, look, openPage, picture, violations, type Watched } from "./browser.ts";
import { makePlace, type Place } from "./place.ts";

const MARKUP = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
const REVERSED = "invoice\u202Efdp.exe";
const CONTROL = "a\u0007b\u001b[2Jc\u200bd";
/** The gate takes no such text for a call, and keeps it as it came. */
const NULL_BYTE = "a\u0000b";
const LONG = "x".repeat(1_000_000);

let place: Place;
let url: string;
let browser: Browser;
let context: BrowserContext;
let watched: Watched;
let page: Page;
let runs: readonly string[];
let left: Promise<unknown>[];

beforeAll(async () => {
  place = makePlace();
  await place.run(`Refund my order ${MARKUP}`, [
    ["orders.lookup", { order: "1", note: MARKUP }],
    ["stripe.refund", { order: REVERSED, amount: 4_000 }],
    ["stripe.refund", { order: "1", amount: 5_000_000 }],
    ["mail.send", { to: ["down@example.com"], fails: true }],
  ]);
  await place.run("Refund my order", [
    ["orders.lookup", { order: CONTROL, [MARKUP]: REVERSED }],
    ["orders.lookup", { order: NULL_BYTE }],
    ["stripe.refund", { order: "1", amount: 4_100 }],
  ]);
  const to = Array.from({ length: 500 }, (_, at) => `lead-${at}@example.com`);
  left = [
    place.call("mail.send", { to, subject: MARKUP, body: LONG, [REVERSED]: CONTROL }, `${REVERSED} ${CONTROL}`),
    place.call("stripe.refund", { order: REVERSED, amount: 450_000 }, MARKUP),
  ];
  await Promise.all([place.question("mail.send"), place.question("stripe.refund")]);
  runs = (await place.store.runs({ limit: 10 })).map(({ id }) => id).reverse();
  const dev = await place.dev();
  url = dev.url;
  browser = await launch();
  context = await browser.newContext();
  watched = await openPage(context, dev.link);
  page = watched.page;
}, 90_000);
afterAll(async () => {
  for (const { id } of await place.store.approvals({ state: "pending", limit: 10 }))
    await place.decide(id, "deny", { id: "slack:U-ana", via: "slack", verified: true, roles: ["approver"] });
  await Promise.all(left);
  await browser?.close();
  await place?.close();
});
afterEach(() => {
  expect(watched.complaints.splice(0)).toEqual([]);
});

interface Shown {
  readonly name: string;
  readonly path: string;
  /** Seen when all of it is there. */
  readonly text: string;
}

function pages(): readonly Shown[] {
  const [first = "", second = "", third = ""] = runs;
  return [
    { name: "inbox", path: "/", text: "Mails to many people need two people." },
    { name: "runs", path: "/runs", text: "2 allowed" },
    { name: "run", path: `/runs/${first}?step=2`, text: "As they ran" },
    { name: "run-decision", path: `/runs/${first}?step=3&tab=Decision`, text: "Ask for a smaller refund." },
    { name: "run-waiting", path: `/runs/${third}?tab=Decision`, text: "answer it" },
    { name: "two-runs", path: `/runs/${first}/beside/${second}`, text: "Sums of both runs" },
  ];
}

async function show({ path, text }: Shown): Promise<void> {
  await page.goto(`${url}${path}`);
  await page.getByText(text).first().waitFor({ state: "attached" });
}

describe.each(LOOKS)("in $theme, $width px wide", (one) => {
  it("every page is without a fault that axe knows, and fits", async () => {
    const found: string[] = [];
    for (const shown of pages()) {
      await look(page, one);
      await show(shown);
      await look(page, one);
      await picture(page, `${shown.name}-${one.theme}-${one.width}`);
      found.push(...(await violations(page)).map((fault) => `${shown.name}: ${fault}`));
      const wide = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
      if (wide > 0) found.push(`${shown.name}: ${wide} px too wide`);
    }
    expect(found).toEqual([]);
  }, 90_000);
});

describe("the pages", () => {
  it("[G9] are one for each thing that people do with the gate, and the keys lead to each", async () => {
    await page.goto(url);
    await page.getByRole("heading", { level: 1, name: "Inbox" }).waitFor();
    for (const [key, title] of [
      ["r", "Runs"],
      ["l", "Log"],
      ["b", "Limits"],
      ["p", "Policies"],
      ["a", "Agents"],
      ["s", "Settings"],
      ["i", "Inbox"],
    ] as const) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
    }
    await page.goto(`${url}/policies`);
    await page.getByRole("button", { name: "Judge this call" }).waitFor();
    await page.goto(`${url}/runs/${runs[0]}`);
    await page.getByRole("slider").waitFor();
  });
});

describe("what strangers write", () => {
  it("trap 27: stays text, with what cannot be seen made visible, on every page and tab", async () => {
    const [first = "", second = "", third = "", fourth = ""] = runs;
    const tabs = ["Arguments", "Decision", "Result", "Prompt", "Raw"];
    const all = [
      ...pages(),
      ...[first, second, third, fourth].flatMap((id) =>
        tabs.map((tab) => ({ name: tab, path: `/runs/${id}?step=1&tab=${tab}`, text: "evaluate" })),
      ),
    ];
    for (const shown of all) {
      await show(shown);
      const text = await page.evaluate<string>("document.body.innerText");
      expect(text, shown.path).not.toMatch(/[\u202e\u200b\u001b\u0007\u0000]/);
      expect(await page.locator("main img, main script").count(), shown.path).toBe(0);
    }
  }, 90_000);

  it("shows a value of a million characters cut, and whole on demand", async () => {
    await page.goto(url);
    const body = page.getByRole("button", { name: "all 1,000,000 characters" });
    await body.waitFor();
    expect((await page.evaluate<string>("document.body.innerText")).length).toBeLessThan(20_000);
    await page.getByRole("button", { name: "480 more" }).click();
    await page.getByRole("button", { name: "280 more" }).waitFor();
    await body.click();
    await body.waitFor({ state: "detached" });
    expect((await page.evaluate<string>("document.body.innerText")).length).toBeGreaterThan(1_000_000);
  });
});

describe("what opens over a page", () => {
  it("is without a fault that axe knows", async () => {
    const [first = ""] = runs;
    await look(page, { theme: "light", width: 1280 });
    await page.goto(`${url}/runs/${first}`);
    const found: string[] = [];
    for (const name of ["What if…", "Compare…", "Make a test…", "Stop this run"]) {
      await page.getByRole("button", { name }).click();
      await page
        .getByRole("dialog")
        .getByRole("button")
        .first()
        .or(page.getByRole("dialog").getByRole("link").first())
        .first()
        .waitFor();
      await picture(page, `dialog-${name.replace(/\W+/g, "-")}`);
      found.push(...(await violations(page)).map((fault) => `${name} ${fault}`));
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    }
    expect(found).toEqual([]);
  }, 60_000);
});
