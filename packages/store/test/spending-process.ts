/**
 * A process of many callers that all spend from one budget: `node spending-process.ts DIRECTORY LIMIT CALLS WAY`.
 * `WAY` is `gate` (reserve, run, settle), or one of the naive counters beside it, which look before they act and book after:
 * `own` counts in the process, `shared` in the store. Prints a line for each amount that its tool really spent.
 */
import { writeSync } from "node:fs";
import { type BudgetClaim, createGate, type Decision, type PolicySet, WITHOUT_LIMITS } from "@saferun/core";
import { nodeClock, nodeHash, nodeRandom, openSqliteStore } from "../src/index.ts";

const CALLERS = 25;
const [directory = "", limit = "0", calls = "0", way = "gate"] = process.argv.slice(2);
const store = openSqliteStore({ directory, busyMs: 60_000 });

const claim = (amount: number): BudgetClaim => ({
  budget: "shared",
  digest: "b1",
  unit: "usd_cents",
  key: [],
  window: { kind: "ever" },
  limit: BigInt(limit),
  over: "deny",
  amount: BigInt(amount),
  pause: { id: "budget:shared", digest: "b1", reason: "over", approval: WITHOUT_LIMITS.approval },
  span: { file: "p.yaml", line: 1, column: 1 },
  // Half of the calls use less than they hold.
  actual: (result) => BigInt(Number(result)),
});
const ALLOWED: Decision = { verdict: "allow", by: ["all"], reason: "", revision: "r1", rules: [], pauses: [] };
const policies: PolicySet = {
  ...WITHOUT_LIMITS,
  revision: "r1",
  evaluate: () => ALLOWED,
  explain: () => ALLOWED,
  kind: () => "write",
  declares: () => true,
  boundPaths: () => [],
  bound: (_tool, args) => args,
  budgets: (call) => [claim(Number(call.args.amount))],
};
const gate = createGate({
  store,
  policies: { current: () => policies },
  clock: nodeClock,
  hash: nodeHash,
  random: nodeRandom,
  notifier: { paused: () => undefined },
});

/** What the tool does: the truth, told at once. */
async function spend(amount: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
  const used = amount % 2 === 0 ? amount : Math.ceil(amount / 2);
  writeSync(1, `${used}\n`);
  return used;
}

let own = 0;
async function look(): Promise<number> {
  if (way === "own") return own;
  return Number((await store.row("grant", "naive"))?.value ?? 0);
}

/** As so many do it: look, act, then add, with an addition that is never lost. */
async function naively(amount: number): Promise<void> {
  if ((await look()) + amount > Number(limit)) return;
  const used = await spend(amount);
  own += used;
  for (;;) {
    const row = await store.row("grant", "naive");
    const next = { kind: "grant", id: "naive", due: null, version: (row?.version ?? 0) + 1 } as const;
    const value = Number(row?.value ?? 0) + used;
    if ((await store.commit({ entries: [], rows: [{ row: { ...next, value }, expect: row?.version ?? null }] })).ok)
      return;
  }
}

async function caller(): Promise<void> {
  for (let number = 0; number < Number(calls) / CALLERS; number++) {
    const amount = 1 + Math.floor(Math.random() * 9);
    if (way !== "gate") await naively(amount);
    else {
      const run = gate.openRun({ agent: `agent ${process.pid}`, environment: "prod" });
      await gate.call(run, { tool: "pay", args: { amount } }, ({ args }) => spend(Number(args.amount)));
    }
  }
}

await Promise.all(Array.from({ length: CALLERS }, caller));
await store.close();
