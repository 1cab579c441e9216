import { runPolicyTests } from "@saferun/core";
import { describe, expect, it } from "vitest";
import { decide, hash } from "../test/loading.ts";
import { loadPolicies } from "./load.ts";

const POLICY = `saferun: policy/v1
environments: { prod: {} }
tools: { refund: { kind: write, schema: ./refund.json } }
rules: [{ id: small, tool: refund, when: args.amount <= 100, then: allow, mode: observe }]
`;
const SCHEMA = '{"type":"object","properties":{"amount":{"type":"integer"}},"required":["amount"]}';

function load(readFile?: (path: string, from: string) => string, more: object = {}) {
  const files = [{ file: "policies/a.yaml", text: POLICY }];
  return loadPolicies(files, { hash, ...(readFile === undefined ? {} : { readFile }), ...more });
}

describe("a schema in a file of its own", () => {
  it("[P5~] is read from beside the policy, and enforced", () => {
    const asked: string[][] = [];
    const loaded = load((path, from) => {
      asked.push([path, from]);
      return SCHEMA;
    });
    if (!loaded.ok) throw new Error(loaded.issues[0]?.message);
    expect(asked).toEqual([["./refund.json", "policies/a.yaml"]]);
    expect(decide(loaded.policies, { tool: "refund", args: { amount: "1" } })).toMatchObject({ by: ["schema:refund"] });
    expect(decide(loaded.policies, { tool: "refund", args: { amount: 1 } })).toMatchObject({ by: ["unmatched:prod"] });
  });

  it("is part of the revision", () => {
    const revisions = [SCHEMA, SCHEMA.replace("integer", "number")].map((text) => {
      const loaded = load(() => text);
      return loaded.ok ? loaded.policies.revision : "";
    });
    expect(new Set(revisions).size).toBe(2);
  });

  it.each<[string, ((path: string, from: string) => string) | undefined, string]>([
    ["cannot be read here", undefined, "cannot be read here; write the schema itself"],
    [
      "is not there",
      () => {
        throw new Error("no such file");
      },
      "the schema file `./refund.json` cannot be read: no such file",
    ],
    ["is no JSON", () => '{"a":1,\n"a":2}', "./refund.json:2:1: the key `a` twice"],
    ["is no schema", () => '{"typ":"object"}', "at `#/typ`: the keyword `typ` is not supported; did you mean `type`?"],
  ])("that %s: the set does not load, and says where (trap 5)", (_name, readFile, says) => {
    const loaded = load(readFile);
    expect(loaded.ok).toBe(false);
    const [issue] = loaded.ok ? [] : loaded.issues;
    expect(issue).toMatchObject({ file: "policies/a.yaml", line: 3 });
    expect(issue?.message).toContain(says);
  });

  it("`enforce` makes observed rules bind, with everything else as it is", () => {
    const observed = load(() => SCHEMA);
    const enforced = load(() => SCHEMA, { enforce: true });
    if (!observed.ok || !enforced.ok) throw new Error("does not load");
    const ask = { tool: "refund", args: { amount: 1 } };
    expect(decide(observed.policies, ask).verdict).toBe("deny");
    expect(decide(enforced.policies, ask).verdict).toBe("allow");
    expect(decide(enforced.policies, { ...ask, args: {} }).by).toEqual(["schema:refund"]);
  });
});

describe("policy tests", () => {
  it("say which schema a call does not fit, because it may be the framework's own", () => {
    const text = `${POLICY.replace("./refund.json", SCHEMA)}tests:
  - { name: a, call: { tool: refund, args: { sum: 80 } }, expect: { then: allow } }
`;
    const loaded = loadPolicies([{ file: "a.yaml", text }], { hash });
    if (!loaded.ok) throw new Error(loaded.issues[0]?.message);
    expect(runPolicyTests(loaded.policies, loaded.documents, hash)[0]?.failures[0]).toMatch(
      /^expected allow, got deny by schema:refund: The arguments do not fit the tool's schema: .*`amount` is required/,
    );
  });

  it("may say which arguments run [P7~] [P11~]", () => {
    const text = (amount: number) => `${POLICY.replace("schema: ./refund.json", "labels: [a]").replace(
      "mode: observe",
      "change: { clamp: args.amount, max: 50 }",
    )}tests:
  - { name: a, call: { tool: refund, args: { amount: 80 } }, expect: { then: allow, args: { amount: ${amount} } } }
  - { name: b, call: { tool: refund, args: { amount: 800 } }, expect: { then: deny, args: {} } }
`;
    const outcomes = (amount: number) => {
      const loaded = loadPolicies([{ file: "a.yaml", text: text(amount) }], { hash });
      if (!loaded.ok) throw new Error(loaded.issues[0]?.message);
      return runPolicyTests(loaded.policies, loaded.documents, hash).map(({ failures }) => failures.join());
    };
    expect(outcomes(50)).toEqual(["", "expected arguments, but nothing would run"]);
    expect(outcomes(80)[0]).toBe('expected other arguments: `amount` differ; it would run with {"amount":50}');
  });
});
