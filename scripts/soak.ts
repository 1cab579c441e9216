/**
 * `npm run test:soak`: the random, crash and tamper tests with many rounds instead of few, on real processes. Ends by itself,
 * in less than half an hour on two cores. The last line is `N passed, N failed`.
 */
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { readRun } from "./evidence.ts";
import { ROOT, runStep } from "./steps.ts";

/** From now on no round of the demo begins: a slow machine makes fewer of them, and how many is printed. */
const DEMO_MINUTES = 22;

/** How often, by the variable that each test reads. Whoever sets one asks for another number. */
const ROUNDS = {
  CRASH_ROUNDS: "20",
  CRASH_UNTIL: String(Date.now() + DEMO_MINUTES * 60_000),
  SAFERUN_CRASH_ROUNDS: "20",
  SAFERUN_TAMPER_ROUNDS: "1000",
  SAFERUN_POWER_CUTS: "60",
  // Four processes, two of them killed in each round.
  SAFERUN_BUDGET_MINUTES: "10",
} as const;

const FILES = [
  "examples/support-agent/crash.test.ts",
  "packages/sdk/test/approval-crash.test.ts",
  "packages/store/test/tamper-rounds.test.ts",
  "packages/store/test/power-cut.test.ts",
  "packages/store/test/budget-processes.test.ts",
];

mkdirSync(path.join(ROOT, ".test-results"), { recursive: true });
for (const [name, rounds] of Object.entries(ROUNDS)) process.env[name] ??= rounds;
const output = path.join(ROOT, ".test-results", "soak.json");
rmSync(output, { force: true });
const json = ["--reporter=default", "--reporter=json", `--outputFile.json=${output}`];
// A bound against a hang: every file of it is done long before.
const result = await runStep({
  name: "soak",
  command: ["vitest", "run", ...FILES, ...json, "--testTimeout=2700000"],
  // Round by round, as they are done.
  onOutput: (text) => process.stdout.write(text),
});
const run = readRun(ROOT, "soak.json");
const count = (status: string): number => run?.tests.filter((test) => test.status === status).length ?? 0;
const failures = count("failed") + (run?.brokenFiles.length ?? 0);
const failed = failures === 0 && !result.ok ? 1 : failures;
console.log(`\n${count("passed")} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
