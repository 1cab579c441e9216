import { spawnSync } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { finished } from "node:stream/promises";
import { createGate } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore } from "@saferun/store";
import { median } from "../measure.ts";
import { atLeast, type Report, row } from "../report.ts";
import { argsOf, asYaml, rules } from "./workload.ts";

const BIN = path.join(import.meta.dirname, "../../packages/cli/bin/saferun.mjs");
const LINES = 200_000;
const RECORDED = 20_000;
const IN_FLIGHT = 64;
const TOOLS = 100;
const CALLS_OF_A_RUN = 100;
const RUNS = [1, 2, 3, 4, 5];

/** `saferun backtest` as it is called, from text to result, over calls from a file and from the log. */
export async function backtests(): Promise<Report> {
  const directory = mkdtempSync(path.join(import.meta.dirname, ".backtest-"));
  try {
    const before = asYaml(rules(TOOLS, 10));
    writeFileSync(path.join(directory, "before.yaml"), before);
    writeFileSync(path.join(directory, "after.yaml"), before.replaceAll("args.amount > 0", "args.amount > 100"));
    await writeLines(path.join(directory, "calls.jsonl"));
    await record(path.join(directory, "store"), before);
    // Node and the policies take a second to load, whatever is judged: that is taken off.
    const idle = median(RUNS.map(() => seconds(directory, 0, ["--store", "store", "--since", "0m"])));
    const rate = (calls: number, ...options: string[]) =>
      calls / (median(RUNS.map(() => seconds(directory, calls, options))) - idle);
    const lines = rate(LINES, "--calls", "calls.jsonl");
    const both = rate(LINES, "--calls", "calls.jsonl", "--against", "before.yaml");
    const log = rate(RECORDED, "--store", "store");
    return {
      suite: "backtest",
      how: `\`saferun backtest\` with ${TOOLS * 10} rules, without what it takes to start; medians of ${RUNS.length}`,
      rows: [
        row(`calls a second from ${LINES} JSON lines with their verdicts`, lines, "calls/s", atLeast(100_000)),
        row("the same lines judged by two revisions", both, "calls/s"),
        row(`calls a second from the log, ${RECORDED} calls`, log, "calls/s", atLeast(25_000)),
      ],
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The command as people run it, a process of its own. */
function seconds(cwd: string, calls: number, options: readonly string[]): number {
  const start = performance.now();
  const command = [BIN, "backtest", "--policies", "after.yaml", "--json", ...options];
  const { stdout, stderr } = spawnSync(process.execPath, command, { cwd, encoding: "utf8", maxBuffer: 2 ** 26 });
  const took = (performance.now() - start) / 1_000;
  if (stdout === "") throw new Error(stderr);
  const { judged, changed } = JSON.parse(stdout) as { judged: number; changed: number };
  if (judged !== calls || (calls > 0 && changed === 0))
    throw new Error(`the backtest judged ${judged}, changed ${changed}`);
  return took;
}

async function writeLines(file: string): Promise<void> {
  const out = createWriteStream(file);
  for (let index = 0; index < LINES; index++) {
    const tool = `tool${index % TOOLS}`;
    const line = {
      tool,
      args: argsOf(index),
      agent: "bench",
      env: "prod",
      verdict: "allow",
      by: [`t${index % TOOLS}.r0`],
    };
    if (!out.write(`${JSON.stringify(line)}\n`)) await new Promise<void>((resolve) => out.once("drain", resolve));
  }
  out.end();
  await finished(out);
}

/** Calls as the gate records them: proposed, decided, executed, finished. */
async function record(directory: string, yaml: string): Promise<void> {
  const loaded = loadPolicies([{ file: "before.yaml", text: yaml }], { hash: nodeHash });
  if (!loaded.ok) throw new Error("the benchmark's policies do not load");
  const store = openSqliteStore({ directory });
  const policies = { current: () => loaded.policies };
  const notifier = { paused: () => undefined };
  const gate = createGate({ store, clock: nodeClock, hash: nodeHash, random: nodeRandom, notifier, policies });
  let run = gate.openRun({ agent: "bench", environment: "prod" });
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < RECORDED; index = next++) {
      // Well below the calls of one run at which a person is asked.
      if (index % CALLS_OF_A_RUN === 0) run = gate.openRun({ agent: "bench", environment: "prod" });
      await gate.call(run, { tool: `tool${index % TOOLS}`, args: argsOf(index) }, () => ({
        id: `re_${index}`,
        ok: true,
      }));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  await store.close();
}
