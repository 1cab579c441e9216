/** `saferun diff-runs`: two runs side by side, aligned by their calls. */
import {
  alignRuns,
  dollarsText,
  type RunDifference,
  type RunTree,
  type StepDifference,
  type StepPair,
  spanText,
} from "@saferun/core";
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
      "Aligns two runs by their calls and shows what differs: what they were asked, prompts, tools offered, parameters and\n" +
        "answers of models; calls that only one of them made, arguments, decisions, results, cost, time. Exit 1: their\n" +
        "steps differ in more than cost and time.",
    )
    .argument("<left>", "id of a run, or a part of it")
    .argument("<right>", "id of a run, or a part of it")
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
  const { differs, about, first, steps, totals } = comparison;
  if (options.json) {
    const side = ({ run }: RunTree, totals: object) => ({ run, totals });
    printJson(io, { differs, left: side(left, totals.left), right: side(right, totals.right), about, first, steps });
  } else
    io.print(
      [...headLines(left, right, about, io.style), ...pairLines(pairs, io.style), sumLine(left, right, pairs)].join(
        "\n",
      ),
    );
  return differs ? EXIT.found : EXIT.fine;
}

function headLines(left: RunTree, right: RunTree, about: readonly RunDifference[], style: Style): string[] {
  return [
    `${style.bold(printable(left.run))} → ${style.bold(printable(right.run))}`,
    ...about.flatMap(({ what, left, right }) => differenceText(what, left, right, style, "")),
    style.dim("first second"),
  ];
}

const INDENT = " ".repeat(13);

function pairLines(pairs: readonly StepPair[], style: Style): string[] {
  return pairs.flatMap((pair) => {
    const step = pair.left ?? pair.right;
    if (step === null) return [];
    const numbers = `${String(pair.left?.number ?? "").padStart(5)} ${String(pair.right?.number ?? "").padStart(6)}`;
    const head = `${style.dim(numbers)} ${short(nameOf(step), 64)}`;
    if (pair.match === "left") return [`${head}  ${style.bad("only in the first")}`];
    if (pair.match === "right") return [`${head}  ${style.good("only in the second")}`];
    const told = pair.differences.flatMap(({ what, where, left, right }) =>
      differenceText(
        where === null ? what : `${what}, ${printable(where)}`,
        ...shownAs(what, left, right),
        style,
        INDENT,
      ),
    );
    return [told.length === 0 ? `${head}  ${style.dim("the same")}` : head, ...told];
  });
}

function shownAs(what: StepDifference["what"], left: string, right: string): [string, string] {
  if (what === "time") return [spanText(Number(left)), spanText(Number(right))];
  if (what !== "cost") return [left, right];
  return [left, right].map((value) => (/^\d+$/.test(value) ? dollarsText(value) : value)) as [string, string];
}

/** Of one value; `--json` has it whole. */
const SHOWN = 160;
/** Of both values on one line. */
const SIDE_BY_SIDE = 40;
/** What both begin with is shown so far. */
const BEFORE = 24;

/** Short ones side by side; of long ones the part in which they differ first, one below the other. */
function differenceText(label: string, left: string, right: string, style: Style, indent: string): string[] {
  const [one, other] = [left, right].map((text) => excerpt(text, sharedLength(left, right)));
  if (one === undefined || other === undefined) return [];
  if (one.length + other.length <= SIDE_BY_SIDE)
    return [`${indent}${style.dim(label)}  ${style.bad(one)} → ${style.good(other)}`];
  return [
    `${indent}${style.dim(label)}`,
    `${indent}  ${style.bad(`- ${one}`)}`,
    `${indent}  ${style.good(`+ ${other}`)}`,
  ];
}

function sharedLength(left: string, right: string): number {
  let length = 0;
  while (length < left.length && left[length] === right[length]) length++;
  return length;
}

function excerpt(text: string, shared: number): string {
  if (text === "") return "(none)";
  const from = text.length <= SHOWN ? 0 : Math.max(0, shared - BEFORE);
  return `${from === 0 ? "" : "…"}${short(text.slice(from, from + 2 * SHOWN).toWellFormed(), SHOWN)}`;
}

function sumLine(left: RunTree, right: RunTree, pairs: readonly StepPair[]): string {
  const count = pairs.filter(isOther).length;
  const first = pairs.find(isOther);
  const where = first === undefined ? "" : `, first ${placesOf(first)}`;
  return `${count} of ${pairs.length} steps differ${where}; cost ${dollarsText(left.totals.usdMicros)} → ${dollarsText(right.totals.usdMicros)}, time ${spanText(left.lastAt - left.startedAt)} → ${spanText(right.lastAt - right.startedAt)}`;
}

function placesOf({ left, right }: StepPair): string {
  if (left === null) return `step ${right?.number} of the second`;
  if (right === null) return `step ${left.number} of the first`;
  return left.number === right.number
    ? `step ${left.number}`
    : `step ${left.number} of the first, ${right.number} of the second`;
}
