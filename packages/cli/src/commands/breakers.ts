/** `saferun breakers`: what is open or stopped, and the reset by a person. */
import { type BreakerInfo, breakersOf, resetBreaker, type Stop, spanText, stopsInForce } from "@saferun/core";
import { breakerJson } from "@saferun/server/wire";
import { nodeClock } from "@saferun/store";
import type { Command } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { table } from "../output/table.ts";
import { moment } from "../output/time.ts";
import { localActor, operating, refusedAct, requireReason } from "../protections/act.ts";
import { storeArgument, storeOption, withReadOnlyStore, withStore } from "../store.ts";

interface Options extends Shared {
  readonly store: string;
  readonly all?: boolean;
  readonly reason?: string;
}

const MOST = 10_000;

export function registerBreakers(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("breakers")
    .summary("show what has tripped, and reset it")
    .description(
      "A breaker of a tool opens when the tool fails, and closes by itself when a probe succeeds. One of a run or an agent\n" +
        "is stopped by a loop, a storm of denials or its spending, and stays so until a person resets it.",
    )
    .enablePositionalOptions()
    .option("--all", "closed ones too")
    .addOption(storeOption())
    .action(run((options: Options) => list(io, options)));
  describe(command, ["saferun breakers", 'saferun breakers reset run:run_4f0c… --reason "the loop is fixed"']);

  const reset = command
    .command("reset")
    .summary("reset a stopped breaker")
    .description("Resets a breaker that is stopped. Its reason stands in the record beside your name.")
    .argument("<breaker>", "as `saferun breakers` shows it: run:ID, agent:NAME, tool:NAME, or the start of it")
    .option("--reason <text>", "why it may go on")
    .addOption(storeOption())
    .action(run((name: string, options: Options) => resetOne(io, name, options)));
  describe(reset, ['saferun breakers reset agent:billing-bot --reason "new prompt deployed"']);
}

async function list(io: Io, options: Options): Promise<ExitCode> {
  return withReadOnlyStore(io, options.store, async (store) => {
    const found = await breakersOf(store, MOST);
    const shown = options.all ? found : found.filter(({ breaker }) => breaker.state !== "closed");
    if (options.json)
      printJson(io, { breakers: shown.map((one) => ({ breaker: shortName(one), ...breakerJson(one) })) });
    else {
      if (shown.length === 0) io.print("all breakers are closed");
      else io.print(table(shown.map((one) => row(io, one))).join("\n"));
      for (const hint of hints(shown, await stopsInForce(store), storeArgument(options.store)))
        io.print(io.style.dim(hint));
    }
    return EXIT.fine;
  });
}

/** What to do about it; and what stops calls without being a breaker. */
function hints(shown: readonly BreakerInfo[], stops: readonly Stop[], store: string): string[] {
  const stopped = shown.find(({ breaker }) => breaker.state === "stopped");
  const reset = `reset one with: saferun breakers reset ${stopped === undefined ? "" : printable(shortName(stopped))}${store} --reason "…"`;
  const placed = `${stops.length} ${stops.length === 1 ? "stop is" : "stops are"} in force: saferun stop --list${store}`;
  return [...(stopped === undefined ? [] : [reset]), ...(stops.length === 0 ? [] : [placed])];
}

async function resetOne(io: Io, name: string, options: Options): Promise<ExitCode> {
  const reason = requireReason(options.reason);
  return withStore(io, options.store, async (store) => {
    const named = (await breakersOf(store, MOST)).filter((one) => shortName(one).startsWith(name));
    if (named.length === 0)
      throw refusedAct("missing", `there is no breaker \`${printable(name)}\`; \`saferun breakers --all\` lists them`);
    const found = named.filter(({ breaker }) => breaker.state === "stopped");
    const exact = found.filter((one) => shortName(one) === name);
    const [only, ...others] = exact.length > 0 ? exact : found;
    if (only === undefined) throw refusedAct("not-stopped");
    if (others.length > 0) throw usage(`\`${printable(name)}\` is the start of several breakers: give more of it`);
    const done = await resetBreaker(operating(store), { breaker: only.id, reason, by: localActor(io) });
    if (!done.ok) throw refusedAct(done.why);
    if (options.json) printJson(io, { breaker: shortName(only), state: "closed" });
    else io.print(`reset: ${printable(shortName(only))}`);
    return EXIT.fine;
  });
}

/** `run:run_4f0c…`; with the environment where there is one: `tool:refund@prod`. */
function shortName({ scope, name, environment }: BreakerInfo): string {
  return `${scope}:${name}${environment === undefined ? "" : `@${environment}`}`;
}

function row(io: Io, info: BreakerInfo): string[] {
  const { breaker } = info;
  const { bad, good, wait } = io.style;
  const name = printable(shortName(info));
  switch (breaker.state) {
    case "closed":
      return [good("closed"), name];
    case "open":
      return [wait("open"), name, `asks the tool again in ${spanText(breaker.until - nodeClock.now())}`];
    case "half_open":
      return [wait("half open"), name, `call ${breaker.probe.callId} finds out`];
    case "stopped": {
      const { cause, reason, at } = breaker.trip;
      return [bad("stopped"), name, moment(at), `${cause}: ${printable(reason)}`];
    }
  }
}
