/** Budgets as files declare them, on any quantity and for anybody, counted at the tool. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@saferun/core";
import { createMemoryStore } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isDenied, saferun } from "../src/index.ts";

let directory: string;
let store: Store;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-budgets-"));
  store = createMemoryStore();
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Case {
  /** Of the budget, apart from its id. */
  readonly budget: string;
  /** For whom each call is made, and with what. */
  readonly calls: readonly {
    readonly args: object;
    readonly run?: string;
    readonly agent?: string;
    readonly customer?: string;
    /** What the tool answers. */
    readonly says?: unknown;
  }[];
  /** Which of them ran. */
  readonly ran: readonly boolean[];
}

async function play({ budget, calls }: Case): Promise<boolean[]> {
  const file = join(directory, "policies.yaml");
  writeFileSync(
    file,
    `saferun: policy/v1
environments: { prod: { unmatched: deny } }
context: { customer: string }
tools:
  pay:
    kind: write
    schema:
      type: object
      properties:
        amount: { type: integer }
        currency: { type: string }
        to: { type: array, items: { type: string } }
        n: { type: integer }
rules: [{ id: all, tool: pay, then: allow }]
budgets: [{ id: limit, tool: pay, ${budget} }]
`,
  );
  const ran: boolean[] = [];
  for (const [n, { args, run = "one", agent = "bot", customer = "c1", says = { rows: 3 } }] of calls.entries()) {
    let contacted = false;
    const pay = saferun.wrap(
      async function pay(_args: object) {
        contacted = true;
        return says;
      },
      { policies: [file], store, environment: "prod", agent },
    );
    const result = await saferun.run({ id: run, context: { customer } }, () => pay({ ...args, n }));
    expect(isDenied(result)).toBe(!contacted);
    ran.push(contacted);
  }
  return ran;
}

const usd = (amount: number, more: object = {}) => ({ args: { amount, currency: "usd", ...more } });

describe("[B3] budgets on any quantity, for anybody, in any window", () => {
  it.each<[string, Case]>([
    [
      "refund dollars, all together",
      {
        budget: "sum: args.amount, unit: usd_cents, per: { window: ever }, limit: 100",
        calls: [usd(60), usd(50), usd(40), usd(1)],
        ran: [true, false, true, false],
      },
    ],
    [
      "money, a pot for each currency",
      {
        budget: 'sum: args.amount, unit: args.currency + "_cents", per: { window: ever }, limit: 100',
        calls: [usd(80), { args: { amount: 80, currency: "chf" } }, usd(30), { args: { amount: 30, currency: "chf" } }],
        ran: [true, true, false, false],
      },
    ],
    [
      "mails: as many as there are recipients",
      {
        budget: "sum: size(args.to), unit: emails, per: { window: ever }, limit: 3",
        calls: [{ args: { to: ["a", "b"] } }, { args: { to: ["c", "d"] } }, { args: { to: ["e"] } }],
        ran: [true, false, true],
      },
    ],
    [
      "rows: held before, settled by what came back",
      {
        budget: "sum: args.amount, unit: rows, settle: result.rows, per: { window: ever }, limit: 10",
        calls: [usd(10), usd(7), usd(5), usd(4)],
        ran: [true, true, false, true],
      },
    ],
    [
      "calls, by agent",
      {
        budget: "unit: calls, per: { key: [agent], window: ever }, limit: 1",
        calls: [usd(1), usd(1), { ...usd(1), agent: "other" }],
        ran: [true, false, true],
      },
    ],
    [
      "calls, by run",
      {
        budget: "unit: calls, per: { window: run }, limit: 1",
        calls: [usd(1), usd(1), { ...usd(1), run: "two" }],
        ran: [true, false, true],
      },
    ],
    [
      "calls, by customer and day",
      {
        budget:
          "unit: calls, per: { key: [context.customer], window: { calendar: day, zone: Europe/Zurich } }, limit: 1",
        calls: [usd(1), usd(1), { ...usd(1), customer: "c2" }],
        ran: [true, false, true],
      },
    ],
    [
      "calls, in any 24 hours",
      {
        budget: "unit: calls, per: { window: { sliding: 24h } }, limit: 2",
        calls: [usd(1), usd(1), usd(1)],
        ran: [true, true, false],
      },
    ],
    [
      "what cannot be counted",
      {
        budget: "sum: args.amount, unit: usd_cents, per: { window: ever }, limit: 100",
        calls: [usd(-5), { args: {} }, usd(5)],
        ran: [false, false, true],
      },
    ],
  ])("%s", async (_what, given) => {
    expect(await play(given)).toEqual(given.ran);
  });

  const inCurrency = (currency: unknown) => ({ args: { amount: 1, currency } });
  it.each([
    ["a currency that nobody made", inCurrency("doubloons")],
    ["no currency", inCurrency("")],
    ["a currency in other letters", inCurrency("USD")],
    ["a currency that is like one", inCurrency("us\u200bd")],
    ["a currency that names another budget's pot", inCurrency('usd_cents","ever')],
    ["a missing currency", { args: { amount: 1 } }],
  ])("%s is no pot of its own: the call is denied (trap 19)", async (_what, call) => {
    const budget = 'sum: args.amount, unit: args.currency + "_cents", per: { window: ever }, limit: 100';
    expect(await play({ budget, calls: [call, usd(1)], ran: [] })).toEqual([false, true]);
  });

  it.each<[string, unknown, readonly boolean[]]>([
    ["less than nothing", { rows: -9 }, [true, false]],
    ["a text", { rows: "3" }, [true, false]],
    ["a fraction", { rows: 0.5 }, [true, false]],
    ["nothing of it", {}, [true, false]],
    ["no number", { rows: Number.NaN }, [true, false]],
    ["more than was held", { rows: 11 }, [true, false]],
    // Whoever counts by what a tool says believes the tool.
    ["fewer than there were", { rows: 0 }, [true, true]],
  ])("a tool that says it used %s frees no room by that", async (_what, says, ran) => {
    const budget = "sum: args.amount, unit: rows, settle: result.rows, per: { window: ever }, limit: 10";
    expect(await play({ budget, calls: [{ ...usd(10), says }, usd(10)], ran: [] })).toEqual(ran);
  });
});
