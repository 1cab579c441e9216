import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { centsOf } from "./approver.ts";
import { dollars } from "./narrate.ts";
import { playDemo } from "./play-demo.ts";
import { readLedgers } from "./servers/start.ts";

const SAFERUN = fileURLToPath(new URL("../../packages/cli/bin/saferun.mjs", import.meta.url));

const home = mkdtempSync(join(tmpdir(), "saferun-demo-test-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const RAN = [
  { server: "orders", tool: "get_order", args: { order_id: "A-1042" } },
  { server: "orders", tool: "get_order", args: { order_id: "B-2087" } },
  { server: "orders", tool: "get_ticket", args: { ticket_id: "T-31" } },
  { server: "orders", tool: "list_leads", args: {} },
  { server: "orders", tool: "get_ticket", args: { ticket_id: "T-77" } },
  ...Array(3).fill({ server: "orders", tool: "get_order", args: { order_id: "C-3055" } }),
  ...["P-1", "P-2", "P-3", "P-4", "P-5"].map((parcel_id) => {
    return { server: "carrier", tool: "get_parcel", args: { parcel_id } };
  }),
  {
    server: "payments",
    tool: "refund",
    args: { order_id: "A-1042", amount: 4_500, currency: "usd", reason: "arrived broken" },
  },
  {
    server: "payments",
    tool: "refund",
    args: { order_id: "B-2087", amount: 45_000, currency: "usd", reason: "headsets have no sound" },
  },
];

const DECISIONS = [
  { tool: "get_order", verdict: "allow", rule: "lookups" },
  { tool: "refund", verdict: "allow", rule: "refund.small" },
  { tool: "get_order", verdict: "allow", rule: "lookups" },
  { tool: "get_ticket", verdict: "allow", rule: "lookups" },
  { tool: "refund", verdict: "pause", rule: "refund.small" },
  { tool: "list_leads", verdict: "allow", rule: "lookups" },
  { tool: "send_mail", verdict: "deny", rule: "mail.many" },
  { tool: "get_ticket", verdict: "allow", rule: "lookups" },
  { tool: "refund", verdict: "deny", rule: "refund.limit" },
  ...Array(3).fill({ tool: "get_order", verdict: "allow", rule: "lookups" }),
  ...Array(2).fill({ tool: "get_order", verdict: "deny", rule: "breaker:repeat" }),
  ...Array(5).fill({ tool: "get_parcel", verdict: "allow", rule: "lookups" }),
  ...Array(2).fill({ tool: "get_parcel", verdict: "deny", rule: "breaker:tool" }),
];

const TRIPS = [
  { scope: "run", name: "eva", to: "stopped" },
  { scope: "tool", name: "get_parcel", to: "open" },
];

interface Report {
  readonly ran: readonly unknown[];
  readonly decisions: readonly unknown[];
  readonly trips: readonly unknown[];
  readonly budgets: readonly unknown[];
  readonly log: { readonly status: string; readonly entries: number };
}

describe("the demo", () => {
  it("[G1~] [A1~] [A3~] [B1~] [B3~] [B5~] runs the lookups, $45 and the edited $450, ends a loop, spares a dead server", {
    timeout: 100_000,
  }, async () => {
    const data = join(home, "once");
    const { code, stdout, stderr } = await playDemo(["--once", "--json", "--data", data], {
      env: { NODE_ENV: "production" },
    });
    const { ran, decisions, trips, budgets, log } = JSON.parse(stdout) as Report;
    expect(stderr).toBe("");
    expect(ran).toEqual(RAN);
    expect(decisions).toEqual(DECISIONS);
    expect(trips).toEqual(TRIPS);
    // What Ben's refund held was $4,500; what it was approved for is what it spent.
    expect(budgets).toEqual([{ budget: "refunds.per-day", spent: 49_500, held: 0, limit: 500_000 }]);
    expect(log.status).toBe("verified");
    expect(log.entries).toBeGreaterThan(DECISIONS.length * 2);
    expect(readLedgers(data).map(({ server, tool, args }) => ({ server, tool, args }))).toEqual(RAN);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(code).toBe(0);
  });

  it("tells the same story twice at the same time, in data directories of their own", {
    timeout: 100_000,
  }, async () => {
    const [one, other] = await Promise.all([playDemo(["--once"]), playDemo(["--once"])]);
    const [first, second] = [directoryOf(one.stdout), directoryOf(other.stdout)];
    try {
      expect([one.code, other.code]).toEqual([0, 0]);
      expect(first).not.toBe(second);
      expect(one.stdout.replaceAll(first, "")).toBe(other.stdout.replaceAll(second, ""));
      expect(one.stdout).toContain("$4,500.00 for B-2087");
      // Found in the servers' own ledgers, beside each call.
      for (const paid of ["$45.00 paid", "$450.00 paid"]) expect(one.stdout).toContain(paid);
      expect(one.stdout).not.toContain("\u001b");
    } finally {
      removeDataOf(first);
      removeDataOf(second);
    }
  });

  it("waits for a person without --once, runs nothing meanwhile, and takes its servers along when it is ended", {
    timeout: 100_000,
  }, async () => {
    const data = join(home, "waiting");
    const { code, stdout } = await playDemo(["--data", data], {
      once: { when: "npx saferun approvals", act: (demo) => demo.kill("SIGINT") },
    });
    expect(code).toBe(130);
    expect(stdout).toContain(`npx saferun approvals --store ${join(data, "store")}`);
    expect(refundsIn(data)).toEqual([4_500]);
    expect(existsSync(join(data, "store"))).toBe(true);
  });

  it("[A3~] [A9~] goes on when somebody decides on the command line, with the arguments as edited there", {
    timeout: 100_000,
  }, async () => {
    const data = join(home, "decided");
    const answers: number[] = [];
    const { code, stdout, stderr } = await playDemo(["--data", data], {
      once: { when: "npx saferun approvals", act: () => void answers.push(approve(join(data, "store"), 12_345)) },
    });
    expect(answers).toEqual([0]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/edited to \$123\.45 for B-2087, by local:.* {2}\$123\.45 paid/);
    expect(refundsIn(data)).toEqual([4_500, 12_345]);
  });

  it("[B7~] a person lets the stopped run go on, with the command that the story ends with", {
    timeout: 100_000,
  }, async () => {
    const data = join(home, "reset");
    const { code, stdout } = await playDemo(["--once", "--data", data]);
    expect(code).toBe(0);
    const [, command = ""] = /^Let eva go on +npx saferun (.+)$/m.exec(stdout) ?? [];
    const words = command.replace('"…"', "looked-at").split(" ");
    const { status, stdout: said } = spawnSync(process.execPath, [SAFERUN, ...words], { encoding: "utf8" });
    expect({ status, said }).toEqual({ status: 0, said: "reset: run:eva\n" });
  });

  it("refuses what it does not know", async () => {
    const { code, stderr } = await playDemo(["--twice"]);
    expect(code).toBe(2);
    expect(stderr).toContain("usage: npm start");
  });
});

describe("money", () => {
  it("is read without arithmetic on fractions", () => {
    expect(["450", "$4,500", "449.90", "0.07"].map(centsOf)).toEqual([45_000, 450_000, 44_990, 7]);
    for (const text of ["", "4,50", "1e3", "-5", "450.5", "450 or so"]) expect(centsOf(text)).toBeUndefined();
  });

  it("is shown in full", () => {
    expect([7, 4_500, 450_000, 5_000_000].map(dollars)).toEqual(["$0.07", "$45.00", "$4,500.00", "$50,000.00"]);
  });
});

/** Answers the one approval that waits, as a person would in a second terminal; the exit code. */
function approve(store: string, amount: number): number {
  const saferun = (...args: string[]) =>
    spawnSync(process.execPath, [SAFERUN, "approvals", ...args, "--store", store, "--json"], { encoding: "utf8" });
  const { approvals } = JSON.parse(saferun("list").stdout) as {
    readonly approvals: readonly { readonly id: string }[];
  };
  return saferun("approve", approvals[0]?.id ?? "", "--set", `amount=${amount}`).status ?? -1;
}

function refundsIn(data: string): unknown[] {
  return readLedgers(data)
    .filter(({ tool }) => tool === "refund")
    .map(({ args }) => args.amount);
}

/** Where a start says that its store lies. A start that failed says nothing: then there is nothing to look at, or to remove. */
function directoryOf(stdout: string): string {
  const [, store] = /npx saferun runs --store (\S+)/.exec(stdout) ?? [];
  if (store === undefined) throw new Error(`the demo does not say where its store is: ${stdout.slice(0, 500)}`);
  return store;
}

/** The data directory around a store, and only one that a start has made for itself. */
function removeDataOf(store: string): void {
  const data = dirname(resolve(store));
  if (!/^(?:start|saferun-demo)-\w{6}$/.test(basename(data))) throw new Error(`no directory of a start: ${data}`);
  rmSync(data, { recursive: true, force: true });
}
