/** The demo of `npm start`, with a person at the browser: the real agent, its real tool servers, the real `saferun dev`. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { contentOf } from "@saferun/core";
import { saferun } from "@saferun/sdk";
import { openReadOnlySqliteStore } from "@saferun/store";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createSupportAgent } from "../../../examples/support-agent/agent.ts";
import { CONVERSATIONS } from "../../../examples/support-agent/conversations.ts";
import { startModel } from "../../../examples/support-agent/model.ts";
import { type Played, playDemo } from "../../../examples/support-agent/play-demo.ts";
import { readLedgers, startToolServers } from "../../../examples/support-agent/servers/start.ts";
import { launch, openPage, picture, type Watched } from "./browser.ts";
import { type Dev, startDev } from "./place.ts";

const EXAMPLE = fileURLToPath(new URL("../../../examples/support-agent/", import.meta.url));
/** A refund of $4,500 is asked for; one headset of ten is broken. */
const EDITED_CENTS = 45_000;

const data = mkdtempSync(join(tmpdir(), "saferun-story-"));
const store = join(data, "store");
let dev: Dev;
let demo: Promise<Played>;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  // The page is there before the agent is: what it shows then has come while somebody watched.
  dev = await startDev({ cwd: EXAMPLE, directory: store, state: join(data, "state") });
  browser = await launch();
  watched = await openPage(await browser.newContext({ reducedMotion: "reduce" }), dev.link);
  page = watched.page;
  demo = playDemo(["--data", data], { env: { NODE_ENV: "production", SAFERUN_STATE_DIR: join(data, "state") } });
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await demo;
  await dev?.stop();
  rmSync(data, { recursive: true, force: true });
}, 120_000);
afterEach(() => {
  expect(watched.complaints.splice(0)).toEqual([]);
});

const step = (): Locator => page.getByRole("region", { name: /^Step \d+$/ });

/** What the payment server has really paid, in cents. */
function paid(): readonly unknown[] {
  return readLedgers(data)
    .filter(({ tool }) => tool === "refund")
    .map(({ args }) => args.amount);
}

async function open(path: string): Promise<void> {
  await page.goto(`${dev.url}${path}`);
}

async function ownKey(): Promise<string> {
  const log = openReadOnlySqliteStore({ directory: store });
  try {
    const [first] = await log.entries({ from: 0, limit: 1 });
    const part = first?.parts.find(({ name }) => name === "key");
    return String(part === undefined ? undefined : contentOf(part));
  } finally {
    await log.close();
  }
}

