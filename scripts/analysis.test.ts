/** docs/analysis.md has one section for each code of the analysis, and none for another. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { ANALYSIS_CODES } from "../packages/core/src/index.ts";
import { ROOT } from "./steps.ts";

it("docs/analysis.md has one section for each finding, and none for another", () => {
  const text = readFileSync(path.join(ROOT, "docs/analysis.md"), "utf8");
  const sections = [...text.matchAll(/^### `([a-z-]+)`$/gm)].map(([, code]) => code);
  expect([...sections].sort()).toEqual(Object.keys(ANALYSIS_CODES).sort());
});
