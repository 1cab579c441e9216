import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decideApproval, type Run } from "@saferun/core";
import { nodeClock, nodeHash, nodeRandom } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inPlace, inProcess } from "./in-process.ts";
import { openSample, POLICY, pendingApproval, type Sample } from "./sample.ts";

/** Permits what it should not. */
const PERMISSIVE = POLICY.replace(
  "args.amount > 5000 && args.amount < 1000000\n    then: pause",
  "args.amount > 5000\n    then: allow",
)
  .replace(
    "    approval: { show: [args.amount], editable: [args.amount, args.metadata.reason] }\n    reason: refunds over 50.00 need a person\n",
    "",
  )
  .replace("limit: 1000000", "limit: 100000000");

let directory = "";
let sample: Sample;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-replay-"));
});

afterEach(async () => {
  await sample.store.close();
  rmSync(directory, { recursive: true, force: true });
});

function open(text: string): void {
  sample = openSample(join(directory, "store"), nodeClock, text);
}

const saferun = (args: readonly string[], keys?: readonly string[]) => inProcess(directory, args, keys);

const call = (run: Run, tool: string, args: object, result: unknown = { ok: true }) =>
  sample.gate.call(run, { tool, args }, (permit) => {
    sample.execute(permit);
    return result;
  });

function policy(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return name;
}

describe("saferun replay", () => {
  it("[R2] steps through a run on a terminal by keys, and puts the terminal back", async () => {
    open(POLICY);
    const { run } = sample;
    await call(run, "orders.get", { order: "17" });
    await call(run, "stripe.refund", { amount: 400 });
    await call(run, "stripe.refund", { amount: 2_000_000 });
    const seen = await saferun(
      ["replay", run.id.slice(0, 12)],
      ["\u001b[C", "\t", "\u001b[F", "\t", "1g", "\u001b[Z", "q"],
    );
    expect(seen.exit).toBe(0);
    expect(seen.out.startsWith("\u001b[?1049h\u001b[?25l\u001b[?7l")).toBe(true);
    expect(seen.out.endsWith("\u001b[?7h\u001b[?25h\u001b[?1049l")).toBe(true);
    const screens = seen.out.split("\u001b[H\u001b[2J").slice(1);
    const shown = screens.map((screen) => [
      /^>\s+(\d+)\./m.exec(screen)?.[1],
      /\[(Arguments|Decision|Result|Prompt|Raw)\]/.exec(screen)?.[1],
    ]);
    expect(shown).toEqual([
      ["1", "Arguments"],
      ["2", "Arguments"],
      ["2", "Decision"],
      ["3", "Decision"],
      ["3", "Result"],
      ["1", "Result"],
      ["1", "Decision"],
    ]);
    expect(screens[0]).toContain('order  "17"');
    expect(screens[3]).toContain("unmatched:prod");
  });

  it("[R2~] prints the list elsewhere, one step whole, and JSON", async () => {
    open(POLICY);
    const { run, store } = sample;
    const waiting = call(run, "stripe.refund", { amount: 450_000 });
    const approval = await pendingApproval(store, "stripe.refund");
    const by = { id: "local:ana", via: "cli", verified: false };
    await decideApproval(
      { store, clock: nodeClock, hash: nodeHash, random: nodeRandom },
      { approval, verdict: "approve", by, args: { amount: 4_500 } },
    );
    await waiting;
    const list = await saferun(["replay", run.id]);
    expect(list.out).toMatch(
      /1\. +\+0 ms {2}stripe\.refund {2}pause \(refund-large\) → approved by local:ana(, not verified)? after .* → succeeded/,
    );
    const one = await saferun(["replay", run.id, "--step", "1"]);
    expect(one.out).toContain("refunds over 50.00 need a person");
    expect(one.out).toContain("policies.yaml:");
    expect(one.out).toContain("+ amount  $45.00 (4500)");
    const json = (await saferun(["replay", run.id, "--step", "1", "--json"])).json() as { arguments: { ran: object } };
    expect(json.arguments.ran).toEqual({ state: "present", value: { amount: 4_500 }, masked: [] });
    expect((await saferun(["replay", run.id, "--step", "7"])).err).toContain("the run has 1 steps, and no step 7");
  });

  it("[R2~] shows text of others without obeying it (trap 23, trap 27)", async () => {
    open(POLICY);
    const { run } = sample;
    await call(run, "orders.get", { order: "\u001b[2J\u202egnp.exe" });
    for (const args of [
      ["replay", run.id, "--step", "1"],
      ["replay", run.id, "--json"],
    ]) {
      const { out } = await saferun(args);
      expect(out).not.toMatch(/\u001b|\u202e/);
      expect(out).toContain("u001b");
    }
    const screen = await saferun(["replay", run.id], ["q"]);
    expect(screen.out).not.toContain("\u202e");
    expect(screen.out.split("\u001b[2J")).toHaveLength(2);
  });
});

