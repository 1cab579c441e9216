import { readFileSync } from "node:fs";
import { runPolicyTests } from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeHash } from "@saferun/store";
import { describe, expect, it } from "vitest";

const text = readFileSync(new URL("policies.yaml", import.meta.url), "utf8");
const loaded = loadPolicies([{ file: "policies.yaml", text }], { hash: nodeHash });
if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));

describe("the policies of the support agent", () => {
  it("load without a warning", () => {
    expect(loaded.warnings).toEqual([]);
  });

  const outcomes = runPolicyTests(loaded.policies, loaded.documents, nodeHash);
  it.each(outcomes)("[P11~] $name", ({ failures }) => {
    expect(failures).toEqual([]);
  });

  it("have a test for every rule", () => {
    const tested = new Set(text.match(/(?<=by: \[).*(?=\])/g)?.flatMap((ids) => ids.split(",").map((id) => id.trim())));
    expect(loaded.policies.rules.map(({ id }) => id).filter((id) => !tested.has(id))).toEqual([]);
  });
});
