import { describe, expect, it } from "vitest";
import { REQUIREMENTS } from "../spec/requirements.ts";
import {
  checkRequirements,
  citationsIn,
  failuresOf,
  malformedCitations,
  standings,
  type TestResult,
  type TestRun,
  unsteadyOf,
} from "./evidence.ts";

const list = [{ id: "P1", sentence: "strict files" }];
const gaps = [{ id: "P1", sentence: "strict files", gap: "half done" }];

const failures = { passed: "", skipped: "", failed: "Error: 1 is not 2\n    at a.test.ts:7:1" };

function run(...tests: readonly [name: string, status: TestResult["status"]][]): TestRun {
  return {
    at: "2026-01-01T00:00:00.000Z",
    brokenFiles: [],
    tests: tests.map(([name, status]) => ({ file: "a.test.ts", name, status, failure: failures[status] })),
  };
}

describe("citations", () => {
  it("reads whole and partial citations from a title", () => {
    expect(citationsIn("trap 7: refuses [P1] and [L12~]")).toEqual([
      { id: "P1", whole: true },
      { id: "L12", whole: false },
    ]);
  });

  it("takes no array access and no other brackets for one", () => {
    expect(citationsIn("list[0] [P] [X1] P1")).toEqual([]);
  });

  it.each([['it("[P1, L2] x")'], ['it("[P1 ~] x")'], ['it("[ P1] x")'], ['it("[P1?] x")']])(
    "notices %s as nearly one",
    (text) => {
      expect(malformedCitations(text)).toHaveLength(1);
    },
  );

  it("leaves right ones alone", () => {
    expect(malformedCitations('it("[P1] [L12~] trap 7")')).toEqual([]);
  });
});

describe("standings", () => {
  const status = (requirements: typeof list, last: TestRun | undefined) => standings(requirements, last)[0]?.status;

  it("is met by a whole citation that passed, and by nothing less", () => {
    expect(status(list, run(["[P1] x", "passed"]))).toBe("met");
    expect(status(list, run(["[P1~] x", "passed"]))).toBe("gap");
    expect(status(list, run(["[P1] x", "skipped"]))).toBe("gap");
    expect(status(list, run(["[P1] x", "failed"]))).toBe("gap");
    expect(status(list, run(["[P1] x", "passed"], ["[P1~] y", "failed"]))).toBe("gap");
    expect(status(list, run(["[P11] x", "passed"]))).toBe("gap");
    expect(status(list, undefined)).toBe("gap");
  });

  it("is never met where a gap is declared", () => {
    expect(status(gaps, run(["[P1] x", "passed"]))).toBe("gap");
  });

  it("gives every gap a reason, and no met promise one", () => {
    for (const standing of [
      ...standings(list, undefined),
      ...standings(gaps, run()),
      ...standings(list, run(["[P1] x", "failed"])),
    ]) {
      expect(standing.reason).toMatch(/\w/);
    }
    expect(standings(list, run(["[P1] x", "passed"]))[0]).not.toHaveProperty("reason");
  });
});

describe("the failures of a run", () => {
  it("are each a name and the first lines of why, files that do not load included", () => {
    const last = {
      ...run(["adds", "failed"], ["subtracts", "passed"]),
      brokenFiles: [{ file: "b.test.ts", failure: Array.from({ length: 90 }, (_, line) => `line ${line}`).join("\n") }],
    };
    const [broken = "", failed, ...none] = failuresOf(last);
    expect(broken.split("\n")).toHaveLength(7);
    expect(broken).toContain("b.test.ts\n    line 0\n");
    expect(failed).toBe("a.test.ts: adds\n    Error: 1 is not 2\n        at a.test.ts:7:1");
    expect(none).toEqual([]);
  });
});

it("a test that passed only when it was tried again is named", () => {
  const last = run(["adds", "passed"], ["subtracts", "passed"]);
  const [adds, subtracts] = last.tests;
  const tests = [{ ...adds, failure: "Error: timed out" }, subtracts].filter((test): test is TestResult => !!test);
  expect(unsteadyOf({ ...last, tests })).toEqual(["a.test.ts: adds\n    Error: timed out"]);
});

describe("the check of the manifest", () => {
  it("passes when a promise is proven, or its gap is not", () => {
    expect(checkRequirements(list, [], run(["[P1] x", "passed"]))).toEqual([]);
    expect(checkRequirements(gaps, [], run(["[P1~] x", "passed"]))).toEqual([]);
  });

  it("refuses an id that is no promise, in a file or in a title made at run time", () => {
    expect(checkRequirements(gaps, [{ id: "P99", whole: true, file: "a.test.ts" }], run())).toHaveLength(1);
    expect(checkRequirements(gaps, [], run(["[P98~] x", "passed"]))).toHaveLength(1);
  });

  it("refuses a promise that is neither a gap nor proven", () => {
    expect(checkRequirements(list, [], run(["[P1~] x", "passed"]))).toHaveLength(1);
    expect(checkRequirements(list, [], run(["[P1] x", "skipped"]))).toHaveLength(1);
  });

  it("refuses a gap that is proven", () => {
    expect(checkRequirements(gaps, [], run(["[P1] x", "passed"]))).toHaveLength(1);
  });

  it("refuses a cited test that failed, of a gap too", () => {
    expect(checkRequirements(list, [], run(["[P1] x", "passed"], ["[P1~] y", "failed"]))).toHaveLength(1);
    expect(checkRequirements(gaps, [], run(["[P1~] x", "failed"]))).toHaveLength(1);
  });

  it("refuses to say anything without a run", () => {
    expect(checkRequirements(gaps, [], undefined)).toHaveLength(1);
  });
});

describe("the manifest", () => {
  it("holds every promise once, with a sentence", () => {
    const counts = { P: 18, A: 13, B: 9, R: 9, L: 8, G: 12 };
    const expected = Object.entries(counts).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
    );
    expect(REQUIREMENTS.map(({ id }) => id)).toEqual(expected);
    for (const { sentence, gap } of REQUIREMENTS) {
      expect(sentence.length).toBeGreaterThan(10);
      if (gap !== undefined) expect(gap.length).toBeGreaterThan(10);
    }
  });
});