describe("saferun replay --policies", () => {
  it("[R3] turns the $50,000 refund of a permissive policy into a denial, by rules, budget and detectors", async () => {
    open(PERMISSIVE);
    const { run } = sample;
    await call(run, "orders.get", { order: "17" });
    await call(run, "stripe.refund", { amount: 5_000_000 });
    for (let index = 0; index < 4; index++) await call(run, "stripe.refund", { amount: 4_000 + index });
    expect(sample.ran).toHaveLength(6);

    const same = await saferun(["replay", run.id, "--policies", policy("same.yaml", PERMISSIVE)]);
    expect(same.out).toContain("0 of 6 decisions are other than what was recorded");
    expect(same.exit).toBe(0);

    const strict = await saferun(["replay", run.id, "--policies", policy("strict.yaml", POLICY), "--json"]);
    expect(strict.exit).toBe(1);
    expect(strict.json()).toMatchObject({
      judged: 6,
      changed: 1,
      changes: [
        {
          step: 2,
          tool: "stripe.refund",
          before: { verdict: "allow", ran: true },
          after: { verdict: "deny", ran: false },
        },
      ],
    });

    const budget = policy("budget.yaml", PERMISSIVE.replace("limit: 100000000", "limit: 5008500"));
    const short = (await saferun(["replay", run.id, "--policies", budget, "--json"])).json() as {
      changes: { step: number; after: { by: string[] } }[];
    };
    expect(short.changes.map(({ step, after }) => [step, after.by])).toEqual([
      [5, ["budget:refunds"]],
      [6, ["budget:refunds"]],
    ]);

    const other = await saferun(["replay", run.id, "--policies", "strict.yaml", "--against", budget, "--json"]);
    expect((other.json() as { changes: { step: number }[] }).changes.map(({ step }) => step)).toEqual([2, 5, 6]);
    // Nothing of it touched the record, nor a tool.
    expect(sample.ran).toHaveLength(6);
  });

  it("[R3~] judges under other detectors", async () => {
    open(
      `${PERMISSIVE}breakers:\n  repeat: { mode: observe }\n  cycle: { mode: observe }\n  raw: { mode: observe }\n  duplicate: { mode: observe }\n  similar: { mode: observe }\n`,
    );
    const { run } = sample;
    for (let index = 0; index < 5; index++) await call(run, "stripe.refund", { amount: 4_000 });
    const looped = await saferun(["replay", run.id, "--policies", policy("p.yaml", PERMISSIVE), "--json"]);
    const { changes } = looped.json() as { changes: { after: { by: string[] } }[] };
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.some(({ after }) => after.by.some((id) => id.startsWith("breaker:")))).toBe(true);
  });
});

describe("what is asked of saferun replay", () => {
  it("says that an argument was not there, which may be mistyped, and takes no item that a list does not have", async () => {
    open(POLICY);
    const { run } = sample;
    await call(run, "stripe.refund", { amount: 400 });
    policy("policies.yaml", POLICY);
    const fork = (change: string) => saferun(["replay", run.id, "--fork", "1", "--set", change]);
    expect((await fork("args.amuont=1")).err).toContain("step 1: `args.amuont` is 1, which was not there");
    for (const path of ["args.items[0]", "args.items.0.price"]) {
      const { exit, err } = await fork(`${path}=1`);
      expect([exit, err]).toEqual([2, expect.stringContaining("names an item that is not in its list")]);
    }
  });

  it("is refused where nobody would read an option", async () => {
    open(POLICY);
    const { run } = sample;
    await call(run, "stripe.refund", { amount: 400 });
    for (const [args, told] of [
      [["--policies", "policies.yaml", "--step", "2"], "`--step` does not go with `--policies`"],
      [["--bundle", "b", "--policies", "policies.yaml"], "`--policies` does not go with `--bundle`"],
      [["--reexecute", "agent.mjs", "--policies", "policies.yaml"], "`--policies` does not go with `--reexecute`"],
      [["--to-test", "t.yaml", "--fork", "1"], "`--fork` does not go with `--to-test`"],
      [["--against", "policies.yaml"], "`--against` goes with `--policies`"],
      [["--set", "args.amount=1"], "`--set` goes with `--fork`"],
    ] as const) {
      const { exit, err } = await saferun(["replay", run.id, ...args]);
      expect([exit, err]).toEqual([2, expect.stringContaining(told)]);
    }
    const short = await saferun(["replay", run.id.slice(0, 3)]);
    expect(short.err).toContain("a part of an id has at least 6 characters");
  });
});

