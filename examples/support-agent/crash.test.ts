import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { openLog } from "./log.ts";
import { playDemo } from "./play-demo.ts";
import { readLedgers } from "./servers/start.ts";

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 3);
/** From this time on, ms since 1970, no round begins but the first. */
const UNTIL = Number(process.env.CRASH_UNTIL ?? Number.POSITIVE_INFINITY);

const home = mkdtempSync(join(tmpdir(), "saferun-crash-test-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Step {
  readonly step: string;
  /** What has been refunded by then. */
  readonly refunds: readonly number[];
}

/**
 * Starts that follow one another on one store, each killed in a conversation that the ones before had not begun: before a
 * call's tool was asked, after it had answered, or between calls. The model gave the calls their ids.
 */
const CHAINS: readonly (readonly Step[])[] = [
  [
    { step: "before call_A1042_1", refunds: [] },
    { step: "before call_B2087_3", refunds: [] },
    { step: "before call_leads_1", refunds: [] },
    { step: "before call_T77_1", refunds: [] },
    { step: "before call_C3055_3", refunds: [] },
    { step: "verified", refunds: [] },
  ],
  [
    { step: "after call_A1042_1", refunds: [] },
    { step: "after call_B2087_3", refunds: [45_000] },
    { step: "after call_leads_1", refunds: [45_000] },
    { step: "after call_T77_1", refunds: [45_000] },
    { step: "after call_C3055_3", refunds: [45_000] },
  ],
  [
    { step: "before call_A1042_2", refunds: [] },
    { step: "paused", refunds: [] },
    { step: "tripped", refunds: [] },
  ],
  [
    { step: "after call_A1042_2", refunds: [4_500] },
    { step: "decided", refunds: [4_500] },
  ],
];

it(`[L1~] kill -9 of the demo at ${CHAINS.flat().length} steps, ${ROUNDS} rounds: what was cut off becomes unknown and is never made again`, {
  timeout: ROUNDS * CHAINS.length * 200_000,
}, async () => {
  const begun = Date.now();
  const seconds = () => Math.round((Date.now() - begun) / 1_000);
  let round = 0;
  for (; round < ROUNDS && (round === 0 || Date.now() < UNTIL); round++) {
    for (const [index, chain] of CHAINS.entries()) await killedAlong(chain, join(home, `${round} ${index}`));
    console.log(`round ${round + 1} of ${ROUNDS}: ${CHAINS.flat().length} steps held, after ${seconds()} s`);
  }
});

async function killedAlong(chain: readonly Step[], data: string): Promise<void> {
  const cutOff: { readonly key: string; readonly ran: number }[] = [];
  for (const { step, refunds } of chain) {
    await crash(data, step);
    const [when, key] = step.split(" ");
    if (key !== undefined) cutOff.push({ key, ran: when === "after" ? 1 : 0 });
    // Those of the starts before stay as they were, too.
    for (const call of cutOff) expect({ ...call, ran: timesRan(data, call.key) }, step).toEqual(call);
    expect(refundsIn(data), step).toEqual(refunds);
  }
  const paid = refundsIn(data);
  await goOn(data);
  for (const call of cutOff) expect({ ...call, ran: timesRan(data, call.key) }).toEqual(call);
  expect(refundsIn(data)).toEqual(paid);
  const keys = cutOff.map(({ key }) => key).sort();
  const unknown = (await callsIn(data)).filter(({ outcome }) => outcome === "unknown");
  expect(unknown.map(({ key }) => key).sort()).toEqual(keys);
  rmSync(data, { recursive: true, force: true });
}

async function crash(data: string, step: string): Promise<void> {
  const { signal, stderr } = await playDemo(["--once", "--data", data], { env: { DEMO_CRASH_AT: step } });
  // A start tells what the one before has left; anything else would be a fault.
  const others = stderr.split("\n").filter((line) => !/^$|was cut off: nobody knows|--trace-warnings/.test(line));
  expect({ signal, others }).toEqual({ signal: "SIGKILL", others: [] });
  // The first checkpoint is signed after a second, or at the end.
  await checkRecord(data, step === "verified" ? "verified" : expect.stringMatching(/^(verified|self-consistent)$/));
}

/** One more start on the same store plays what had not begun, and its own check of the ledgers passes; what it warned of. */
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
