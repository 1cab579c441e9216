/** A real browser, and everything that it complains about. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const SCREENSHOTS = fileURLToPath(new URL("../../../.test-results/screenshots/", import.meta.url));

/** `CHROMIUM_PATH` is set by vitest.config.ts, where there is one. */
export function launch(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH ?? "";
  if (executablePath === "") throw new Error("no Chromium: install one, or name it in CHROMIUM_PATH");
  return chromium.launch({ executablePath, args: [...FLAGS] });
}

/** It talks to 127.0.0.1 only: what a browser asks its maker for by itself is turned off. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
] as const;

export interface Watched {
  readonly page: Page;
  /** Errors of scripts, of the console, of the content security policy, and boxes that somebody else's text opened. */
  readonly complaints: string[];
}

export async function openPage(context: BrowserContext, link: string): Promise<Watched> {
  const page = await context.newPage();
  page.setDefaultTimeout(25_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => {
    complaints.push(`a box opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    // The browser notes each answer that is no 200, and each request that a lost network ends: they are what is tested.
    const expected = message.text().startsWith("Failed to load resource");
    if (["error", "warning"].includes(message.type()) && !expected) complaints.push(message.text());
  });
  await page.goto(link);
  if (link !== "about:blank") await page.getByRole("heading", { level: 1 }).waitFor();
  return { page, complaints };
}

/** What axe finds wrong, one line each. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<string[]>(`
    axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ": " + target + " " + failureSummary)))
  `);
}

export const LOOKS = [
  { theme: "light", width: 1280 },
  { theme: "light", width: 375 },
  { theme: "dark", width: 1280 },
  { theme: "dark", width: 375 },
] as const;

export async function look(page: Page, { theme, width }: (typeof LOOKS)[number]): Promise<void> {
  await page.setViewportSize({ width, height: width === 375 ? 760 : 860 });
  await page.evaluate(`document.documentElement.dataset.theme = ${JSON.stringify(theme)}`);
}

/** For a person to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: "disabled" });
}

/** What may not stand in a page as it is: marks of direction, what is not seen, control characters. */
const UNSEEN = /[\u202a-\u202e\u2066-\u2069\u200b-\u200f\u0000-\u0008\u000b-\u001f]/u;

/** In both themes, on a desk and on a phone: a picture, and whatever is wrong with it. */
export async function inspect(page: Page, name: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const one of LOOKS) {
    await look(page, one);
    await picture(page, `${name}-${one.theme}-${one.width}`);
    const faults = [...(await violations(page))];
    const wide = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
    if (wide > 0) faults.push(`${wide} px too wide`);
    found.push(...faults.map((fault) => `${name}, ${one.theme}, ${one.width} px: ${fault}`));
  }
  found.push(...(await strange(page)).map((fault) => `${name}: ${fault}`));
  await look(page, LOOKS[0]);
  return found;
}

/** What strangers wrote, where it is more than text, or less than what it says. */
export async function strange(page: Page): Promise<readonly string[]> {
  const unseen = UNSEEN.exec(await page.evaluate<string>(SHOWN));
  const markup = await page.locator("body :is(img, script, iframe, b, i, u)").count();
  return [
    ...(unseen === null ? [] : [`U+${unseen[0].codePointAt(0)?.toString(16)} near ${near(unseen)}`]),
    ...(markup === 0 ? [] : ["somebody else's markup"]),
  ];
}

/** Texts, and what is read out or shown on hover. What is typed into is as it was typed. */
const SHOWN = `[document.title, document.body.innerText,
  ...[...document.querySelectorAll("[title], [aria-label], [aria-valuetext], option")].map((one) =>
    [one.title, one.getAttribute("aria-label"), one.getAttribute("aria-valuetext"), one.textContent].join(" "))].join(" ")`;

function near({ index, input }: RegExpExecArray): string {
  return JSON.stringify(input.slice(Math.max(0, index - 40), index + 20));
}
