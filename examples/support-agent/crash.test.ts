import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openLog } from "./log.ts";
import { playDemo } from "./play-demo.ts";
import { readLedgers } from "./servers/start.ts";

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 3);

const home = mkdtempSync(join(tmpdir(), "saferun-crash-test-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A call of the story by the id that the model gave it, cut off before its tool was asked or after it had answered. */
const CUT_OFF = ["call_A1042_1", "call_A1042_2", "call_B2087_3", "call_leads_1", "call_T77_1", "call_C3055_3"].flatMap(
  (key) => [
    { step: `before ${key}`, key, ran: 0 },
    { step: `after ${key}`, key, ran: 1 },
  ],
);

/** Nothing is being executed at these steps. `refunds` is what has been paid by then. */
const BETWEEN = [
  { step: "paused", refunds: [4_500] },
  { step: "decided", refunds: [4_500] },
  { step: "tripped", refunds: [4_500, 45_000] },
  { step: "verified", refunds: [4_500, 45_000] },
];

describe.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))("kill -9 of the demo, round %i", (round) => {
  it.each(CUT_OFF)(
    "[L1~] $step: the call becomes unknown and is never made again",
    { timeout: 200_000 },
    async ({ step, key, ran }) => {
      const data = join(home, `${round} ${step}`);
      await crash(data, step);
      expect(timesRan(data, key)).toBe(ran);
      await goOn(data);
      expect(timesRan(data, key)).toBe(ran);
      const calls = await callsIn(data);
      expect(calls.filter((call) => call.key === key).map((call) => call.outcome)).toEqual(["unknown"]);
      expect(calls.filter((call) => call.outcome === "unknown").map((call) => call.key)).toEqual([key]);
    },
  );

  it.each(BETWEEN)("[L1~] $step: what was paid stays paid once", { timeout: 200_000 }, async ({ step, refunds }) => {
    const data = join(home, `${round} ${step}`);
    await crash(data, step);
    expect(refundsIn(data)).toEqual(refunds);
    await goOn(data);
    expect(refundsIn(data)).toEqual(refunds);
  });
});

async function crash(data: string, step: string): Promise<void> {
  const { signal, stderr } = await playDemo(["--once", "--data", data], { env: { DEMO_CRASH_AT: step } });
  expect({ signal, stderr }).toEqual({ signal: "SIGKILL", stderr: "" });
  // The first checkpoint is signed after a second, or at the end.
  await checkRecord(data, step === "verified" ? "verified" : expect.stringMatching(/^(verified|self-consistent)$/));
}

/** A second start on the same store plays what had not begun, and its own check of the ledgers passes; what it warned of. */
async function goOn(data: string): Promise<string> {
  const { code, stderr } = await playDemo(["--once", "--data", data]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  await checkRecord(data, "verified");
  return stderr;
}

/** The log verifies, nothing ran without a claim in it, and no key stands in the ledgers twice. */
async function checkRecord(data: string, status: unknown): Promise<void> {
  const log = openLog(join(data, "store"));
  try {
    expect(await log.verify()).toMatchObject({ status });
    const claimed = (await log.calls()).filter(({ executing }) => executing).map(({ key }) => key);
    const ran = readLedgers(data).map(({ key }) => key);
    expect(new Set(ran).size).toBe(ran.length);
    for (const key of ran) expect(claimed).toContain(key);
  } finally {
    await log.close();
  }
}

async function callsIn(data: string) {
  const log = openLog(join(data, "store"));
  try {
    return await log.calls();
  } finally {
    await log.close();
  }
}

function timesRan(data: string, key: string): number {
  return readLedgers(data).filter((executed) => executed.key === key).length;
}

function refundsIn(data: string): unknown[] {
  return readLedgers(data)
    .filter(({ tool }) => tool === "refund")
    .map(({ args }) => args.amount);
}
