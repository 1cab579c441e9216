/**
 * `npm run bench [-- SUITE …] [--entries N] [--store DIR] [--json]`: the measured numbers, peers and physical floors in the same run.
 *
 * Ratios are the point: the machine is whatever this runs on. Exit code 0 whether or not a floor holds; the table says so.
 */
import { cpus, totalmem } from "node:os";
import { WORDS } from "./options.ts";
import { type Report, table } from "./report.ts";
import { approvals } from "./suites/approval.ts";
import { backtests } from "./suites/backtest.ts";
import { breakers } from "./suites/breakers.ts";
import { dashboard } from "./suites/dashboard.ts";
import { decisions } from "./suites/decision.ts";
import { gatedCalls } from "./suites/gate.ts";
import { loading } from "./suites/load.ts";
import { record } from "./suites/record.ts";
import { verifications } from "./suites/verify.ts";

const SUITES: Readonly<Record<string, () => Promise<Report>>> = {
  // First: it measures what nothing has warmed up for.
  load: loading,
  decision: decisions,
  gate: gatedCalls,
  approval: approvals,
  backtest: backtests,
  breakers,
  record,
  verify: verifications,
  dashboard,
};

const json = process.argv.includes("--json");
const unknown = WORDS.filter((name) => !Object.hasOwn(SUITES, name));
if (unknown.length > 0) {
  process.stderr.write(`unknown suite \`${unknown.join("`, `")}\`; there are: ${Object.keys(SUITES).join(", ")}\n`);
  process.exit(2);
}

const machine = {
  node: process.version,
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
};
const reports: Report[] = [];
if (!json)
  process.stdout.write(`Node ${machine.node}, ${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB\n\n`);
for (const [name, suite] of Object.entries(SUITES)) {
  if (WORDS.length > 0 && !WORDS.includes(name)) continue;
  const report = await suite();
  reports.push(report);
  if (!json) process.stdout.write(`${table(report)}\n\n`);
}
if (json) process.stdout.write(`${JSON.stringify({ machine, reports }, null, 2)}\n`);