describe("the demo's story, in the browser", () => {
  it("[A9] [A3~] the $4,500 appear while one watches, are lowered to $450, and exactly those are paid, once", {
    timeout: 180_000,
  }, async () => {
    // The empty page turns into the first run, and the question is counted beside the inbox.
    await page.waitForURL("**/runs/ada*", { timeout: 80_000 });
    await page.getByRole("link", { name: /^Inbox\s*1 waiting$/ }).click({ timeout: 80_000 });
    const question = page.getByRole("article").filter({ hasText: "Refunds over $100 need a person in finance." });
    await question.getByText("$4,500.00").first().waitFor();
    expect(paid()).toEqual([4_500]);
    await question.getByRole("button", { name: "Edit", exact: true }).click();
    await question.getByLabel("amount").fill(String(EDITED_CENTS));
    await question.getByText("before:").waitFor({ state: "attached" });
    await picture(page, "story-edit");
    expect(paid()).toEqual([4_500]);
    await question.getByRole("button", { name: "Approve as edited" }).click();
    await question.getByText("Approved as edited by").waitFor();
    const { code, stderr, stdout } = await demo;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("exactly what had to run, and nothing else");
    expect(paid()).toEqual([4_500, EDITED_CENTS]);
  });

  it("[R1~] the run shows its evaluation, the wait and the execution, and both versions of the arguments", async () => {
    await open("/runs");
    const ben = page.getByRole("list", { name: "Runs" }).getByRole("listitem").filter({ hasText: "ben" });
    // Judged before and after the answer, and paused once.
    await ben.getByText("1 paused").waitFor();
    await ben.getByRole("link").click();
    await page
      .getByRole("region", { name: "Steps" })
      .getByRole("button", { name: /refund/ })
      .click();
    await step().getByRole("heading", { level: 2 }).getByText("refund").waitFor();
    for (const stage of ["evaluate", "wait", "execute"]) await step().getByText(stage).first().waitFor();
    await step().getByRole("link", { name: "Arguments" }).click();
    await step()
      .getByText(/As a person edited and approved them/)
      .waitFor();
    await step().getByText("$4,500.00").first().waitFor();
    await step().getByText("$450.00").first().waitFor();
    await picture(page, "story-run");
  });

  it("500 mails and the poisoned $50,000 were denied, with rule and reason, and nothing was sent", async () => {
    for (const { run, rule, reason } of [
      { run: "cleo", rule: "mail.many", reason: "The agent may write to at most 5 people at once." },
      { run: "dan", rule: "refund.limit", reason: "Refunds over $10,000 are not made through the agent." },
    ]) {
      await open(`/runs/${run}?tab=Decision`);
      await step().getByText(rule, { exact: true }).first().waitFor();
      await step().getByText(reason).first().waitFor();
    }
    expect(readLedgers(data).filter(({ server }) => server === "mail")).toEqual([]);
    expect(paid()).not.toContain(5_000_000);
  });

  it("the policies in force are known for these files, whatever schemas the agent's tools brought along", async () => {
    await open("/policies");
    await page.getByText(/^In force: revision [0-9a-f]{12} since .*: these files, with the argument schemas/).waitFor();
  });

  it("[B7~] the loop is seen under Limits, and so is the server that is left alone", async () => {
    await open("/protections");
    const breakers = page.getByRole("region", { name: "Breakers" });
    await breakers.getByRole("listitem").filter({ hasText: "run eva" }).getByText("stopped", { exact: true }).waitFor();
    await breakers.getByText(/made once more/).waitFor();
    await breakers.getByText("tool get_parcel").waitFor();
    await page.getByText("refunds.per-day").first().waitFor();
    await picture(page, "story-limits");
  });

  it("[L2~] the log of all that is verified by the browser, by the key that was kept", async () => {
    await open("/log?verify=true");
    await page.getByLabel("The key you kept").fill(await ownKey());
    await page.getByRole("button", { name: "Verify", exact: true }).click();
    await page.getByRole("region", { name: "Result" }).getByText("by the key that you kept").waitFor();
    await picture(page, "story-verified");
  });
});

/** It lets the agent do what it likes. */
const PERMISSIVE = `saferun: policy/v1
environments:
  prod: { unmatched: { read: allow, write: allow } }
tools:
  get_ticket: { kind: read }
  refund: { kind: write }
`;

describe("the same agent, had nobody written a rule", () => {
  it("[R3~] pays the poisoned $50,000; what if, asked in the page, says that the shop's rules would have denied it", {
    timeout: 120_000,
  }, async () => {
    const other = join(data, "permissive");
    mkdirSync(other);
    writeFileSync(join(other, "policies.yaml"), PERMISSIVE);
    const [servers, model] = await Promise.all([startToolServers(other), startModel()]);
    const agent = saferun.wrap(createSupportAgent({ modelUrl: model.url, toolUrls: servers.urls }), {
      policies: [join(other, "policies.yaml")],
      store: join(other, "store"),
      agent: "support-agent",
      environment: "prod",
    });
    const { prompt = "" } = CONVERSATIONS.find(({ principal }) => principal === "dan") ?? {};
    await saferun.run({ id: "dan", principal: { id: "dan" }, prompt }, () => agent.generate({ prompt }));
    await saferun.shutdown();
    await Promise.all([servers.stop(), model.stop()]);
    const ran = () => readLedgers(other).map(({ tool, args }) => [tool, args.amount]);
    const before = [
      ["get_ticket", undefined],
      ["refund", 5_000_000],
    ];
    expect(ran()).toEqual(before);

    const permissive = await startDev({ cwd: other, directory: join(other, "store"), state: join(other, "state") });
    try {
      const { page, complaints } = await openPage(await browser.newContext(), permissive.link);
      await page.goto(`${permissive.url}/runs/dan`);
      await page.getByRole("button", { name: "What if…" }).click();
      const dialog = page.getByRole("dialog", { name: /^What if/ });
      await dialog.getByRole("textbox").fill(readFileSync(join(EXAMPLE, "policies.yaml"), "utf8"));
      await dialog.getByRole("button", { name: "Judge the run again" }).click();
      await dialog.getByText("would have been denied").waitFor();
      await dialog.getByText("Refunds over $10,000 are not made through the agent.", { exact: true }).waitFor();
      await picture(page, "story-what-if");
      expect(ran()).toEqual(before);
      expect(complaints).toEqual([]);
    } finally {
      await permissive.stop();
    }
  });
});
