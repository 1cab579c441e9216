/** How every page, tab and dialog looks, to people and to what reads it aloud, with everything that strangers can write in it. */
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { inspect, launch, openPage, strange, type Watched } from "./browser.ts";
import { MILLION, REVERSED, type Strangers, strangers } from "./strangers.ts";

let store: Strangers;
let url: string;
let browser: Browser;
let context: BrowserContext;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  store = await strangers();
  const dev = await store.place.dev();
  url = dev.url;
  browser = await launch();
  context = await browser.newContext({ reducedMotion: "reduce" });
  watched = await openPage(context, dev.link);
  page = watched.page;
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await store?.end();
});
afterEach(() => {
  expect(watched.complaints.splice(0)).toEqual([]);
});

interface Shown {
  readonly path: string;
  /** What is done there. */
  readonly act?: () => Promise<void>;
  /** Seen when all of it is there. */
  readonly seen: () => Locator;
}

const [CALLS, OTHERS, LOOP, MODELS, , ASKED] = [0, 1, 2, 3, 4, 5];
const run = (number: number | undefined, rest = ""): string => `/runs/${store.runs[number ?? 0]}${rest}`;
const text = (of: string | RegExp) => () => page.getByText(of).first();
const press = (name: string | RegExp) => page.getByRole("button", { name }).first().click();
const dialog = () => page.getByRole("dialog");

/** Each by its name, which is the name of its pictures too. */
const SHOWN: Readonly<Record<string, () => Shown>> = {
  inbox: () => ({ path: "/", seen: text("Mails to many people need two people.") }),
  "inbox-edit": () => ({
    path: "/",
    async act() {
      await press("Edit");
      await page.getByLabel("<b>Amount</b>").fill("123");
    },
    seen: () => page.getByText("before:").first(),
  }),
  runs: () => ({ path: "/runs", seen: text("1 waiting") }),
  "runs-none": () => ({ path: "/runs?happened=stopped&tool=nothing", seen: text("No run is like that") }),
  run: () => ({ path: run(CALLS, "?step=2&tab=Arguments"), seen: text("As they ran") }),
  "run-decision": () => ({ path: run(CALLS, "?step=3&tab=Decision"), seen: text("refund.huge") }),
  "run-failed": () => ({ path: run(CALLS, "?step=4&tab=Result"), seen: text("What failed") }),
  "run-raw": () => ({ path: run(OTHERS, "?step=2&tab=Raw"), seen: text("call.proposed") }),
  "run-stopped": () => ({ path: run(LOOP), seen: text("breaker:repeat") }),
  "run-model": () => ({ path: run(MODELS, "?step=1&tab=Result"), seen: text("What the model answered") }),
  "run-settings": () => ({ path: run(MODELS, "?step=1&tab=Arguments"), seen: text("Settings of the question") }),
  "run-prompt": () => ({ path: run(MODELS, "?step=3&tab=Prompt"), seen: text("system") }),
  "run-waiting": () => ({ path: run(ASKED, "?tab=Decision"), seen: text("answer it") }),
  "two-runs": () => ({ path: run(CALLS, `/beside/${store.runs[1]}`), seen: text("Sums of both runs") }),
  log: () => ({ path: "/log", seen: () => rows().first() }),
  limits: () => ({ path: "/protections", seen: text("$420.00 of") }),
  agents: () => ({ path: "/agents", seen: text("not in the policies") }),
  settings: () => ({ path: "/settings", seen: text("SAFERUN_ROLES") }),
  rules: () => ({ path: "/policies?panel=rules", seen: () => page.getByRole("list", { name: "Rules" }) }),
  revisions: () => ({ path: "/policies?panel=revisions", seen: text(/^Nothing was put in force|revision/) }),
  try: () => ({
    path: "/policies?panel=try",
    async act() {
      await page.getByLabel("Tool", { exact: true }).fill("stripe.refund");
      await page.getByLabel("Arguments").fill(JSON.stringify({ order: REVERSED, amount: 5_000_000 }));
      await press("Judge this call");
    },
    seen: () => page.getByRole("region", { name: "Verdict" }).getByText("refund.huge").first(),
  }),
};

const rows = () => page.getByRole("list", { name: "Found" }).getByRole("button");

