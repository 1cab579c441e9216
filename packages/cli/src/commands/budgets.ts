/** `saferun budgets`: what is spent and held, raising a limit, and calls whose outcome a person found out. */
import {
  amountOf,
  amountText,
  auditStore,
  formatDecimal,
  meantAmount,
  openHolds,
  type PotInfo,
  potsOf,
  raiseBudget,
  reconcileCall,
  type Store,
  scaleOf,
  unitHint,
} from "@saferun/core";
import { potJson } from "@saferun/server/wire";
import type { Command } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, failed, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { table } from "../output/table.ts";
import { localActor, operating, refusedAct, requireReason } from "../protections/act.ts";
import { storeOption, withReadOnlyStore, withStore } from "../store.ts";

interface Options extends Shared {
  readonly store: string;
  readonly reason?: string;
  readonly by?: string;
  readonly ran?: boolean;
  readonly didNotRun?: boolean;
}

const MOST = 100_000;

export function registerBudgets(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("budgets")
    .summary("show what is spent and held, raise a limit")
    .description("One line for each pot: a budget under one key in one window. What runs is held, what ran is spent.")
    .enablePositionalOptions()
    .addOption(storeOption())
    .action(run((options: Options) => list(io, options)));
  describe(command, ["saferun budgets", 'saferun budgets raise 3 --by 500.00 --reason "quarter end"']);

  const raise = command
    .command("raise")
    .summary("raise one pot's limit")
    .description("Adds to the limit of one pot. The policy's own limit stays what it is for all others.")
    .argument("<pot>", "its number in `saferun budgets`, or its id from --json")
    .option("--by <amount>", "how much more, in the budget's unit")
    .option("--reason <text>", "why; stands in the record")
    .addOption(storeOption())
    .action(run((pot: string, options: Options) => raiseOne(io, pot, options)));
  describe(raise, ['saferun budgets raise 1 --by 100 --reason "more leads today"']);

  const reconcile = command
    .command("reconcile")
    .summary("say what became of a call whose outcome is unknown")
    .description(
      "A call whose process died, or whose tool never answered, keeps what it holds until somebody knows whether it ran.",
    )
    .argument("<call>", "the call's id")
    .option("--ran", "it took effect: what it holds is spent")
    .option("--did-not-run", "it surely took no effect: what it holds is given back")
    .option("--reason <text>", "how you know; stands in the record")
    .addOption(storeOption())
    .action(run((call: string, options: Options) => reconcileOne(io, call, options)));
  describe(reconcile, ['saferun budgets reconcile call_018f… --did-not-run --reason "no such refund at the bank"']);

  const audit = command
    .command("audit")
    .summary("recompute every pot from its holds")
    .description("Counts again what every pot holds and has spent, from the rows of the holds. A difference exits 1.")
    .addOption(storeOption())
    .action(run((options: Options) => auditAll(io, options)));
  describe(audit, ["saferun budgets audit"]);
}

async function list(io: Io, options: Options): Promise<ExitCode> {
  return withReadOnlyStore(io, options.store, async (store) => {
    const [pots, holds] = [await potsOf(store, MOST), await openHolds(store, MOST)];
    if (options.json) {
      printJson(io, {
        pots: pots.map(potJson),
        holds: holds.map(({ id, call, parts }) => ({
          id,
          call,
          parts: parts.map(({ pot, amount }) => ({ pot, amount: String(amount) })),
        })),
      });
    } else if (pots.length === 0) io.print("no budget has been used yet");
    else {
      const head = ["POT", "BUDGET", "ENVIRONMENT", "OF", "WINDOW", "USED", "", ""].map(io.style.dim);
      io.print(table([head, ...pots.map((pot, index) => row(io, pot, index + 1))]).join("\n"));
      if (holds.length > 0)
        io.print(`${holds.length} ${holds.length === 1 ? "call holds" : "calls hold"} a part of it`);
    }
    return EXIT.fine;
  });
}

