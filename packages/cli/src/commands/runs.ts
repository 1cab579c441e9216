/** `saferun runs`: what agents did, from the log. */
import { AgentNames, agentId, type Store, toWire } from "@saferun/core";
import { nodeHash } from "@saferun/store";
import { type Command, InvalidArgumentError } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { namedRun } from "../replay/named-run.ts";
import { stepped } from "../replay/step-lines.ts";
import { storyLines } from "../replay/story-lines.ts";
import { runJson, runListLines } from "../runs/view.ts";
import { storeOption, withReadOnlyStore } from "../store.ts";
import { type Looking, withContent } from "../viewing.ts";

interface Options extends Shared {
  readonly store: string;
  readonly limit: number;
  readonly agent?: string;
  readonly full?: boolean;
}

export function registerRuns(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("runs")
    .summary("list runs, or show one step by step")
    .description("Without an id: the newest runs. With one: its steps as the log recorded them.")
    .argument("[run]", "id of a run, or a part of it")
    .addOption(storeOption())
    .option("-n, --limit <count>", "how many runs are listed", countOf, 20)
    .option("--agent <name>", "list the runs of this agent")
    .option("--full", "fold nothing, and show every message of the prompts")
    .action(
      run((id: string | undefined, options: Options) =>
        id === undefined
          ? withReadOnlyStore(io, options.store, (store) => list(io, store, options))
          : withContent(io, options.store, (store, looking) => show(io, store, looking, id, options)),
      ),
    );
  describe(command, [
    "saferun runs",
    "saferun runs --agent 'Refund Helper'",
    "saferun runs run_4f0c…",
    "saferun runs --json --limit 100",
  ]);
}

/** Runs that a list reaches back to. */
const NEWEST = 10_000;

async function list(io: Io, store: Store, options: Options): Promise<ExitCode> {
  const { agent, limit } = options;
  // By its name or by its id.
  const asked = agent === undefined ? [] : [agent, agentId(agent, nodeHash)];
  const all = await store.runs({ limit: agent === undefined ? limit : NEWEST });
  const listed = all.filter((run) => agent === undefined || asked.includes(run.agent)).slice(0, limit);
  const runs = await new AgentNames().named(listed, store);
  if (options.json) printJson(io, { runs: runs.map(runJson) });
  else if (runs.length === 0) io.print(agent === undefined ? "no runs yet" : "no runs of this agent");
  else io.print(runListLines(runs, io.style).join("\n"));
  return EXIT.fine;
}

async function show(io: Io, store: Store, looking: Looking, id: string, options: Options): Promise<ExitCode> {
  const { summary, entries, tree } = await namedRun(io, store, options.store, id);
  await looking.shows({ what: "runs", target: { runs: [summary.id] }, entries: entries.length });
  if (options.json) printJson(io, toWire(tree));
  else io.print(storyLines(stepped(tree), io.style, { full: options.full === true }).join("\n"));
  return EXIT.fine;
}

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1 || count > 10_000)
    throw new InvalidArgumentError("it is a number from 1 to 10000");
  return count;
}
