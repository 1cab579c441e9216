/** What a run has done before, as lines, tests of policies, the log and explanations have it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { saferun as gate } from "@saferun/sdk";
import { openSqliteStore } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, saferun } from "./saferun.ts";

const POLICY = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools:
  verify: { kind: read }
  refund: { kind: write }
rules:
  - { id: all, tool: [verify, refund], then: allow }
`;
const GUARDED = `${POLICY}  - id: unverified
    tool: refund
    when: '!run.calls.exists(c, c.tool == "verify" && c.args.order == args.order)'
    then: deny
tests:
  - name: a refund after its order was verified
    run:
      - { call: { tool: refund, args: { order: W1 } }, result: {}, expect: { then: deny, by: [unverified] } }
      - { call: { tool: verify, args: { order: W1 } }, result: { ok: true }, expect: allow }
      - { call: { tool: verify, args: { order: W2 } }, expect: allow }
      - { call: { tool: refund, args: { order: W1 } }, expect: allow }
      - { call: { tool: refund, args: { order: W2 } }, expect: { then: deny, by: [unverified] } }
`;

let place: Place;
beforeEach(() => {
  place = makePlace();
  writeFileSync(join(place.cwd, "before.yaml"), POLICY);
  writeFileSync(join(place.cwd, "policies.yaml"), GUARDED);
});
afterEach(() => place.remove());

const line = (tool: string, order: string, more: object = {}) =>
  JSON.stringify({ tool, args: { order }, run: "r1", ...more });

const LINES = [
  line("refund", "W1", { result: {} }),
  line("verify", "W1", { result: { ok: true } }),
  line("verify", "W2"),
  line("refund", "W1"),
  line("refund", "W2"),
  line("refund", "W1", { run: "r2" }),
].join("\n");

describe("run.calls", () => {
  it("grows with the steps of a test", async () => {
    const { code, stdout } = await saferun(place, ["test", "policies.yaml"]);
    expect(stdout).toMatch(/1 passed/);
    expect(code).toBe(0);
  });

  it("grows with the lines of a run that have a result", async () => {
    writeFileSync(join(place.cwd, "calls.jsonl"), LINES);
    const { stdout } = await saferun(place, ["eval", "-p", "policies.yaml", "-c", "calls.jsonl"]);
    const verdicts = stdout
      .trim()
      .split("\n")
      .map((text) => (JSON.parse(text) as { verdict: string }).verdict);
    expect(verdicts).toEqual(["deny", "allow", "allow", "allow", "deny", "deny"]);
  });

  it("is what was recorded, in a backtest of lines and of the log, and in an explanation", async () => {
    writeFileSync(join(place.cwd, "calls.jsonl"), LINES);
    const files = ["--policies", "policies.yaml", "--against", "before.yaml"];
    const lines = await saferun(place, ["backtest", ...files, "--calls", "calls.jsonl", "--json"]);
    expect(lines.json()).toMatchObject({ judged: 6, changed: 3 });

    mkdirSync(join(place.cwd, "state"));
    const store = openSqliteStore({ directory: join(place.cwd, "state", "store") });
    const options = { policies: [join(place.cwd, "before.yaml")], store, environment: "prod", agent: "desk" };
    const verify = gate.wrap(async function verify(_args: object) {
      return { ok: true };
    }, options);
    const refund = gate.wrap(async function refund(_args: object) {
      return { done: true };
    }, options);
    await gate.run({ id: "run-1" }, async () => {
      await refund({ order: "W1" });
      await verify({ order: "W1" });
      await refund({ order: "W1", again: true });
    });
    await store.close();
    const at = ["--store", "state/store"];
    const log = await saferun(place, ["backtest", ...files, ...at, "--json"]);
    expect(log.json()).toMatchObject({ judged: 3, changed: 1 });
    const runs = await saferun(place, ["runs", "run-1", ...at, "--json"]);
    const refunds = (runs.json().steps as { call?: string; tool?: string }[]).filter(({ tool }) => tool === "refund");
    const said = [];
    for (const { call = "" } of refunds) {
      const explained = await saferun(place, [
        ...["explain", "-p", "policies.yaml", "--run", "run-1", "--call-id", call, ...at, "--json"],
      ]);
      said.push((explained.json() as { verdict?: string }).verdict);
    }
    expect(said).toEqual(["deny", "allow"]);
  }, 120_000);
});
