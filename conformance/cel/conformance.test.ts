import { describe, expect, it } from "vitest";
import { compareEngines } from "./differential.ts";
import { runSuite } from "./suite.ts";

describe("conditions are CEL", () => {
  it("[P4~] pass the core of the public conformance tests, but for what is listed", () => {
    const { passed, total, problems } = runSuite("core");
    expect(problems).toEqual([]);
    expect(passed / total).toBeGreaterThanOrEqual(0.97);
    // An exclusion that swallowed the suite would pass too.
    expect(total).toBeGreaterThan(1_000);
  });

  it("pass the tests of the extensions that they have", () => {
    const { passed, total, problems } = runSuite("extensions");
    expect(problems).toEqual([]);
    expect(passed).toBe(total);
    expect(total).toBeGreaterThan(100);
  });

  it("[P4~] agree with an independent implementation on generated expressions", { timeout: 120_000 }, () => {
    const { cases, values, known } = compareEngines(7, 1_500);
    // Not only on errors.
    expect(values).toBeGreaterThan(cases / 3);
    const listed = [...known.values()].reduce((sum, count) => sum + count, 0);
    expect(listed).toBeLessThan(cases / 100);
  });
});
