import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkOptions, OPTIONS, type WrapOptions } from "./options.ts";
import { checkFacts } from "./run-facts.ts";

const check = (change: object, variables: Record<string, string> = {}) =>
  checkOptions({ policies: ["p.yaml"], ...change } as WrapOptions, { policies: true }, variables);

describe("options", () => {
  it("stand in docs/sdk.md, each of them and no other", () => {
    const page = readFileSync(new URL("../../../docs/sdk.md", import.meta.url), "utf8");
    const [, table = ""] = /^## Options\n([\s\S]*?)^## /m.exec(page) ?? [];
    const documented = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = ""]) => name);
    expect(documented.toSorted()).toEqual(OPTIONS.toSorted());
  });

  it("refuse what they do not know, so that no setting is without effect (trap 4)", () => {
    expect(() => check({ polices: [] })).toThrow("there is no option `polices`; did you mean `policies`?");
    expect(() => check({ xyzzy: [] })).toThrow(/no option `xyzzy`; there are policies, onPause/);
    expect(() => check({ redact: { secret: [] } })).toThrow("`redact` has no `secret`; did you mean `secrets`?");
    expect(() => check({ gate: 1 })).toThrow("`gate` is not available in this version");
  });

  it.each<[string, unknown]>([
    ["no table", 1],
    ["a model without its provider", { "gpt-5": { input: "1", output: "1" } }],
    ["a number", { "a:m": { input: 3, output: "1" } }],
    ["no output", { "a:m": { input: "3" } }],
    ["a sign", { "a:m": { input: "-3", output: "1" } }],
    ["an exponent", { "a:m": { input: "3e2", output: "1" } }],
    ["a comma", { "a:m": { input: "3,00", output: "1" } }],
    ["more digits than a millionth has", { "a:m": { input: "0.0000001", output: "1" } }],
    ["an empty text", { "a:m": { input: "", output: "1" } }],
    ["an unknown key", { "a:m": { input: "3", output: "1", cached: "1" } }],
    ["an answer of no length", { "a:m": { input: "3", output: "1", maxOutputTokens: 0 } }],
  ])("refuse prices with %s (trap 7)", (_what, prices) => {
    expect(() => check({ prices })).toThrow(expect.objectContaining({ code: "option.invalid" }));
  });

  it("refuse a mode that is misspelt, and no policies at all (trap 5)", () => {
    expect(() => check({ mode: "enforced" })).toThrow(/must be `enforce` or `observe`/);
    expect(() => check({ policies: [] })).toThrow(expect.objectContaining({ code: "policy.missing" }));
    expect(() => check({ policies: undefined })).toThrow(expect.objectContaining({ code: "policy.missing" }));
    expect(() => check({ policies: "p.yaml" })).toThrow(expect.objectContaining({ code: "option.invalid" }));
  });

  it("refuse values of the wrong kind", () => {
    for (const change of [
      { onPause: "slack" },
      { agent: "" },
      { environment: 7 },
      { store: {} },
      { store: "" },
      { run: [] },
      { run: { user: "x" } },
    ]) {
      expect(() => check(change), JSON.stringify(change)).toThrow(expect.objectContaining({ code: "option.invalid" }));
    }
  });

  it("take the environment from the variables, and production where nothing is said", () => {
    expect(check({}).environment).toBe("prod");
    expect(check({}, { SAFERUN_ENV: "", NODE_ENV: "" }).environment).toBe("prod");
    expect(check({}, { NODE_ENV: "production" }).environment).toBe("prod");
    expect(check({}, { NODE_ENV: "development" }).environment).toBe("dev");
    expect(check({}, { NODE_ENV: "test" }).environment).toBe("test");
    expect(check({}, { SAFERUN_ENV: "staging", NODE_ENV: "development" }).environment).toBe("staging");
    expect(check({ environment: "production" }, { SAFERUN_ENV: "dev" }).environment).toBe("prod");
    expect(check({ environment: "constructor" }).environment).toBe("constructor");
  });
});

describe("facts about a run", () => {
  it("are copied and frozen: what is stated at the start does not change", () => {
    const context = { tenant: { id: "acme" } };
    const facts = checkFacts({ principal: { id: "u" }, context, prompt: "hello" });
    context.tenant.id = "other";
    expect(facts).toEqual({
      principal: { id: "u", kind: "person", roles: [], labels: {} },
      context: { tenant: { id: "acme" } },
      prompt: ["hello"],
    });
    expect(Object.isFrozen(facts.context.tenant)).toBe(true);
  });

  it("are refused where a rule would misread them (trap 7)", () => {
    for (const facts of [
      { principal: { id: "" } },
      { principal: { id: 7 } },
      { principal: { id: "u", kind: "admin" } },
      { principal: { id: "u", roles: "admin" } },
      { principal: { id: "u", name: "Ann" } },
      { context: { amount: Number.NaN } },
      { context: [] },
      { prompt: [7] },
      { facts: {} },
      Promise.resolve({}),
    ]) {
      expect(() => checkFacts(facts as never)).toThrow(expect.objectContaining({ code: "option.invalid" }));
    }
  });
});