async function raiseOne(io: Io, name: string, options: Options): Promise<ExitCode> {
  const reason = requireReason(options.reason);
  return withStore(io, options.store, async (store) => {
    const pot = await findPot(store, name);
    const meant = meantAmount(options.by ?? "", pot.unit);
    const amount = meant === undefined ? amountOf(options.by, pot.unit) : undefined;
    if (amount === undefined || amount === 0n)
      throw usage(
        `\`--by\` takes an amount ${meant === undefined ? unitHint(pot.unit, "100") : `in ${pot.unit}; ${meant}`}`,
      );
    const done = await raiseBudget(operating(store), { pot: pot.id, amount, reason, by: localActor(io) });
    if (!done.ok) throw refusedAct(done.why);
    const limit = formatDecimal(pot.limit + pot.raised + amount, scaleOf(pot.unit));
    if (options.json) printJson(io, { pot: pot.id, limit });
    else io.print(`raised: ${printable(pot.budget)} now ends at ${amountText(limit, pot.unit)}`);
    return EXIT.fine;
  });
}

async function reconcileOne(io: Io, id: string, options: Options): Promise<ExitCode> {
  const ran = options.ran === true;
  if (ran === (options.didNotRun === true)) throw usage("say one of --ran and --did-not-run");
  const reason = requireReason(options.reason);
  return withStore(io, options.store, async (store) => {
    const call = await store.call(id);
    if (call === undefined) throw failed("call.missing", `there is no call \`${printable(id)}\``);
    const done = await reconcileCall(operating(store), { call, ran, reason, by: localActor(io) });
    if (!done.ok) throw refusedAct(done.why);
    if (options.json) printJson(io, { call: id, outcome: ran ? "succeeded" : "failed" });
    else io.print(`recorded: call ${printable(id)} ${ran ? "ran" : "did not run"}`);
    return EXIT.fine;
  });
}

async function auditAll(io: Io, options: Options): Promise<ExitCode> {
  return withReadOnlyStore(io, options.store, async (store) => {
    const { pots, holds, faults } = await auditStore(store);
    if (options.json) {
      printJson(io, { pots, holds, faults: faults.map((fault) => JSON.parse(JSON.stringify(fault, decimals))) });
    } else if (faults.length === 0) io.print(`${io.style.good("agrees")}: ${pots} pots, ${holds} holds`);
    else
      for (const fault of faults)
        io.print(`${io.style.bad(fault.kind)}: ${printable(JSON.stringify(fault, decimals))}`);
    return faults.length === 0 ? EXIT.fine : EXIT.found;
  });
}

function decimals(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

async function findPot(store: Store, name: string): Promise<PotInfo> {
  const pots = await potsOf(store, MOST);
  const pot = /^\d+$/.test(name) ? pots[Number(name) - 1] : pots.find(({ id }) => id === name);
  if (pot === undefined)
    throw failed("budget.missing", `there is no pot \`${printable(name)}\`; \`saferun budgets\` lists them`);
  return pot;
}

function row(
  io: Io,
  { budget, environment, unit, key, window, held, spent, limit, raised }: PotInfo,
  number: number,
): string[] {
  const most = limit + raised;
  const used = held + spent;
  const percent = most === 0n ? 100 : Number((used * 100n) / most);
  const paint = percent >= 100 ? io.style.bad : percent >= 80 ? io.style.wait : (text: string) => text;
  const of = key.length === 0 ? "" : key.map(printable).join(", ");
  const holding = held === 0n ? "" : `(${money(held, unit)} held)`;
  const amount = `${money(used, unit)} of ${money(most, unit)}`;
  return [String(number), printable(budget), environment, of, window, paint(`${percent} %`), amount, holding];
}

function money(amount: bigint, unit: string): string {
  return amountText(formatDecimal(amount, scaleOf(unit)), unit);
}
