/** `saferun diff-runs`: two runs side by side, aligned by their calls. */
import { alignRuns, dollarsText, type RunTree, type StepPair, spanText } from "@saferun/core";
import type { Command } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable, short } from "../output/printable.ts";
import type { Style } from "../output/style.ts";
import { comparisonJson, isOther, nameOf } from "../replay/comparison.ts";
import { namedRun } from "../replay/named-run.ts";
import { storeOption } from "../store.ts";
import { withContent } from "../viewing.ts";

export function registerDiffRuns(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("diff-runs")
    .summary("two runs side by side: two models, two prompts, two policies")
    .description(
      "Aligns two runs by their calls and shows what differs: calls that only one of them made, arguments, decisions,\n" +
        "results, cost, time. Exit 1: they differ in more than cost and time.",
    )
    .argument("<left>", "id of a run, or the start of one")
    .argument("<right>", "id of a run, or the start of one")
    .addOption(storeOption())
    .action(
      run((left: string, right: string, options: Shared & { readonly store: string }) =>
        withContent(io, options.store, async (store, looking) => {
          const [one, other] = [
            await namedRun(io, store, options.store, left),
            await namedRun(io, store, options.store, right),
          ];
          const runs = [one.summary.id, other.summary.id];
          await looking.shows({
            what: "diff-runs",
            target: { runs },
            entries: one.entries.length + other.entries.length,
          });
          return compare(io, one.tree, other.tree, options);
        }),
      ),
    );
  describe(command, ["saferun diff-runs run_4f0c… run_71ab…", "saferun diff-runs run_4f0c… run_71ab… --json"]);
}

function compare(io: Io, left: RunTree, right: RunTree, options: Shared): ExitCode {
  const pairs = alignRuns(left, right);
  const comparison = comparisonJson(left, right, pairs);
  const { differs } = comparison;
  if (options.json) {
    const side = ({ run }: RunTree, totals: object) => ({ run, totals });
    const { steps, totals } = comparison;
    printJson(io, { differs, left: side(left, totals.left), right: side(right, totals.right), steps });
  } else io.print(linesOf(left, right, pairs, io.style).join("\n"));
  return differs ? EXIT.found : EXIT.fine;
}

/** Of one value; `--json` has it whole. */
const SHOWN = 160;

function linesOf(left: RunTree, right: RunTree, pairs: readonly StepPair[], style: Style): string[] {
  const lines = pairs.flatMap((pair) => {
    const step = pair.left ?? pair.right;
    if (step === null) return [];
    const numbers = `${String(pair.left?.number ?? "").padStart(4)} ${String(pair.right?.number ?? "").padStart(4)}`;
    const head = `${style.dim(numbers)}  ${short(nameOf(step), 64)}`;
    if (pair.match === "left") return [`${head}  ${style.bad("only in the first")}`];
    if (pair.match === "right") return [`${head}  ${style.good("only in the second")}`];
    const told = pair.differences.map(({ what, left, right }) => {
      const text = (value: string) =>
        what === "time"
          ? spanText(Number(value))
          : what === "cost" && /^\d+$/.test(value)
            ? dollarsText(value)
            : short(value, SHOWN);
      return `           ${style.dim(what)}  ${style.bad(text(left) || "(none)")} → ${style.good(text(right) || "(none)")}`;
    });
    return [told.length === 0 ? `${head}  ${style.dim("the same")}` : head, ...told];
  });
  const count = pairs.filter(isOther).length;
  return [
    `${style.bold(printable(left.run))} → ${style.bold(printable(right.run))}`,
    ...lines,
    `${count} of ${pairs.length} steps differ; cost ${dollarsText(left.totals.usdMicros)} → ${dollarsText(right.totals.usdMicros)}, time ${spanText(left.lastAt - left.startedAt)} → ${spanText(right.lastAt - right.startedAt)}`,
  ];
}
