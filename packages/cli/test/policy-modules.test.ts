/** Policies written in TypeScript, wherever a command takes policy files. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";

const MODULES = fileURLToPath(new URL("../../../node_modules", import.meta.url));

const SHARED = `import { tool } from "@saferun/sdk";
export const refund = tool("refund", {
  kind: "write",
  schema: { type: "object", properties: { amount: { type: "integer" } }, required: ["amount"] },
});
`;
const policyOf = (most: number) => `import { policy, rule } from "@saferun/sdk";
import { refund } from "../shared.ts";

const when: string = "args.amount > 0 && args.amount <= ${most}";

export const payments = policy({
  environments: { prod: { unmatched: "deny" } },
  rules: [rule({ id: "small", tool: refund, when, then: "allow", else: "pause" })],
  tests: [{ name: "a small one passes", call: { tool: "refund", args: { amount: 5 } }, expect: "allow" }],
});
`;
const YAML = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools:
  refund:
    kind: write
    schema: { type: object, properties: { amount: { type: integer } }, required: [amount] }
rules:
  - { id: small, tool: refund, when: "args.amount > 0 && args.amount <= 100", then: allow, else: pause }
`;

let place: Place;
const write = (file: string, text: string) => writeFileSync(join(place.cwd, file), text);
beforeEach(() => {
  place = makePlace();
  symlinkSync(MODULES, join(place.cwd, "node_modules"));
  for (const directory of ["policies", "old"]) mkdirSync(join(place.cwd, directory));
  write("package.json", '{ "type": "module" }');
  write("shared.ts", SHARED);
  write("policies/payments.ts", policyOf(100));
});
afterEach(() => place.remove());

describe("a policy module", () => {
  it("[P2~] is checked, tested, asked, explained, compared and tried on calls as a file is", async () => {
    write("policies/types.d.ts", "export type Never = never;\n");
    write("policies/payments.test.ts", "throw new Error('a test is no policy');\n");
    write("old/payments.mts", policyOf(1_000));
    write("same.yaml", YAML);
    const call = '{"tool":"refund","args":{"amount":500}}';

    expect(await saferun(place, ["check", "--strict"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^usable: 1 file, 0 errors, 0 warnings/),
    });
    expect((await saferun(place, ["test", "--json"])).json()).toMatchObject({ ok: true, passed: 1 });
    const decided = (await saferun(place, ["eval", "-p", "policies", "-c", "-"], call)).json();
    expect(decided).toMatchObject({ verdict: "pause", by: ["small"] });
    const file = (await saferun(place, ["eval", "-p", "same.yaml", "-c", "-"], call)).json();
    expect(decided).toEqual({ ...file, revision: decided.revision });
    expect((await saferun(place, ["explain", "--call", call])).stdout).toMatch(/policies\/payments\.ts:\d+:\d+/);
    expect(await saferun(place, ["diff", "same.yaml", "policies"])).toMatchObject({ code: 0 });
    expect((await saferun(place, ["diff", "old/*.mts", "policies/payments.ts"])).stdout).toContain(
      "1 difference, 0 gained, 1 lost",
    );
    const tried = await saferun(place, ["backtest", "-p", "policies", "--against", "old", "-c", "-", "--json"], call);
    expect(tried.json()).toMatchObject({ judged: 1, moves: [{ from: "allow", to: "pause", calls: 1 }] });
  }, 120_000);

  it("[P2~] with a function: `check` says that it is not analysable, the other commands ask it", async () => {
    const rules = `
import { opaque, policy, rule } from "@saferun/sdk";
import { refund } from "../shared.ts";
export default policy({ rules: [rule({ id: "odd", tool: refund, when: opaque((c) => c.args.amount % 2 === 1, { version: "1" }), then: "deny" })] });
`;
    write("policies/odd.ts", rules);
    const checked = await saferun(place, ["check", "--json"]);
    expect(checked.json()).toMatchObject({
      ok: true,
      issues: [{ code: "not-analysable", severity: "warning", file: "policies/odd.ts", line: 4, rule: "odd" }],
    });
    const asked = await saferun(place, ["eval", "-p", "policies", "-c", "-"], '{"tool":"refund","args":{"amount":3}}');
    expect(asked.json()).toMatchObject({ verdict: "deny", by: ["odd"] });
  });

  it("that throws, does not parse, is not found or exports none is named with its line, and nothing is judged", async () => {
    const faults: readonly [text: string, place: RegExp, message: RegExp][] = [
      ["\nconst limits = {};\nlimits.refund.most();\n", /^bad\.ts:3:15: error: /, /the module fails: TypeError: /],
      ["export const a = 1;\nexport const b = ;\n", /^bad\.ts:2:\d+: error: /, /the module fails: SyntaxError: /],
      ["enum Verdict { allow }\n", /^bad\.ts:1:\d+: error: /, /enum is not supported/],
      ['import "./nowhere.ts";\n', /^bad\.ts:1:1: error: /, /Cannot find module .*nowhere\.ts/],
      ["export const policies = [{ rules: [] }];\n", /^bad\.ts:1:1: error: /, /exports no policy; export what/],
      ["export const p = { tree: {}, issues: [] };\n", /^bad\.ts:1:1: error: /, /another copy of SafeRun/],
      ["throw 'a\\u001b[31mtext';\n", /^bad\.ts:1:1: error: /, /the module fails: a\\u\{1b\}\[31mtext/],
    ];
    for (const [text, where, message] of faults) {
      write("bad.ts", text);
      const checked = await saferun(place, ["check", "policies", "bad.ts"]);
      expect(checked).toMatchObject({ code: 1, stderr: "" });
      expect(checked.stdout).toMatch(where);
      expect(checked.stdout).toMatch(message);
    }
    const asked = await saferun(place, ["eval", "-p", "policies", "bad.ts", "-c", "-"], '{"tool":"refund"}');
    expect(asked).toMatchObject({ code: 3, stdout: "", stderr: expect.stringContaining("bad.ts:1:1: error: ") });
  }, 120_000);
});
