/** `saferun replay`: what a run was, step by step, and what it would have been. */
import { type Fork, type JsonObject, type Store, toWire } from "@saferun/core";
import { type Command, InvalidArgumentError } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { loadUsablePolicies, policyFileNames } from "../policy-files.ts";
import { writeBundle } from "../replay/bundle.ts";
import { type ForkOptions, forkOf } from "../replay/forking.ts";
import { judgeAgain, judgedAgainJson, judgedAgainLines } from "../replay/judge-again.ts";
import type { LoadedRun } from "../replay/load.ts";
import { namedRun } from "../replay/named-run.ts";
import { reExecuteModule, reExecutionJson, reExecutionLines } from "../replay/re-execution.ts";
import { innerRunLines, runHead, type SteppedRun, stepLine, stepped, TABS, tabLines } from "../replay/step-lines.ts";
import { stepThrough } from "../replay/terminal.ts";
import { writeTest } from "../replay/to-test.ts";
import { storeArgument, storeOption } from "../store.ts";
import { type Looking, withContent, withStoredContent } from "../viewing.ts";

export interface ReplayOptions extends Shared {
  readonly store: string;
  readonly step?: number;
  readonly policies?: readonly string[];
  readonly against?: readonly string[];
  readonly toTest?: string;
  readonly reexecute?: string;
  readonly bundle?: string;
  readonly fork?: number;
  readonly set?: readonly string[];
  readonly response?: string;
}

export function registerReplay(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("replay")
    .summary("step through a run, or judge it again under other policies")
    .description(
      "Shows a run as steps from its log entries alone: on a terminal with keys, else as a list. With --policies its calls\n" +
        "are judged again, with their exact arguments, under other policies, budgets and detectors; no tool is contacted.\n" +
        "Exit 1: a decision comes out otherwise.",
    )
    .argument("<run>", "id of a run, or a part of it")
    .addOption(storeOption())
    .option("--step <number>", "show this step whole", numberOf)
    .option("-p, --policies <files...>", "judge the recorded calls by these policies, budgets and detectors")
    .option("--against <files...>", "with --policies: compare with these policies instead of what was recorded")
    .option("--reexecute <file>", "run the agent's own module, its models and tools answered from the record")
    .option("--fork <number>", "change one answer or argument of this step, and go on over recorded answers", numberOf)
    .option("--set <change...>", "with --fork: args.PATH=VALUE or result.PATH=VALUE, a value in JSON or a text")
    .option("--response <file>", "with --fork: a model's answer, JSON as the step's Raw has it")
    .option("--bundle <file>", "write the run's entries with their proofs: evidence that verifies offline")
    .option("--to-test <file>", "write the run's calls, or the one of --step, as a policy test that passes now")
    .action(
      run((id: string, options: ReplayOptions) => {
        checkTogether(options);
        // A bundle is evidence: it holds what was hashed.
        const opened = options.bundle === undefined ? withContent : withStoredContent;
        return opened(io, options.store, async (store, looking) => {
          const loaded = await namedRun(io, store, options.store, id);
          await looks(looking, loaded, options);
          return replay(io, store, loaded, options);
        });
      }),
    );
  describe(command, [
    "saferun replay run_4f0c…",
    "saferun replay run_4f0c… --step 17 --json",
    "saferun replay run_4f0c… --policies stricter.yaml",
    "saferun replay run_4f0c… --fork 7 --set args.amount=2000000 --policies policies.yaml",
    "saferun replay run_4f0c… --reexecute ./agent.ts",
    "saferun replay run_4f0c… --step 17 --to-test incident.yaml",
  ]);
}

/** Before anything else: judging again and re-executing show of a run what stepping through it does. */
function looks(looking: Looking, { summary, entries }: LoadedRun, { bundle, toTest }: ReplayOptions): Promise<void> {
  const look = { what: "replay", target: { runs: [summary.id] }, entries: entries.length };
  return bundle === undefined && toTest === undefined ? looking.shows(look) : looking.takesOut(look);
}

async function replay(io: Io, store: Store, loaded: LoadedRun, options: ReplayOptions): Promise<ExitCode> {
  if (options.bundle !== undefined) return bundle(io, store, loaded, options, options.bundle);
  const { policies, toTest, step } = options;
  if (toTest !== undefined) return test(io, loaded, options, toTest);
  if (options.fork !== undefined) return forked(io, loaded, { ...options, fork: options.fork });
  if (options.reexecute !== undefined) return execute(io, loaded, options, options.reexecute);
  if (policies !== undefined) return again(io, loaded, options, policies);
  const run = stepped(loaded.tree);
  const shown = step === undefined ? undefined : run.steps[step - 1];
  if (step !== undefined && shown === undefined)
    throw usage(`the run has ${run.steps.length} steps, and no step ${step}`);
  if (options.json) printJson(io, shown === undefined ? toWire(loaded.tree) : toWire(shown));
  else if (io.interactive) await stepThrough(io, run, shown === undefined ? 0 : shown.number - 1);
  else io.print((shown === undefined ? listing(run, io) : whole(run, shown.number, io)).join("\n"));
  return EXIT.fine;
}

