import { policySchema } from "@saferun/document";
import { describe, expect, it } from "vitest";
import { optionsAt } from "./completion.ts";
import { placeAt } from "./place.ts";

const known = {
  schema: policySchema(),
  words: null,
  tools: ["stripe.refund", "mail.send"],
  agents: ["support"],
  environments: ["prod", "staging"],
};
const labels = (before: string): string[] => optionsAt(known, before).map(({ label }) => label);

const HEAD = `saferun: policy/v1
# a comment: { not: yaml
tools:
  stripe.refund:
    kind: write
    schema: { type: object,
      properties: { order: { type: string } } }
`;

describe("the place in a policy file", () => {
  it("is the mapping that the indentation says, in a block", () => {
    expect(placeAt(`${HEAD}rules:\n  - id: a\n    `)).toEqual({
      path: ["rules", 0],
      wants: "key",
      siblings: new Set(["id"]),
    });
    expect(placeAt(`${HEAD}rules:\n- id: a\n  then: deny\n- `).path).toEqual(["rules", 1]);
    expect(placeAt(`${HEAD}  `)).toMatchObject({ path: ["tools"], wants: "key" });
    expect(placeAt(`${HEAD}    `)).toMatchObject({ path: ["tools", "stripe.refund"], wants: "key" });
    expect(placeAt(HEAD).siblings).toEqual(new Set(["saferun", "tools"]));
  });

  it("is what is open, in a flow collection, also over lines", () => {
    const rule = `${HEAD}rules:\n  - { id: a, tool: x }\n  - { id: b, `;
    expect(placeAt(rule)).toEqual({ path: ["rules", 1], wants: "key", siblings: new Set(["id"]) });
    expect(placeAt(`${rule}then: `)).toMatchObject({ path: ["rules", 1, "then"], wants: "value" });
    expect(placeAt(`${rule}tool: [a, `)).toMatchObject({ path: ["rules", 1, "tool", 1], wants: "value" });
    expect(placeAt(`${rule}\n      approval: { route: r, `)).toMatchObject({
      path: ["rules", 1, "approval"],
      wants: "key",
    });
    expect(placeAt(`${rule}reason: "a, b: {", `)).toMatchObject({ path: ["rules", 1], wants: "key" });
  });
});

describe("completion", () => {
  it("offers the keys that are not there yet", () => {
    expect(labels("")).toContain("rules");
    expect(labels("saferun: policy/v1\n")).not.toContain("saferun");
    const rule = labels("rules:\n  - { id: a, ");
    expect(rule).toEqual(expect.arrayContaining(["tool", "when", "then", "approval"]));
    expect(rule).not.toContain("id");
    expect(labels("environments:\n  prod:\n    ")).toEqual(expect.arrayContaining(["unmatched", "mode"]));
  });

  it("offers the words of an enumeration, and names that are known here", () => {
    expect(labels("rules:\n  - id: a\n    then: ")).toEqual(["allow", "deny", "pause"]);
    expect(labels("rules:\n  - { id: a, tool: ")).toEqual(["stripe.refund", "mail.send"]);
    expect(labels("rules:\n  - { id: a, env: [")).toEqual(["prod", "staging"]);
    expect(labels("rules:\n  - { id: a, kind: [")).toEqual(["read", "write", "destructive", "none"]);
  });

  it("offers nothing where anything may stand", () => {
    expect(labels("rules:\n  - { id: a, when: ")).toEqual([]);
    expect(labels("nothing:\n  - ")).toEqual([]);
  });
});
