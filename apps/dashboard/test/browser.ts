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

export const LOOKS = (["light", "dark"] as const).flatMap((theme) =>
  ([1280, 375] as const).map((width) => ({ theme, width })),
);

export async function look(page: Page, { theme, width }: (typeof LOOKS)[number]): Promise<void> {
  await page.setViewportSize({ width, height: width === 375 ? 760 : 860 });
  await page.evaluate(`document.documentElement.dataset.theme = ${JSON.stringify(theme)}`);
}

/** For a person to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: "disabled" });
}
