/** `saferun eval`: one decision per call, without a store, without running anything. */
import { once } from "node:events";
import { nodeClock } from "@saferun/store";
import type { Command } from "commander";
import { type CommandSetup, describe, type Shared } from "../command.ts";
import { createJudge } from "../eval/judge.ts";
import { callSource, lineBatches } from "../eval/lines.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { printableJson } from "../output/printable.ts";
import { loadUsablePolicies } from "../policy-files.ts";

interface Options extends Shared {
  readonly policies: readonly string[];
  readonly calls: string;
}

export function registerEval(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("eval")
    .summary("judge recorded calls by policies, one decision a line")
    .description(
      "Reads one call per line and writes one decision per line, in the same order, as JSON. Nothing is run or recorded.\n" +
        "A line that is no call is denied. Exit 0 whenever each line got its decision, denials included.",
    )
    .requiredOption("-p, --policies <files...>", "policy files, directories or globs")
    .requiredOption(
      "-c, --calls <file>",
      "JSON lines, each {tool, args, agent?, env?, now?, …}; - reads standard input",
    )
    .action(run((options: Options) => evaluate(io, options)));
  describe(command, [
    "saferun eval --policies policies.yaml --calls calls.jsonl --json",
    `echo '{"tool":"mail.send","args":{"to":"ann@example.com"}}' | saferun eval --policies policies/ --calls -`,
  ]);
}

async function evaluate(io: Io, options: Options): Promise<ExitCode> {
  const { policies } = await loadUsablePolicies(io, options.policies);
  const judge = createJudge({ policies, start: nodeClock.now() });
  for await (const batch of lineBatches(callSource(io, options.calls))) {
    const decisions = batch.map((line) => ("text" in line ? judge.decide(line.text) : judge.refuse(line.problem)));
    const text = `${decisions.map((decision) => printableJson(JSON.stringify(decision))).join("\n")}\n`;
    if (!io.stdout.write(text)) await once(io.stdout, "drain");
  }
  return EXIT.fine;
}
