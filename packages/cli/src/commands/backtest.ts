/** `saferun backtest`: what a change of policies would have done to calls that were made. */
import { LOOP_DEFAULTS } from "@saferun/core";
import { nodeClock } from "@saferun/store";
import { type Command, InvalidArgumentError } from "commander";
import { backtestLines, backtestStore } from "../backtest/calls.ts";
import { createTally, resultJson } from "../backtest/tally.ts";
import { resultLines } from "../backtest/view.ts";
import { backtestBreakers } from "../backtest-breakers/calls.ts";
import { Replay } from "../backtest-breakers/replay.ts";
import { breakerJson, createBreakerTally } from "../backtest-breakers/tally.ts";
import { breakerLines } from "../backtest-breakers/view.ts";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { callSource, lineBatches } from "../eval/lines.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { loadUsablePolicies } from "../policy-files.ts";
import { otherRuntime } from "../recorded/runtime.ts";
import { storeOption, withUnsealedStore } from "../store.ts";

interface Options extends Shared {
  readonly policies?: readonly string[];
  readonly breakers?: readonly string[];
  readonly against?: readonly string[];
  readonly calls?: string;
  readonly since?: number;
  readonly store: string;
  readonly limit: number;
}

export function registerBacktest(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("backtest")
    .summary("judge recorded calls by other policies, and say what changes")
    .description(
      "Judges the calls of the log, or of a file, by the given policies and compares with what was decided then, or with\n" +
        "other policies. Judged are calls as the agent proposed them, with the context that was recorded. Nothing is run or\n" +
        "recorded. Exit 1: at least one call gets another verdict.",
    )
    .option("-p, --policies <files...>", "the new policies: files, directories or globs")
    .option(
      "--breakers <files...>",
      "instead: policies whose `breakers` and `tools` the recorded runs are replayed through",
    )
    .option("--against <files...>", "the policies to compare with; default: what was recorded")
    .option("-c, --calls <file>", "calls from JSON lines as `saferun eval` takes them; - reads standard input")
    .option("--since <time>", "calls of the log since then: 7d, 12h, or a date such as 2026-11-01", sinceOf)
    .addOption(storeOption())
    .option("-n, --limit <count>", "how many changed calls are shown", limitOf, 50)
    .action(run((options: Options) => backtest(io, options)));
  describe(command, [
    "saferun backtest --policies new.yaml --since 7d",
    "saferun backtest --breakers new.yaml --against policies.yaml --since 7d",
    "saferun backtest --policies new.yaml --against policies.yaml --calls calls.jsonl --json",
  ]);
}

async function backtest(io: Io, options: Options): Promise<ExitCode> {
  const { calls, since, store } = options;
  if (calls !== undefined && since !== undefined) throw usage("`--since` asks the log; calls of a file are all judged");
  if (options.breakers !== undefined) return breakersOnly(io, options, options.breakers);
  if (options.policies === undefined) throw usage("name the new policies with `--policies`, or with `--breakers`");
  const { policies, model } = await loadUsablePolicies(io, options.policies);
  const against = options.against === undefined ? undefined : (await loadUsablePolicies(io, options.against)).policies;
  const tally = createTally(options.limit);
  const work = { policies, against, tally };
  if (calls !== undefined) await backtestLines(work, lineBatches(callSource(io, calls)), nodeClock.now());
  else {
    await withUnsealedStore(io, store, async (opened) => {
      await backtestStore(work, opened, since ?? 0);
      for (const other of await otherRuntime(opened, model, { since: since ?? 0 })) io.warn(other);
    });
  }
  const result = tally.result();
  const revisions = { from: against?.revision ?? null, to: policies.revision };
  if (options.json) printJson(io, resultJson(result, revisions));
  else io.print(resultLines(result, io.style).join("\n"));
  return result.changed > 0 ? EXIT.found : EXIT.fine;
}

/** Compared with the settings of other policies; without any, with the defaults for the same tools. */
async function breakersOnly(io: Io, options: Options, files: readonly string[]): Promise<ExitCode> {
  const { calls, policies, since = 0, store, against: others, limit } = options;
  if (policies !== undefined)
    throw usage("`--policies` judges by rules and `--breakers` by detectors; name one of them");
  if (calls !== undefined) throw usage("`--breakers` needs results, which only the log has; leave out `--calls`");
  const changed = (await loadUsablePolicies(io, files)).policies;
  const against = others === undefined ? undefined : (await loadUsablePolicies(io, others)).policies;
  const before = against ?? { ...changed, detectors: () => LOOP_DEFAULTS };
  const tally = createBreakerTally(limit);
  const work = { before: new Replay(before), after: new Replay(changed), tally };
  await withUnsealedStore(io, store, (opened) => backtestBreakers(work, opened, since));
  const result = tally.result();
  const revisions = { from: against?.revision ?? null, to: changed.revision };
  if (options.json) printJson(io, breakerJson(result, revisions));
  else io.print(breakerLines(result, io.style).join("\n"));
  return result.changed > 0 ? EXIT.found : EXIT.fine;
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A moment in ms since 1970. */
function sinceOf(text: string): number {
  const [, number, unit = ""] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  if (number !== undefined) return nodeClock.now() - Number(number) * (UNITS[unit] ?? 0);
  const moment = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(moment)) throw new InvalidArgumentError("it is a time such as 7d, 12h or 2026-11-01");
  return moment;
}

function limitOf(text: string): number {
  const count = Number(text);
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError("it is a number from 0 to 9999999");
  return count;
}
