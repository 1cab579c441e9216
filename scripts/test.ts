/**
 * `npm test`: every check, every test, then the requirement manifest against what just ran.
 * The last line is `N passed, N failed` (`, N skipped` where tests were skipped), over tests and checks together.
 */
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { REQUIREMENTS } from "../spec/requirements.ts";
import { CHECKS, PROGRAMS, SUITES } from "./checks.ts";
import { checkRequirements, failuresOf, readCitations, readRun, unsteadyOf } from "./evidence.ts";
import { ROOT, report, runStep, runSteps } from "./steps.ts";

const RESULTS = path.join(ROOT, ".test-results");

const checks = await runSteps(CHECKS);
// Before the tests: they install what some of them need.
const programs = await runSteps(PROGRAMS);
const suites = await runSteps(SUITES);
const tests = await runTests();
const requirements = runRequirements();

const passed = checks.passed + programs.passed + suites.passed + tests.passed + requirements.passed;
const failed = checks.failed + programs.failed + suites.failed + tests.failed + requirements.failed;
console.log(`\n${passed} passed, ${failed} failed${tests.skipped === 0 ? "" : `, ${tests.skipped} skipped`}`);
process.exitCode = failed === 0 ? 0 : 1;

async function runTests(): Promise<{ passed: number; failed: number; skipped: number }> {
  // Results of an earlier run are no evidence for this one.
  rmSync(RESULTS, { recursive: true, force: true });
  mkdirSync(RESULTS, { recursive: true });
  const output = path.join(RESULTS, "vitest.json");
  const result = await runStep({
    name: "tests",
    command: ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${output}`],
  });
  const run = readRun(ROOT);
  const count = (status: string): number => run?.tests.filter((test) => test.status === status).length ?? 0;
  const failures = count("failed") + (run?.brokenFiles.length ?? 0);
  // A runner that dies, or errors outside of any test, is a failure although no test says so.
  const failed = failures === 0 && !result.ok ? 1 : failures;
  const [passed, skipped] = [count("passed"), count("skipped")];
  report(
    "tests",
    failed === 0,
    result.seconds,
    [...(run === undefined ? [] : failuresOf(run)), result.output].join("\n\n"),
    `${passed} passed, ${failed} failed, ${skipped} skipped`,
  );
  for (const unsteady of run === undefined ? [] : unsteadyOf(run))
    console.log(`     passed only when tried again: ${unsteady}`);
  return { passed, failed, skipped };
}

function runRequirements(): { passed: number; failed: number } {
  const started = performance.now();
  const problems = checkRequirements(REQUIREMENTS, readCitations(ROOT), readRun(ROOT));
  const ok = problems.length === 0;
  report("requirements", ok, (performance.now() - started) / 1000, problems.join("\n"));
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1 };
}
