import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { createGate, type Gate, type Run } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore, startSearchIndex } from "@saferun/store";
import { figures } from "../measure.ts";
import { atLeast, atMost, type Report, row } from "../report.ts";
import { asYaml, rules } from "./workload.ts";

const CALLS = 1_000;
const IN_FLIGHT = 64;
const MANY = 20_000;
/** An agent's run ends, and long before the caps of one. */
const CALLS_OF_A_RUN = 100;

/** One gated call on the embedded gate with the SQLite store, beside two bare durable appends on the same disk. */
export async function gatedCalls(): Promise<Report> {
  // Beside the sources and not in the system's temporary folder, which may be memory.
  const directory = mkdtempSync(path.join(import.meta.dirname, ".store-"));
  const file = openSync(path.join(directory, "floor"), "a");
  const store = await openSqliteStore({ directory: path.join(directory, "store") });
  try {
    const loaded = loadPolicies([{ file: "bench.yaml", text: asYaml(rules(100, 10)) }], { hash: nodeHash });
    if (!loaded.ok) throw new Error("the benchmark's policies do not load");
    const notifier = { paused: () => undefined };
    const policies = { current: () => loaded.policies };
    const gate = createGate({ store, clock: nodeClock, hash: nodeHash, random: nodeRandom, notifier, policies });
    const caller = callerOf(gate);
    for (let index = 0; index < 200; index++) await caller(index);

    const floor: number[] = [];
    const gated: number[] = [];
    const block = Buffer.alloc(4_096, 120);
    for (let index = 0; index < CALLS; index++) {
      floor.push(timed(() => twoAppends(file, block)));
      const start = performance.now();
      await caller(index);
      gated.push((performance.now() - start) * 1_000);
    }
    const bare = figures(floor);
    const call = figures(gated);
    const index = startSearchIndex({ directory: store.directory });
    const rate = await many(gate).finally(() => index.close());
    return {
      suite: "gate",
      how: `one gated call, two durable commits, SQLite store, breakers on, a new run every ${CALLS_OF_A_RUN} calls, search index running while ${IN_FLIGHT} are in flight; ${CALLS} calls interleaved with two bare 4 KiB append + fdatasync`,
      rows: [
        row("two bare appends, p50", bare.p50, "µs"),
        row("two bare appends, p95", bare.p95, "µs"),
        row("gated call, p50", call.p50, "µs"),
        row("gated call, p95", call.p95, "µs", atMost(50_000)),
        row("gated call, p99", call.p99, "µs"),
        row("gated call against the floor, p50", call.p50 / bare.p50, "×", atMost(4)),
        row("gated call against the floor, p95", call.p95 / bare.p95, "×", atMost(6)),
        row(`gated calls a second, ${IN_FLIGHT} in flight`, rate, "calls/s", atLeast(2_000)),
      ],
    };
  } finally {
    await store.close();
    closeSync(file);
    rmSync(directory, { recursive: true, force: true });
  }
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) * 1_000;
}

function twoAppends(file: number, block: Uint8Array): void {
  for (let times = 0; times < 2; times++) {
    writeSync(file, block);
    fdatasyncSync(file);
  }
}

async function oneCall(gate: Gate, run: Run, index: number): Promise<void> {
  const args = { amount: 1 + (index % 9_000), currency: "usd", customer: { id: "c1", country: "CH" } };
  const answer = await gate.call(run, { tool: `tool${index % 100}`, args }, () => ({ id: `re_${index}`, ok: true }));
  if (answer.status !== "ran") throw new Error(`a benchmark call was ${answer.status}`);
}

/** Makes one call after another, in runs of their own length. */
function callerOf(gate: Gate): (index: number) => Promise<void> {
  let run = gate.openRun({ agent: "bench", environment: "prod" });
  let made = 0;
  return async (index) => {
    if (++made % CALLS_OF_A_RUN === 0) run = gate.openRun({ agent: "bench", environment: "prod" });
    await oneCall(gate, run, index);
  };
}

/** Calls a second while so many are always under way. */
async function many(gate: Gate): Promise<number> {
  let next = 0;
  const start = performance.now();
  const worker = async () => {
    const caller = callerOf(gate);
    while (next < MANY) await caller(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return MANY / ((performance.now() - start) / 1_000);
}
