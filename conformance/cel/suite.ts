/** The public suite against the engine, counted. */
import { deviationOf, exclusionOf, nameOf, type Section, sectionOf } from "./exclusions.ts";
import { judge } from "./judge.ts";
import { PUBLIC_TESTS, type PublicTest } from "./public-tests.ts";

export interface SuiteResult {
  /** Tests that apply: what is excluded is not among them, what deviates on purpose is. */
  readonly total: number;
  readonly passed: number;
  /** Failures that nobody intended, and deviations that are none any more. */
  readonly problems: readonly string[];
  /** Names by reason. */
  readonly deviations: ReadonlyMap<string, readonly string[]>;
  readonly excluded: ReadonlyMap<string, readonly string[]>;
}

export function runSuite(section: Exclude<Section, "absent">): SuiteResult {
  const deviations = new Map<string, string[]>();
  const excluded = new Map<string, string[]>();
  const problems: string[] = [];
  let [total, passed] = [0, 0];
  for (const test of PUBLIC_TESTS) {
    if (sectionOf(test) !== section) continue;
    const exclusion = exclusionOf(test);
    if (exclusion !== undefined) {
      add(excluded, exclusion, test);
      continue;
    }
    total++;
    const { passed: ok, expected, actual } = judge(test);
    if (ok) passed++;
    const deviation = deviationOf(test);
    if (deviation !== undefined && ok) problems.push(`${nameOf(test)} no longer deviates: take it off the list`);
    else if (deviation !== undefined) add(deviations, deviation, test);
    else if (!ok) problems.push(`${nameOf(test)}: \`${test.original.expr}\` is ${actual}, expected ${expected}`);
  }
  return { total, passed, problems, deviations, excluded };
}

/** Files of extensions that conditions do not have, with their number of tests. */
export function absentFiles(): ReadonlyMap<string, number> {
  const files = new Map<string, number>();
  for (const test of PUBLIC_TESTS) {
    if (sectionOf(test) === "absent") files.set(test.file, (files.get(test.file) ?? 0) + 1);
  }
  return files;
}

function add(groups: Map<string, string[]>, reason: string, test: PublicTest): void {
  groups.set(reason, [...(groups.get(reason) ?? []), nameOf(test)]);
}
