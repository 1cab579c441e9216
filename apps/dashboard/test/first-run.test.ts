/** Somebody's first minutes: an empty store, the lines to paste, and their agent's run as soon as it calls a tool. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LOOKS, launch, look, openPage, picture, violations, type Watched } from "./browser.ts";
import { type Dev, startDev } from "./place.ts";
import { FIRST_POLICY, makeProject, type Project } from "./project.ts";

let project: Project;
let dev: Dev;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  project = makeProject({
    type: "module",
    devDependencies: { typescript: "7" },
    dependencies: { "@mastra/core": "1" },
  });
  dev = await startDev({ cwd: project.cwd, state: project.state });
  browser = await launch();
  watched = await openPage(await browser.newContext({ reducedMotion: "reduce" }), dev.link);
  page = watched.page;
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await dev?.stop();
  await project?.close();
});
afterEach(() => {
  expect(watched.complaints.splice(0)).toEqual([]);
});

const snippet = () => page.getByRole("region", { name: "The lines to paste" }).locator("pre");

describe("the page of an empty store", () => {
  it("shows the lines for the framework of the project, and what they do not reach", async () => {
    await snippet().getByText("createTool(").waitFor();
    await page.getByText("SafeRun has no adapter for Mastra yet.").waitFor();
    await page.getByText("in no registry yet").waitFor();
    await page.getByRole("region", { name: "The first policies" }).getByText("npx saferun init").waitFor();
    await page.goto(`${dev.url}/runs`);
    await page.getByRole("link", { name: "The inbox has the lines" }).click();
    await snippet().waitFor();
  });

  it.each(LOOKS)("has nothing that axe finds and fits, $theme at $width px", async (one) => {
    await look(page, one);
    await snippet().waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    await picture(page, `first-run-${one.theme}-${one.width}`);
  });

  it("follows what becomes of the project", async () => {
    await look(page, { theme: "light", width: 1280 });
    writeFileSync(join(project.cwd, "pnpm-lock.yaml"), "");
    await page.reload();
    await page.getByText("pnpm exec saferun init", { exact: true }).waitFor();
    project.install("@saferun/sdk");
    project.write("package.json", JSON.stringify({ type: "commonjs" }));
    project.write("policies/first.yaml", FIRST_POLICY);
    await page.reload();
    await snippet().getByText('require("@saferun/sdk")').waitFor();
    await snippet().getByText('policies: ["./policies/first.yaml"]').waitFor();
    expect(await page.getByText("in no registry yet").count()).toBe(0);
    expect(await page.getByText("saferun init").count()).toBe(0);
    rmSync(join(project.cwd, "package.json"));
  });

  it("turns into the live run as soon as the first call arrives", async () => {
    await page.reload();
    await page.getByLabel("Your tools come from").selectOption({ label: "your own functions" });
    const lines = (await snippet().textContent()) ?? "";
    await page.getByText("waiting for the first call").waitFor();
    project.write(
      "agent.mjs",
      `const ran = [];
const refund = async ({ amount }) => ran.push(amount);
${lines}
await saferun.run({ prompt: "Refund both" }, async () => {
  await gated.refund({ amount: 4_000 });
  await gated.refund({ amount: 9_000 });
});
await saferun.shutdown();
console.log(JSON.stringify(ran));
`,
    );
    expect(JSON.parse(await project.node("agent.mjs"))).toEqual([4_000]);
    await page.waitForURL("**/runs/run_*");
    const steps = page.getByRole("region", { name: "Steps" }).getByRole("button", { name: /refund/ });
    await steps.nth(1).waitFor();
    await page
      .getByRole("region", { name: /^Step \d+$/ })
      .getByText("refund")
      .first()
      .waitFor();
    await page.goto(dev.url);
    await page.getByRole("link", { name: "Watch the latest run" }).waitFor();
  });
});
