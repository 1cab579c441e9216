/** The dashboard as a person meets it: opened, a long run stepped through, a large log filtered, a waiting call answered. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";
import type { Page, Request } from "playwright-core";
import { recordRuns } from "../../apps/dashboard/test/long.ts";
import { figures, median } from "../measure.ts";
import { ENTRIES, STORE } from "../options.ts";
import { atMost, type Report, type Row, row } from "../report.ts";
import { longestTask, type Shown, show } from "./dashboard-page.ts";
import { fill, openRecord } from "./record-pace.ts";

const STEPS = 2_000;
const OPENED = 7;
/** With those before fewer than the inbox has in its page whole. */
const CLICKS = 15;
const WARM_UP = 3;

export async function dashboard(): Promise<Report> {
  const rows = [
    ...(await inPlace("run", (directory) => recordRuns(directory, STEPS, [0]), stepping)),
    ...(await inPlace("log", fillLog, filtering, STORE)),
    ...(await inPlace("decide", async () => undefined, deciding)),
  ];
  return {
    suite: "dashboard",
    how: "headless Chromium against `saferun dev` in a process of its own, both on this machine; times are of the wall clock",
    rows,
  };
}

/** `kept`: a store that is measured as it is. */
async function inPlace<Made>(
  name: string,
  make: (directory: string) => Promise<Made>,
  measure: (shown: Shown, made: Made, directory: string) => Promise<readonly Row[]>,
  kept?: string,
): Promise<readonly Row[]> {
  const own = mkdtempSync(path.join(import.meta.dirname, `.dashboard-${name}-`));
  const directory = kept === undefined ? path.join(own, "store") : path.resolve(kept);
  try {
    const made = await make(directory);
    const shown = await show(directory);
    try {
      return await measure(shown, made, directory);
    } finally {
      await shown.close();
    }
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

async function stepping(shown: Shown, [run = ""]: readonly string[]): Promise<readonly Row[]> {
  const { page, url } = shown;
  const first = await firstViews(shown);
  const opened: number[] = [];
  for (let round = 0; round < OPENED; round++) {
    await page.goto(`${url}/runs`);
    const link = page.getByRole("list", { name: "Runs" }).getByRole("link").first();
    await link.waitFor();
    const start = performance.now();
    await link.click();
    await page
      .getByRole("region", { name: /^Step \d/ })
      .getByRole("heading", { level: 3 })
      .first()
      .waitFor();
    opened.push(performance.now() - start);
  }
  await page.goto(`${url}/runs/${run}?step=1`);
  const slider = page.getByRole("slider", { name: "Step" });
  await slider.waitFor();
  const task = await longestTask(page, () => scrub(page));
  return [
    ...first,
    row(`a run of ${STEPS} steps opens: from the click to what its step holds`, median(opened), "ms", atMost(1_000)),
    row("… for the first time, which reads it from the log", opened[0] ?? Number.NaN, "ms", atMost(1_000)),
    row("longest task while one steps and drags through it", task.wallMs, "ms", atMost(50)),
    row("… in processor time, the longest", task.cpuMs, "ms", atMost(50)),
  ];
}

/** By keys and by hand. */
async function scrub(page: Page): Promise<void> {
  const slider = page.getByRole("slider", { name: "Step" });
  await slider.focus();
  for (let step = 0; step < 150; step++) await page.keyboard.press("ArrowRight");
  const box = await slider.boundingBox();
  if (box === null) throw new Error("the page has no slider");
  const [y, width] = [box.y + box.height / 2, box.width - 10];
  await page.mouse.move(box.x + 5, y);
  await page.mouse.down();
  for (let at = 0; at <= 200; at++) await page.mouse.move(box.x + 5 + (width * at) / 200, y);
  await page.mouse.up();
  await page.getByRole("region", { name: `Step ${STEPS}`, exact: true }).waitFor();
}

/** Each in a browser that has kept nothing. */
async function firstViews(shown: Shown): Promise<readonly Row[]> {
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < OPENED; round++) {
    const context = await shown.fresh();
    const page = await context.newPage();
    const bodies: Promise<number>[] = [];
    // The stream of events never ends, and what was broken off has no body.
    page.on("requestfinished", (request) => {
      bodies.push(sizeOf(request));
    });
    const start = performance.now();
    await page.goto(shown.url, { waitUntil: "commit" });
    await page.getByRole("heading", { level: 1, name: "Inbox" }).waitFor();
    times.push(performance.now() - start);
    await page.getByText(/^live/).waitFor();
    bytes = (await Promise.all(bodies)).reduce((sum, size) => sum + size, 0);
    await context.close();
  }
  return [
    row("the first view, nothing in the cache", median(times), "ms", atMost(1_000)),
    row("… its bytes, gzipped", bytes / 1_000, "kB", atMost(200)),
  ];
}

async function sizeOf(request: Request): Promise<number> {
  const response = await request.response();
  return response === null ? 0 : gzipSync(await response.body()).length;
}

async function fillLog(directory: string): Promise<void> {
  if (STORE !== undefined) return;
  const recorded = openRecord(directory);
  try {
    await fill(recorded, ENTRIES);
  } finally {
    await recorded.close();
  }
}

const QUERIES = [
  "verdict:deny",
  "tool:stripe.refund",
  "agent:sales -verdict:allow",
  "args.amount>99000",
  "duplicate",
  '"duplicate charge"',
  "run:run_00000000000a",
  'tool:stripe.* verdict:deny args.amount>50000 "duplicate charge"',
];

/** Twice, and the second round counts: the first has filled the caches of the index, a new page has none of its own. */
async function filtering({ page, url }: Shown): Promise<readonly Row[]> {
  let times: readonly number[] = [];
  let size = "";
  for (let round = 0; round < 2; round++) {
    await page.goto(`${url}/log`);
    size = /has ([\d,]+) entries/.exec(await page.getByText(/The log has/).innerText())?.[1] ?? "";
    times = await filterRound(page);
  }
  const { p50, p95 } = figures(times);
  const what = `a log of ${size} entries is filtered: from the last key to what is found`;
  return [row(`${what}, p50`, p50, "ms"), row(`${what}, p95`, p95, "ms", atMost(500))];
}

/** From the last key to the frame after the answer. */
async function filterRound(page: Page): Promise<readonly number[]> {
  const box = page.getByRole("combobox");
  const times: number[] = [];
  for (const query of QUERIES) {
    await box.fill(query.slice(0, -1));
    const answered = page.waitForResponse((response) => new URL(response.url()).searchParams.get("q") === query);
    const start = performance.now();
    await box.pressSequentially(query.slice(-1));
    await answered;
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    times.push(performance.now() - start);
  }
  return times;
}

/** From the press of Approve to the tool's first instruction, in a third process. */
async function deciding({ page, url }: Shown, _made: undefined, directory: string): Promise<readonly Row[]> {
  const agent = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      "--conditions=@saferun/source",
      path.join(import.meta.dirname, "dashboard-agent-process.ts"),
      directory,
      String(WARM_UP + CLICKS),
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: agent.stdout })[Symbol.asyncIterator]();
  const ended = once(agent, "close");
  const times: number[] = [];
  // It ends with the page, whatever becomes of this.
  page.on("close", () => agent.kill());
  await page.goto(url);
  for (let click = 0; click < WARM_UP + CLICKS; click++) {
    let pressed: number | null = null;
    while (pressed === null) {
      await page.waitForTimeout(LOOK_MS);
      pressed = await page.evaluate<number | null>(PRESS);
    }
    const { value } = await lines.next();
    if (click >= WARM_UP) times.push(Number(value) - pressed);
  }
  await ended;
  const { p50, p95, p99 } = figures(times);
  const what = "Approve is pressed until the waiting call's tool runs, in another process";
  return [row(`${what}, p50`, p50, "ms"), row(`${what}, p95`, p95, "ms", atMost(250)), row("… p99", p99, "ms")];
}

const LOOK_MS = 20;

/** Answers with the moment of the press, ms since 1970; null while no question waits that was not answered before. */
const PRESS = `(() => {
  const answered = (globalThis.answered ??= new Set());
  const buttons = [...document.querySelectorAll("[data-act=approve]:enabled")];
  const button = buttons.find((one) => !answered.has(one.closest("article").id));
  if (button === undefined) return null;
  answered.add(button.closest("article").id);
  const at = performance.timeOrigin + performance.now();
  button.click();
  return at;
})()`;
