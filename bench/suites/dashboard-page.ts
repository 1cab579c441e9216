/** `saferun dev` in a process of its own over a store, and a headless browser that looks at it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { findChromium } from "../../scripts/programs.ts";

const BIN = path.join(import.meta.dirname, "../../packages/cli/bin/saferun.mjs");

export interface Shown {
  readonly url: string;
  readonly page: Page;
  /** Signed in, with nothing kept of the pages. */
  fresh(): Promise<BrowserContext>;
  close(): Promise<void>;
}

export async function show(directory: string): Promise<Shown> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("the suite `dashboard` needs a Chromium: name it in CHROMIUM_PATH");
  const cwd = mkdtempSync(path.join(import.meta.dirname, ".dev-"));
  const { child, url, link } = await startDev(cwd, directory);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return {
    url,
    page,
    fresh: async () =>
      browser.newContext({ viewport: { width: 1280, height: 860 }, storageState: await context.storageState() }),
    async close() {
      await browser.close();
      child.kill("SIGINT");
      await once(child, "close");
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}

async function startDev(cwd: string, directory: string) {
  const child: ChildProcess = spawn(
    process.execPath,
    [BIN, "dev", "--port", "0", "--json", "--no-open", "--new", "--store", directory],
    {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, SAFERUN_STATE_DIR: path.join(cwd, "state") },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  if (child.stdout === null) throw new Error("saferun dev says nothing");
  const said = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    once(child, "close").then(() => Promise.reject(new Error("saferun dev ended"))),
  ]);
  const { url, link } = JSON.parse(String(said[0])) as { readonly url: string; readonly link: string };
  return { child, url, link };
}

/** The longest task of the page's main thread while something is done, in ms: on the clock, and on the processor. */
export async function longestTask(page: Page, work: () => Promise<void>): Promise<{ wallMs: number; cpuMs: number }> {
  const browser = page.context().browser();
  if (browser === null) throw new Error("the page has no browser");
  await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    readonly traceEvents: readonly TraceEvent[];
  };
  const threads = traceEvents.flatMap(({ name, pid, tid, args }) =>
    name === "thread_name" && args?.name === "CrRendererMain" ? [`${pid}:${tid}`] : [],
  );
  const tasks = traceEvents.filter(
    ({ name, pid, tid }) => name.endsWith("RunTask") && threads.includes(`${pid}:${tid}`),
  );
  if (tasks.length === 0) throw new Error("the trace holds no task of the page");
  const most = (of: (task: TraceEvent) => number) => tasks.reduce((max, task) => Math.max(max, of(task)), 0) / 1_000;
  return { wallMs: most(({ dur = 0 }) => dur), cpuMs: most(({ tdur = 0 }) => tdur) };
}

/** Durations in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}
