import { readFileSync } from "node:fs";
import { POLICY_FORMAT, renderReference } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { policySchema, policySchemaText } from "./json-schema.ts";

describe("the policy format", () => {
  it("[P1~] the committed JSON Schema is the one that the format gives", () => {
    const committed: unknown = JSON.parse(readFileSync(new URL("../policy.schema.json", import.meta.url), "utf8"));
    expect(committed).toEqual(JSON.parse(policySchemaText()));
  });

  it("schema and reference name every key of the format", () => {
    const { properties } = policySchema();
    expect(Object.keys(properties ?? {})).toEqual(Object.keys(POLICY_FORMAT.fields));
    const reference = renderReference();
    for (const key of ["saferun", "environments", "unmatched", "editable", "within", "unwrap", "budgets", "expect"]) {
      expect(reference).toContain(`| \`${key}\` |`);
    }
  });
});
