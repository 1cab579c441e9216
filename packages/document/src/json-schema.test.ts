import { readFileSync } from "node:fs";
import { POLICY_FORMAT, renderReference } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { policySchema, policySchemaText } from "./json-schema.ts";
import { loadPolicies } from "./load.ts";

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

  it("[P1~] every reserved key, wherever it stands, is an error with its place and never ignored (trap 4)", () => {
    const hash = { sha256: (bytes: Uint8Array) => bytes.slice(0, 32) };
    const head = "saferun: policy/v1\nenvironments: { prod: {} }\n";
    const holders: [string, Readonly<Record<string, { use: string }>>, (key: string) => string][] = [
      ["file", POLICY_FORMAT.fields, (key) => `${head}${key}: []\n`],
      ["tool", POLICY_FORMAT.fields.tools.shape.value.fields, (key) => `${head}tools: { t: { ${key}: [] } }\n`],
      [
        "rule",
        POLICY_FORMAT.fields.rules.shape.item.fields,
        (key) => `${head}tools: { t: {} }\nrules: [{ id: a, tool: t, then: deny, ${key}: [] }]\n`,
      ],
      ["route", POLICY_FORMAT.fields.routes.shape.value.fields, (key) => `${head}routes: { r: { ${key}: [] } }\n`],
    ];
    let count = 0;
    for (const [, fields, text] of holders) {
      for (const [key, { use }] of Object.entries(fields)) {
        if (use !== "reserved") continue;
        count++;
        const result = loadPolicies([{ file: "p.yaml", text: text(key) }], { hash });
        expect(result.ok, key).toBe(false);
        const codes = result.ok ? [] : result.issues.map((issue) => issue.code);
        expect(codes, key).toEqual(["not-yet"]);
      }
    }
    expect(count).toBeGreaterThan(9);
  });
});