/** What each option does together with which; the first that is given says what is done. */
const TOGETHER: readonly (readonly [what: keyof ReplayOptions, ...also: (keyof ReplayOptions)[]])[] = [
  ["bundle"],
  ["toTest", "step", "policies"],
  ["fork", "set", "response", "reexecute", "policies", "against"],
  ["reexecute"],
  ["policies", "against"],
  ["step"],
];

/** @throws CommandError for an option that would be read by nobody. */
function checkTogether(options: ReplayOptions): void {
  const row = TOGETHER.find(([first]) => options[first] !== undefined);
  const what = row?.[0];
  const given = TOGETHER.flat().filter((one) => options[one] !== undefined);
  const stray = given.find((one) => row?.includes(one) !== true);
  if (stray === undefined) return;
  if (what !== undefined) throw usage(`\`${flagOf(stray)}\` does not go with \`${flagOf(what)}\``);
  const [needed = stray] = TOGETHER.findLast((row) => row.includes(stray)) ?? [];
  throw usage(`\`${flagOf(stray)}\` goes with \`${flagOf(needed)}\``);
}

function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function listing(run: SteppedRun, io: Io): string[] {
  return [
    ...runHead(run, io.style),
    ...run.steps.flatMap((step) => [
      stepLine(step, run, io.style),
      ...(step.kind === "call" ? innerRunLines(step.runs, " ".repeat(6)) : []),
    ]),
    ...innerRunLines(run.tree.runs, ""),
  ];
}

function whole(run: SteppedRun, number: number, io: Io): string[] {
  const step = run.steps[number - 1];
  if (step === undefined) return [];
  const tabs = TABS.filter((tab) => tab !== "Raw").flatMap((tab) => [
    "",
    io.style.bold(tab),
    ...tabLines(step, tab, run, io.style),
  ]);
  return [stepLine(step, run, io.style), ...tabs];
}

async function again(
  io: Io,
  loaded: LoadedRun,
  options: ReplayOptions,
  patterns: readonly string[],
  replaced?: ReadonlyMap<string, JsonObject>,
): Promise<ExitCode> {
  const { policies } = await loadUsablePolicies(io, patterns);
  const against = options.against === undefined ? undefined : (await loadUsablePolicies(io, options.against)).policies;
  const result = await judgeAgain(loaded, policies, against, replaced);
  if (options.json) printJson(io, judgedAgainJson(result));
  else io.print(judgedAgainLines(result, io.style).join("\n"));
  return result.changes.length > 0 ? EXIT.found : EXIT.fine;
}

async function bundle(
  io: Io,
  store: Store,
  loaded: LoadedRun,
  options: ReplayOptions,
  file: string,
): Promise<ExitCode> {
  const entries = await writeBundle(io, store, loaded, file);
  const shown = printable(file);
  if (options.json) printJson(io, { file, run: loaded.tree.run, entries });
  else
    io.print(
      `wrote ${entries} entries with their proofs to \`${shown}\`; \`saferun log verify ${shown} --pin KEY\` checks it offline, with the key that \`saferun log key${storeArgument(options.store)}\` prints`,
    );
  return EXIT.fine;
}

async function execute(io: Io, { tree }: LoadedRun, options: Shared, file: string, fork?: Fork): Promise<ExitCode> {
  const report = await reExecuteModule(io, tree, file, fork);
  if (options.json) printJson(io, reExecutionJson(report, fork));
  else io.print(reExecutionLines(report, io.style).join("\n"));
  const { divergence, error, changes } = report;
  return divergence === null && error === null && changes.length === 0 ? EXIT.fine : EXIT.found;
}

async function forked(io: Io, loaded: LoadedRun, options: ReplayOptions & ForkOptions): Promise<ExitCode> {
  const forked = forkOf(io, loaded.tree, options);
  for (const line of forked.changes) io.warn(line);
  if (forked.type === "answer") {
    if (options.reexecute === undefined)
      throw usage("only the agent's code says what follows another answer: name its module with `--reexecute`");
    return execute(io, loaded, options, options.reexecute, forked.fork);
  }
  return again(io, loaded, options, options.policies ?? [], new Map([[forked.call, forked.args]]));
}

async function test(io: Io, loaded: LoadedRun, options: ReplayOptions, file: string): Promise<ExitCode> {
  const { policies: patterns = [], step } = options;
  const written = await writeTest(io, loaded, { file, patterns, ...(step === undefined ? {} : { step }) });
  if (options.json) printJson(io, toWire(written));
  else {
    const left =
      written.left === 0 ? "" : `; ${written.left} left out: masked, erased, or for another agent or principal`;
    io.print(
      `wrote ${written.calls === 1 ? "one call" : `${written.calls} calls`} to \`${printable(file)}\`${left}; \`saferun test ${printable([...policyFileNames(io, patterns), file].join(" "))}\` runs it`,
    );
  }
  return EXIT.fine;
}

function numberOf(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError("it is a number from 1");
  return Number(text);
}