/** Each opens over a page. */
const DIALOGS: Readonly<Record<string, () => Shown>> = {
  "what-if": () => ({ path: run(CALLS), act: () => press("What if…"), seen: () => dialog().getByRole("textbox") }),
  beside: () => ({ path: run(CALLS), act: () => press("Compare…"), seen: () => dialog().getByRole("link").first() }),
  test: () => ({ path: run(CALLS), act: () => press("Make a test…"), seen: () => dialog().locator("pre") }),
  entry: () => ({
    path: "/log?q=verdict:deny",
    act: () => rows().first().click(),
    seen: () => dialog().getByText("leaf").first(),
  }),
  verify: () => ({
    path: "/log?verify=true",
    act: () => dialog().getByRole("button", { name: "Verify" }).click(),
    seen: () => dialog().getByRole("region", { name: "Result" }),
  }),
  export: () => ({ path: "/log", act: () => press("Export…"), seen: () => dialog().getByLabel("As") }),
  "stop-agent": () => ({
    path: "/agents",
    act: () => page.locator("header", { hasText: "longlong" }).getByRole("button", { name: "Stop…" }).click(),
    seen: () => dialog().getByLabel("Reason"),
  }),
  raise: () => ({ path: "/protections", act: () => press("Raise…"), seen: () => dialog().getByLabel("Reason") }),
  reset: () => ({ path: "/protections", act: () => press("Reset…"), seen: () => dialog().getByLabel("Reason") }),
  palette: () => ({
    path: "/settings",
    act: () => page.keyboard.press("ControlOrMeta+k"),
    seen: () => dialog().getByRole("option").filter({ hasText: "run_" }).first(),
  }),
  help: () => ({
    path: "/settings",
    act: () => page.keyboard.press("?"),
    seen: () => dialog().getByText("show the keys"),
  }),
};

async function show({ path, act, seen }: Shown): Promise<void> {
  await page.goto(`${url}${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await act?.();
  await seen().waitFor({ state: "attached" });
}

describe("in both themes, on a desk and on a phone, with what strangers wrote (trap 27)", () => {
  it.each(Object.keys(SHOWN))(
    "%s has no fault, and every text stays text",
    async (name) => {
      const shown = SHOWN[name]?.();
      if (shown === undefined) throw new Error(name);
      await show(shown);
      expect(await inspect(page, name)).toEqual([]);
    },
    60_000,
  );

  it.each(Object.keys(DIALOGS))(
    "what opens over a page has none either: %s",
    async (name) => {
      const shown = DIALOGS[name]?.();
      if (shown === undefined) throw new Error(name);
      await show(shown);
      expect(await inspect(page, `dialog-${name}`)).toEqual([]);
    },
    60_000,
  );
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
    await page.goto(`${url}${run(CALLS)}`);
    await page.getByRole("slider").waitFor();
  });
});

describe("the palette", () => {
  it("goes where one types, and back to what had the focus", async () => {
    await page.goto(`${url}/settings`);
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    await page.keyboard.press("ControlOrMeta+k");
    await dialog().getByPlaceholder("A page, a run, a word of the log…").and(page.locator(":focus")).waitFor();
    await page.keyboard.type("breakers");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Limits" }).waitFor();
  });
});

describe("what strangers write", () => {
  it("trap 27: stays text, with what cannot be seen made visible, in every tab of every step", async () => {
    const found: string[] = [];
    let looked = 0;
    for (const id of store.runs) {
      await page.goto(`${url}/runs/${id}?step=1`);
      const slider = page.getByRole("slider", { name: "Step" });
      await slider.waitFor();
      const steps = Number(await slider.getAttribute("max"));
      for (let step = 1; step <= steps; step++) {
        const region = page.getByRole("region", { name: `Step ${step}`, exact: true });
        await region.waitFor();
        for (const [at, tab] of ["Arguments", "Decision", "Result", "Prompt", "Raw"].entries()) {
          await page.keyboard.press(`${at + 1}`);
          await region.locator("a[aria-current=page]", { hasText: tab }).waitFor();
          found.push(...(await strange(page)).map((fault) => `${id} ${step} ${tab}: ${fault}`));
          looked++;
        }
        await page.keyboard.press("ArrowRight");
      }
    }
    expect(found).toEqual([]);
    expect(looked).toBeGreaterThan(100);
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
    expect((await page.evaluate<string>("document.body.innerText")).length).toBeGreaterThan(MILLION.length);
  });
});
