/**
 * Which promises are shown: the requirement manifest against the tests that cite it and the last full run of them.
 *
 * `[P6]` in a test's title says that it proves the whole promise, `[P6~]` that it is part of the evidence.
 */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Requirement } from "../spec/requirements.ts";

/** An id in the text of a test file. */
export interface Citation {
  readonly id: string;
  readonly whole: boolean;
  /** Relative to the repository. */
  readonly file: string;
}

export interface TestRun {
  /** ISO 8601. */
  readonly at: string;
  readonly tests: readonly TestResult[];
  /** Files that failed without a failing test: they did not load. */
  readonly brokenFiles: readonly { readonly file: string; readonly failure: string }[];
}

export interface TestResult {
  readonly file: string;
  /** Titles of the groups and of the test, joined by a blank. */
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped";
  /** Why it failed, with where; of one that passed: why it had to be tried once more. Empty when it never failed. */
  readonly failure: string;
}

export interface Standing {
  readonly id: string;
  readonly sentence: string;
  readonly tests: readonly { readonly file: string; readonly name: string }[];
  readonly status: "met" | "gap";
  readonly reason?: string;
}

const CITATION = /\[([PABRLG]\d+)(~?)\]/g;
const TITLE = /\b(?:it|test|describe)\b[^"'`\n]*["'`]([^"'`\n]*)/g;
const IN_BRACKETS = /\[[^[\]]*\b[PABRLG]\d+\b[^[\]]*\]/g;

export function citationsIn(text: string): readonly { readonly id: string; readonly whole: boolean }[] {
  return [...text.matchAll(CITATION)].map(([, id = "", part]) => ({ id, whole: part === "" }));
}

/** Citations in all test files of the repository. Tests of the tooling itself cite ids that do not exist on purpose. */
export function readCitations(root: string): readonly Citation[] {
  return testFiles(root).flatMap((file) =>
    citationsIn(readFileSync(path.join(root, file), "utf8")).map((citation) => ({ ...citation, file })),
  );
}

/** What was surely meant as a citation in a title and would be counted as none: `[P6 ~]`, `[P6, P7]`. */
export function malformedCitations(text: string): readonly string[] {
  return [...text.matchAll(TITLE)]
    .flatMap(([, title = ""]) => title.match(IN_BRACKETS) ?? [])
    .filter((bracket) => bracket.replace(CITATION, "") !== "");
}

export function testFiles(root: string): readonly string[] {
  const inside = (folder: string): readonly string[] =>
    globSync(`${folder}/**/*.test.ts`, { cwd: root, exclude: (name) => name === "node_modules" || name === "dist" });
  return ["packages", "examples", "apps", "conformance"].flatMap(inside).sort();
}

/** The last full run, or undefined where there is none or it broke off. */
export function readRun(root: string, file = "vitest.json"): TestRun | undefined {
  let report: VitestReport;
  try {
    report = JSON.parse(readFileSync(path.join(root, ".test-results", file), "utf8")) as VitestReport;
  } catch {
    return undefined;
  }
  const relative = (file: string): string => path.relative(root, file).replaceAll(path.sep, "/");
  const tests = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(
      (test): TestResult => ({
        file: relative(name),
        name: [...test.ancestorTitles, test.title].join(" ").trim(),
        status: test.status === "passed" || test.status === "failed" ? test.status : "skipped",
        failure: (test.failureMessages ?? []).join("\n"),
      }),
    ),
  );
  const brokenFiles = report.testResults
    .filter(
      ({ status, assertionResults }) =>
        status === "failed" && !assertionResults.some((test) => test.status === "failed"),
    )
    .map(({ name, message }) => ({ file: relative(name), failure: message ?? "" }));
  return { at: new Date(report.startTime).toISOString(), tests, brokenFiles };
}

/** How many lines of a failure are said in the summary: the message, and where. */
const FAILURE_LINES = 6;

/** Each failed test and file by name with the first lines of why, for the top of a report that may be cut off. */
export function failuresOf(run: TestRun): readonly string[] {
  const failed = run.tests.filter(({ status }) => status === "failed");
  return [
    ...run.brokenFiles.map(({ file, failure }) => said(file, failure)),
    ...failed.map(({ file, name, failure }) => said(`${file}: ${name}`, failure)),
  ];
}

/** Tests that passed only when they were tried once more, each by name with the first lines of why. */
export function unsteadyOf(run: TestRun): readonly string[] {
  const unsteady = run.tests.filter(({ status, failure }) => status === "passed" && failure !== "");
  return unsteady.map(({ file, name, failure }) => said(`${file}: ${name}`, failure));
}

function said(title: string, failure: string): string {
  const lines = failure.split("\n", FAILURE_LINES).filter((line) => line.trim() !== "");
  return [title, ...lines.map((line) => `    ${line}`)].join("\n");
}

/** The part of vitest's JSON report that is read here. */
interface VitestReport {
  readonly startTime: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** `met` needs a test that cites the whole promise, ran and passed, none that cites it and failed, and no declared gap. */
export function standings(requirements: readonly Requirement[], run: TestRun | undefined): readonly Standing[] {
  return requirements.map(({ id, sentence, gap }) => {
    const citing = (run?.tests ?? []).filter(({ name }) => citationsIn(name).some((citation) => citation.id === id));
    const tests = citing.map(({ file, name }) => ({ file, name }));
    const reason = gap ?? missing(id, citing, run);
    return reason === undefined
      ? { id, sentence, tests, status: "met" }
      : { id, sentence, tests, status: "gap", reason };
  });
}

function missing(id: string, citing: readonly TestResult[], run: TestRun | undefined): string | undefined {
  if (run === undefined) return "no test run is recorded; run `npm test`";
  const failed = citing.find(({ status }) => status === "failed");
  if (failed !== undefined) return `a test that cites it failed: ${failed.file}: ${failed.name}`;
  if (!citing.some((test) => test.status === "passed" && provesWhole(id, test))) {
    return "no test that cites the whole promise ran and passed";
  }
  return undefined;
}

/**
 * What is wrong between the manifest, the tests' citations and the last run; empty when all is well.
 * A declared gap that is fully shown is a problem too: the manifest understates, and the gap's reason is not true.
 */
export function checkRequirements(
  requirements: readonly Requirement[],
  citations: readonly Citation[],
  run: TestRun | undefined,
): readonly string[] {
  if (run === undefined) return ["no test run is recorded; run `npm test`"];
  const known = new Set(requirements.map(({ id }) => id));
  const unknown = [
    ...citations.map(({ id, file }) => ({ id, where: file })),
    ...run.tests.flatMap(({ name, file }) => citationsIn(name).map(({ id }) => ({ id, where: file }))),
  ].filter(({ id }) => !known.has(id));
  return [
    ...new Set(unknown.map(({ id, where }) => `${where}: \`${id}\` is no promise of spec/requirements.ts`)),
    ...requirements.flatMap(({ id, gap }) => {
      const citing = run.tests.filter(({ name }) => citationsIn(name).some((citation) => citation.id === id));
      const failed = citing.find(({ status }) => status === "failed");
      if (failed !== undefined) return [`${id}: ${failed.file}: the test \`${failed.name}\` cites it and failed`];
      const shown = citing.some((test) => test.status === "passed" && provesWhole(id, test));
      if (gap === undefined && !shown)
        return [`${id}: neither a declared gap nor proven by a test \`[${id}]\` that passed`];
      if (gap !== undefined && shown)
        return [`${id}: declared as a gap (\`${gap}\`), yet a test \`[${id}]\` passed: remove the gap`];
      return [];
    }),
  ];
}

function provesWhole(id: string, { name }: TestResult): boolean {
  return citationsIn(name).some((citation) => citation.id === id && citation.whole);
}
