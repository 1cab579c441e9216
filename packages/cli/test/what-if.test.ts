import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saferun as gate } from "@saferun/sdk";
import { nodeClock } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inProcess } from "./in-process.ts";
import { openSample, POLICY, type Sample } from "./sample.ts";

let directory = "";
let sample: Sample;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-what-if-"));
});
afterEach(async () => {
  await sample.store.close();
  rmSync(directory, { recursive: true, force: true });
});

const call = (tool: string, args: object, result: unknown = { ok: true }) =>
  sample.gate.call(sample.run, { tool, args }, (permit) => {
    sample.execute(permit);
    return result;
  });

function policy(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return name;
}

/** What is sent is kept as a digest alone. */
const KEPT = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools:
  read: { kind: read }
  send: { kind: write, record: digest }
rules:
  - { id: reading, tool: read, then: allow }
  - id: sending
    tool: send
    then: allow
`;

interface Judged {
  readonly changes: readonly { readonly step: number; readonly after: { readonly verdict: string; by: string[] } }[];
}

/** `[step, by whom]` of each decision that comes out otherwise under this text. */
async function changed(text: string): Promise<unknown[]> {
  writeFileSync(join(directory, "other.yaml"), text);
  const { exit, json } = await inProcess(directory, ["replay", sample.run.id, "--policies", "other.yaml", "--json"]);
  const { changes } = json() as Judged;
  expect(exit).toBe(changes.length === 0 ? 0 : 1);
  return changes.map(({ step, after }) => [step, after.verdict, ...after.by]);
}

describe("saferun replay --policies", () => {
  it("[R3~] judges under another rule, another budget, another detector, and all of them at once", async () => {
    sample = openSample(join(directory, "store"));
    for (const amount of [4_000, 5_000, 3_000, 1_000]) await call("stripe.refund", { amount });
    for (let index = 0; index < 3; index++) await call("orders.get", { id: 17 });
    expect(sample.ran).toHaveLength(7);

    const rule = (text: string) => text.replace("args.amount <= 5000", "args.amount <= 4000");
    const budget = (text: string) => text.replace("limit: 1000000", "limit: 12500");
    const detector = (text: string) => `${text}breakers:\n  repeat: { same: 2 }\n`;
    expect(await changed(POLICY)).toEqual([]);
    expect(await changed(rule(POLICY))).toEqual([[2, "deny", "unmatched:prod"]]);
    expect(await changed(budget(POLICY))).toEqual([[4, "deny", "budget:refunds"]]);
    expect(await changed(detector(POLICY))).toEqual([[7, "deny", "breaker:repeat"]]);
    // Without the second refund there is room for the last one.
    expect(await changed(detector(budget(rule(POLICY))))).toEqual([
      [2, "deny", "unmatched:prod"],
      [7, "deny", "breaker:repeat"],
    ]);
    expect(sample.ran).toHaveLength(7);
  });

  it("[R3~] names the step that it cannot judge again, why, and what to do", async () => {
    writeFileSync(join(directory, "kept.yaml"), KEPT);
    sample = openSample(join(directory, "store"), nodeClock, KEPT);
    const options = {
      policies: [join(directory, "kept.yaml")],
      store: sample.store,
      environment: "prod",
      agent: "desk",
    };
    const read = gate.wrap(async function read(_args: object) {
      return { ok: true };
    }, options);
    const send = gate.wrap(async function send(_args: object) {
      return { ok: true };
    }, options);
    await gate.run({ id: "run-1" }, async () => {
      await read({ id: 17 });
      await send({ to: "ada@example.com" });
    });
    await gate.shutdown();
    writeFileSync(
      join(directory, "other.yaml"),
      KEPT.replace("tool: send\n    then: allow", "tool: send\n    then: deny"),
    );
    const run = (...args: string[]) => inProcess(directory, ["replay", "run-1", "--policies", "other.yaml", ...args]);
    const { exit, out } = await run();
    expect(exit).toBe(0);
    expect(out).toContain(
      "step 2  send  not reproducible: the record masks something of what was judged\n  `saferun replay RUN --fork STEP --set 'args={…}'` judges it with arguments that you know\n",
    );
    expect(out).toContain("0 of 1 decisions are other than what was recorded; 1 could not be judged again\n");
    expect((await run("--json")).json()).toMatchObject({
      not_reproducible: [{ step: 2, tool: "send", why: "masked" }],
    });

    const { out: told } = await inProcess(directory, ["runs", "run-1"]);
    expect(told).toMatch(/send {2}call_\w+\n.*\n {6}arguments {2}\(only a digest is kept: "[0-9a-f]{64}"\)\n/);
    expect(told).not.toContain("encoding");

    const part = await run("--fork", "2", "--set", "args.to=eve@example.com");
    expect([part.exit, part.err]).toEqual([3, expect.stringContaining("`--set 'args={…}'` gives all of them")]);
    const whole = await run("--fork", "2", "--set", 'args={"to":"eve@example.com"}', "--json");
    expect(whole.json()).toMatchObject({ changes: [{ step: 2, after: { verdict: "deny", by: ["sending"] } }] });
  });

  it("[R3~] tells a call without a name from one whose name was erased", async () => {
    sample = openSample(join(directory, "store"));
    await call("", { id: 1 });
    expect((await inProcess(directory, ["runs", sample.run.id])).out).toContain("  (no name)  call_");
    const { out } = await inProcess(directory, ["replay", sample.run.id, "--policies", policy("same.yaml", POLICY)]);
    expect(out).toContain("step 1  (no name)  not reproducible: it was no call, which no policy is asked about\n");
  });

  it("[R3~] says of what was erased that it was, and judges the rest", async () => {
    sample = openSample(join(directory, "store"));
    await call("orders.get", { id: 17 });
    await call("stripe.refund", { amount: 10 });
    const { steps } = (await inProcess(directory, ["replay", sample.run.id, "--json"])).json() as {
      steps: readonly { readonly call: string }[];
    };
    const erased = await inProcess(directory, [
      "log",
      "erase",
      "--call",
      steps[0]?.call ?? "",
      "--reason",
      "test data",
    ]);
    expect(erased.exit).toBe(0);
    writeFileSync(join(directory, "other.yaml"), POLICY.replace("args.amount >= 0", "args.amount >= 20"));
    const { exit, out } = await inProcess(directory, ["replay", sample.run.id, "--policies", "other.yaml"]);
    expect(exit).toBe(1);
    expect(out).toMatch(
      /^step 2 {2}stripe\.refund {2}allow \(refund-small\), ran → deny \(unmatched:prod\), did not run$/m,
    );
    expect(out).toMatch(/^step 1 {2}.* {2}not reproducible: its content was taken out of the log$/m);
  });
});
