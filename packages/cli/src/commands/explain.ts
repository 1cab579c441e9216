/** `saferun explain`: why a call is decided as it is. */
import {
  callEntryOf,
  type EvaluationContext,
  NO_CALLS,
  type PastCalls,
  type PolicyModel,
  readHistory,
  type Store,
  type ToolCall,
} from "@saferun/core";
import { nodeClock } from "@saferun/store";
import type { Command } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { lineContexts, lineProblemText, readCallLine } from "../eval/call-line.ts";
import { EXIT, type ExitCode, failed, usage } from "../exit.ts";
import { type Explained, explainedJson, explainedLines } from "../explain/view.ts";
import type { Io } from "../io.ts";
import { meantBy } from "../output/ids.ts";
import { printable } from "../output/printable.ts";
import { loadUsablePolicies } from "../policy-files.ts";
import { recordedDecisions } from "../recorded/decisions.ts";
import { rootsOf } from "../recorded/histories.ts";
import { otherRuntime } from "../recorded/runtime.ts";
import { runEntries } from "../runs/entries.ts";
import { findRun } from "../runs/find.ts";
import { storeOption } from "../store.ts";
import { withContent } from "../viewing.ts";

interface Options extends Shared {
  readonly policies?: readonly string[];
  readonly call?: string;
  readonly run?: string;
  readonly callId?: string;
  readonly store: string;
}

type Asked = Pick<Explained, "call" | "recorded"> & {
  readonly context: EvaluationContext;
  /** What the run had done before. */
  readonly history: PastCalls;
};

export function registerExplain(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("explain")
    .summary("say why a call is decided as it is")
    .description(
      "Judges one call and shows the rules that spoke with their lines and the values that made them true, and what was\n" +
        "false in the others. The call is a line as `saferun eval` takes it, or one from the log. Nothing is run or recorded.",
    )
    .option("-p, --policies <files...>", "policy files, directories or globs; default: those of this directory")
    .option("-c, --call <json>", "the call: {tool, args, agent?, env?, now?, …}")
    .option("--run <id>", "a run of the log or a part of its id, with --call-id")
    .option("--call-id <id>", "a call of that run or a part of its id, as `saferun runs RUN` names it")
    .addOption(storeOption())
    .action(run((options: Options) => explain(io, options)));
  describe(command, [
    `saferun explain --call '{"tool":"stripe.refund","args":{"amount":450000}}'`,
    "saferun explain --policies new.yaml --run run_4f0c… --call-id call_77…",
  ]);
}

async function explain(io: Io, options: Options): Promise<ExitCode> {
  const { policies, model } = await loadUsablePolicies(io, options.policies ?? []);
  const { call, context, history, recorded } = await asked(io, options, model);
  const explained: Explained = { call, recorded, policies, decision: policies.explain(call, context, history) };
  if (options.json) printJson(io, explainedJson(explained));
  else io.print(explainedLines(explained, io.style).join("\n"));
  return EXIT.fine;
}

async function asked(io: Io, { call, run, callId, store }: Options, model: PolicyModel): Promise<Asked> {
  if (call !== undefined) {
    if (run !== undefined || callId !== undefined) throw usage("give `--call`, or `--run` with `--call-id`, not both");
    return { ...written(call), history: NO_CALLS, recorded: null };
  }
  if (run === undefined || callId === undefined) throw usage("give `--call`, or `--run` with `--call-id`");
  return withContent(io, store, async (opened, looking) => {
    const { seq, id, root, ...found } = await recordedCall(opened, run, callId);
    await looking.shows({ what: "explain", target: { runs: [root], calls: [id] } });
    for (const other of await otherRuntime(opened, model, { seq })) io.warn(other);
    return found;
  });
}

function written(text: string): { readonly call: ToolCall; readonly context: EvaluationContext } {
  try {
    const line = readCallLine(text);
    return { call: line.call, context: lineContexts(nodeClock.now())(line, 1) };
  } catch (error) {
    throw usage(`\`--call\` is no call: ${lineProblemText(error)}`);
  }
}

async function recordedCall(
  store: Store,
  run: string,
  id: string,
): Promise<Asked & { readonly seq: number; readonly id: string; readonly root: string }> {
  const { id: whole } = await findRun(store, run);
  const take = recordedDecisions();
  const decisions = (await runEntries(store, whole)).flatMap((entry) => take(callEntryOf(entry)) ?? []);
  const decision = meantBy(decisions, id, "calls", ({ input }) => ("missing" in input ? input.tool : input.call.tool));
  const shown = `\`${printable(id)}\``;
  if (decision === undefined) {
    throw failed(
      "call.missing",
      `there is no decision on ${shown} in run \`${printable(run)}\`; \`saferun runs RUN\` names its calls`,
    );
  }
  const { input, verdict, by, revision, seq } = decision;
  if ("missing" in input) {
    throw failed("call.missing", `what ${shown} was decided on cannot be had from the log any more: ${input.missing}`);
  }
  const root = (await rootsOf(store)).get(whole) ?? whole;
  const { history } = await readHistory(store, root, decision.id, seq);
  return { ...input, history, seq, id: decision.id, root: whole, recorded: { verdict, by, revision } };
}
