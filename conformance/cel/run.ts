/**
 * `npm run conformance:cel [-- --seed N --cases N]`: the condition language against the public tests of CEL, and against an
 * independent implementation on generated expressions. Exit code 1 when either disagrees in a way that is not listed.
 */
import { parseArgs } from "node:util";
import { compareEngines } from "./differential.ts";
import { absentFiles, runSuite, type SuiteResult } from "./suite.ts";

/** Of the tests that apply. */
const LEAST = 0.97;

const { values } = parseArgs({
  options: { seed: { type: "string", default: "20261122" }, cases: { type: "string", default: "5000" } },
});
const core = runSuite("core");
const extensions = runSuite("extensions");
const failures = [...core.problems, ...extensions.problems];
if (core.passed / core.total < LEAST) failures.push(`less than ${LEAST * 100} % of the core tests pass`);

print("Not counted, because they do not apply:", core.excluded);
print("Counted as failed, on purpose:", core.deviations);
print("Extensions, not counted, because they do not apply:", extensions.excluded);
const absent = [...absentFiles()].map(([file, tests]) => `${file} (${tests})`).join(", ");
process.stdout.write(`Extensions that conditions do not have: ${absent}\n\n`);
for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`);
const differences = fuzz(Number(values.seed), Number(values.cases));
process.stdout.write(`extensions: ${summary(extensions)}; ${differences}\n`);
process.stdout.write(`core: ${summary(core)}\n`);
if (failures.length > 0) process.exitCode = 1;

function summary({ passed, total }: SuiteResult): string {
  return `passed ${passed} of ${total} (${((passed / total) * 100).toFixed(1)} %)`;
}

function print(title: string, groups: ReadonlyMap<string, readonly string[]>): void {
  process.stdout.write(`${title}\n`);
  for (const [reason, names] of groups) {
    process.stdout.write(`  ${String(names.length).padStart(4)}  ${reason}\n`);
    const shown = names.length > 12 ? placesOf(names) : names;
    for (const name of shown) process.stdout.write(`          ${name}\n`);
  }
  process.stdout.write("\n");
}

/** `file/section (count)` instead of hundreds of names. */
function placesOf(names: readonly string[]): readonly string[] {
  const places = new Map<string, number>();
  for (const name of names) {
    const place = name.split("/").slice(0, 2).join("/");
    places.set(place, (places.get(place) ?? 0) + 1);
  }
  return [[...places].map(([place, count]) => `${place} (${count})`).join(", ")];
}

function fuzz(seed: number, cases: number): string {
  try {
    const { values: agreed, known } = compareEngines(seed, cases);
    const listed = [...known.values()].reduce((sum, count) => sum + count, 0);
    return `differential: ${cases} cases, seed ${seed}, ${agreed} values and ${cases - agreed - listed} errors agree, ${listed} listed differences`;
  } catch (error) {
    process.exitCode = 1;
    const cause = error instanceof Error && error.cause instanceof Error ? `\n${error.cause.message}` : "";
    return `differential: FAILED\n${error instanceof Error ? error.message : String(error)}${cause}`;
  }
}
