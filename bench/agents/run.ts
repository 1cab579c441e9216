/**
 * `npm run bench:agents -- --suite loops --data DIR [--json] [--details]`: public agent data through SafeRun.
 * `--suite fingerprints` measures what the detectors cost a call, and needs no data.
 *
 * The data is no part of the repository: `--data`, or the variable `SAFERUN_BENCH_DATA`, says where it lies.
 * Standard output is one JSON document; what people want to read beside it goes to standard error.
 */
import { parseArgs } from "node:util";
import { measureFingerprints } from "./fingerprint-cost.ts";
import { isCaught, isPaused, isStopped, type Judged, judgeLoops, type LoopReport, reportLoops } from "./loops.ts";

const SUITES = ["fingerprints", "loops"];

const { values } = parseArgs({
  options: {
    suite: { type: "string", default: "loops" },
    data: { type: "string" },
    json: { type: "boolean", default: false },
    details: { type: "boolean", default: false },
  },
});
const data = values.data ?? process.env.SAFERUN_BENCH_DATA;
if (!SUITES.includes(values.suite)) fail(`unknown suite \`${values.suite}\`; there are: ${SUITES.join(", ")}`);
const report = values.suite === "fingerprints" ? measureFingerprints() : loops();
process.stdout.write(`${JSON.stringify(report, null, values.json ? undefined : 2)}\n`);

function loops(): LoopReport {
  if (data === undefined || data === "") fail("no data; name its folder with `--data DIR` or SAFERUN_BENCH_DATA");
  const judged = judgeLoops(data);
  if (values.details) process.stderr.write(`${judged.flatMap(line).join("\n")}\n`);
  return reportLoops(judged);
}

/** What deserves a look: missed loops, disturbed work, and what the unclear traces got. */
function line(one: Judged): readonly string[] {
  const { trace, hits } = one;
  const [first] = hits;
  const wrong =
    trace.label === "loop" ? !isCaught(one) : trace.label === "no_loop" && (isStopped(one) || isPaused(one));
  if (first === undefined && !wrong) return [];
  const what = first === undefined ? "nothing" : `${first.finding.detector} ${first.finding.reaction} at ${first.at}`;
  const onset = trace.onset === null ? "" : `, onset ${trace.onset}`;
  return [`${wrong ? "WRONG" : "     "} ${trace.label ?? "unclear"} ${trace.kind}: ${what}${onset} (${trace.trace})`];
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
