/**
 * Takes the README's pictures of the dashboard anew, from the demo as it is now, or puts them in the directory that is named:
 * `npm run pages && CHROMIUM_PATH=/usr/bin/chromium node --conditions=@saferun/source apps/dashboard/test/pictures.ts`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { contentOf } from "@saferun/core";
import { openReadOnlySqliteStore } from "@saferun/store";
import type { Page } from "playwright-core";
import { playDemo } from "../../../examples/support-agent/play-demo.ts";
import { LOOKS, launch, look, openPage } from "./browser.ts";
import { type Dev, startDev } from "./place.ts";

const [, , ASSETS = fileURLToPath(new URL("../../../docs/assets/", import.meta.url))] = process.argv;
const EXAMPLE = fileURLToPath(new URL("../../../examples/support-agent/", import.meta.url));
const [DESK, PHONE] = LOOKS;

const data = mkdtempSync(join(tmpdir(), "saferun-pictures-"));
const [store, state] = [join(data, "store"), join(data, "state")];
const dev = await startDev({ cwd: EXAMPLE, directory: store, state });
const browser = await launch();
const demo = playDemo(["--data", data], { env: { SAFERUN_STATE_DIR: state } });
try {
  const { page } = await openPage(await browser.newContext({ reducedMotion: "reduce" }), dev.link);
  await decide(page);
  const { code, stderr } = await demo;
  if (code !== 0) throw new Error(`the demo ended with ${code}: ${stderr}`);
  await lookBack(page, dev);
} finally {
  await browser.close();
  await demo;
  await dev.stop();
  rmSync(data, { recursive: true, force: true });
}

/** The question of the story, as it is edited and before it is answered. */
async function decide(page: Page): Promise<void> {
  await page.getByRole("link", { name: /^Inbox\s*1 waiting$/ }).click({ timeout: 80_000 });
  const question = page.getByRole("article").filter({ hasText: "Refunds over $100" });
  await question.getByRole("button", { name: "Edit", exact: true }).click();
  await question.getByLabel("amount").fill("45000");
  await question.getByText("before:").waitFor({ state: "attached" });
  await page.getByText("the first call is here").waitFor({ state: "detached" });
  await shoot(page, DESK, "dashboard-inbox");
  await look(page, PHONE);
  // Clear of the buttons, which stay at the thumb.
  await question.getByText("before:").evaluate((difference) => difference.scrollIntoView({ block: "center" }));
  await shoot(page, PHONE, "dashboard-phone");
  await question.getByRole("button", { name: "Approve as edited" }).click();
  await question.getByText("Approved as edited by").waitFor();
}

async function lookBack(page: Page, { url }: Dev): Promise<void> {
  await page.goto(`${url}/runs/ben`);
  await page.getByText("As they ran").waitFor();
  await shoot(page, DESK, "dashboard-run");
  await page.goto(`${url}/log?verify=true`);
  await page.getByLabel("The key you kept").fill(await ownKey());
  await page.getByRole("button", { name: "Verify", exact: true }).click();
  await page.getByText("by the key that you kept").waitFor();
  await shoot(page, DESK, "dashboard-verified");
}

async function shoot(page: Page, one: (typeof LOOKS)[number], name: string): Promise<void> {
  await look(page, one);
  await page.screenshot({ path: join(ASSETS, `${name}.png`), animations: "disabled" });
}

async function ownKey(): Promise<string> {
  const log = openReadOnlySqliteStore({ directory: store });
  const [first] = await log.entries({ from: 0, limit: 1 });
  await log.close();
  const part = first?.parts.find(({ name }) => name === "key");
  return String(part === undefined ? undefined : contentOf(part));
}