describe("saferun replay --to-test", () => {
  it("[R9] writes a test that passes on the present policies and fails when the decision changes", async () => {
    open(PERMISSIVE);
    const { run } = sample;
    await call(run, "stripe.refund", { amount: 5_000_000 });
    await call(run, "orders.get", { order: "\u202e'\"#: {" });
    const file = policy("policies.yaml", POLICY);
    const written = await saferun(["replay", run.id, "--policies", file, "--to-test", "incident.yaml"]);
    expect([written.exit, written.err]).toEqual([0, ""]);
    const test = (files: readonly string[]) => inPlace(directory, ["test", ...files]);
    expect((await test([file, "incident.yaml"])).exit).toBe(0);
    expect((await test([policy("loose.yaml", PERMISSIVE), "incident.yaml"])).exit).toBe(1);
    expect(readFileSync(join(directory, "incident.yaml"), "utf8")).toContain('"then":"deny"');
    expect((await saferun(["replay", run.id, "--policies", file, "--to-test", "incident.yaml"])).err).toContain(
      "is there already",
    );
  });
});

describe("saferun diff-runs", () => {
  it("[R6] aligns two runs by their calls and shows arguments, decisions, results, and calls of one alone", async () => {
    open(POLICY);
    const { run, gate } = sample;
    const other = gate.openRun({ agent: "support", environment: "prod" });
    await call(run, "orders.get", { order: "17" }, { total: 10 });
    await call(run, "orders.get", { order: "18" });
    await call(run, "stripe.refund", { amount: 400 });
    await call(other, "orders.get", { order: "17" }, { total: 12 });
    await call(other, "stripe.refund", { amount: 2_000_000 });
    await call(other, "mail.unknown", {});
    const { exit, json } = await saferun(["diff-runs", run.id, other.id, "--json"]);
    expect(exit).toBe(1);
    const { steps } = json() as {
      steps: {
        match: string;
        left: { number: number } | null;
        right: { number: number } | null;
        differences: { what: string }[];
      }[];
    };
    const told = steps.map(({ match, left, right, differences }) => [
      match,
      left?.number,
      right?.number,
      differences.map(({ what }) => what).filter((what) => what !== "time"),
    ]);
    expect(told).toEqual([
      ["same", 1, 1, ["result"]],
      ["left", 2, undefined, []],
      ["near", 3, 2, ["arguments", "ran", "decision", "state", "result"]],
      ["right", undefined, 3, []],
    ]);
    const text = await saferun(["diff-runs", run.id, other.id]);
    expect(text.out).toContain("only in the second");
    expect((await saferun(["diff-runs", run.id, run.id])).exit).toBe(0);
  });

  it("[R6~] takes two answers that say the same for the same, whatever their provider calls them", async () => {
    open(POLICY);
    const { run, gate } = sample;
    const other = gate.openRun({ agent: "support", environment: "prod" });
    const ask = async (where: Run, id: string, text: string) => {
      const messages = [{ role: "user", content: "Refund order 17, please." }];
      const ticket = await gate.model.request(where, { model: "acme:m", messages, settings: {} });
      const input = JSON.stringify({ order: "17" });
      const content = [
        { type: "text", text, providerMetadata: { acme: { itemId: `item-${id}` } } },
        { type: "tool-call", toolCallId: `call-${id}`, toolName: "orders.get", input },
      ];
      await gate.model.response(where, ticket, { content, providerMetadata: { acme: { responseId: id } } });
    };
    await ask(run, "a", "I look.");
    await ask(other, "b", "I look.");
    expect((await saferun(["diff-runs", run.id, other.id])).exit).toBe(0);
    await ask(run, "c", "Done.");
    await ask(other, "d", "Not done.");
    const { exit, out } = await saferun(["diff-runs", run.id, other.id]);
    expect(exit).toBe(1);
    expect(out).toContain('"text":"Not done."');
    expect(out).not.toContain("item-");
  });
});
