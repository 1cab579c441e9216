/** `saferun diff`: two policy sets side by side, who gains and who loses what. */
import {
  diffPolicies,
  gainOf,
  type PolicyDiff,
  type PolicyDifference,
  type PolicyModel,
  type SettingDifference,
} from "@saferun/core";
import type { Command } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, failed } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable, short } from "../output/printable.ts";
import { type Style, tone } from "../output/style.ts";
import { table } from "../output/table.ts";
import { loadPolicyFiles } from "../policy-files.ts";

export function registerDiff(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("diff")
    .summary("compare two policy sets: who gains what, who loses what")
    .description(
      "Asks both sets about the calls that their conditions tell apart, and shows one call for each difference. Budgets,\n" +
        "breakers, tools, routes and environments are compared setting by setting.\n" +
        "Exit 0: no difference found. Exit 1: at least one. Tools for which one may have been missed are named.",
    )
    .argument("<before>", "policy file, directory or glob")
    .argument("<after>", "policy file, directory or glob")
    .action(run((before: string, after: string, options: Shared) => diff(io, before, after, options)));
  describe(command, ["saferun diff policies.yaml policies.new.yaml", "saferun diff old/ new/ --json"]);
}

async function diff(io: Io, before: string, after: string, options: Shared): Promise<ExitCode> {
  const result = diffPolicies(await modelOf(before, io), await modelOf(after, io));
  if (options.json) printJson(io, jsonOf(result));
  else io.print(linesOf(result, io.style).join("\n"));
  return result.differences.length + result.settings.length === 0 ? EXIT.fine : EXIT.found;
}

async function modelOf(pattern: string, io: Io): Promise<PolicyModel> {
  const { loaded } = await loadPolicyFiles(io, [pattern]);
  if (loaded.ok) return loaded.model;
  const errors = loaded.issues.filter(({ severity }) => severity === "error").length;
  const shown = printable(pattern);
  const many = `${errors} error${errors === 1 ? "" : "s"}`;
  throw failed("policy.invalid", `\`${shown}\` has ${many}; see them with \`saferun check ${shown}\``);
}

function jsonOf({ differences, settings, incomplete }: PolicyDiff): object {
  return {
    differs: differences.length + settings.length > 0,
    differences: differences.map((one) => ({ ...one, change: gainOf(one) > 0 ? "gains" : "loses" })),
    settings,
    incomplete,
  };
}

function linesOf({ differences, settings, incomplete }: PolicyDiff, style: Style): string[] {
  const gains = differences.filter((one) => gainOf(one) > 0);
  const losses = differences.filter((one) => gainOf(one) < 0);
  const blocks = [...section("gains: more may run", gains, style), ...section("loses: less may run", losses, style)];
  const gaps = incomplete.map(({ tool, why }) => style.dim(`${printable(tool)}: not complete, ${printable(why)}`));
  const counts = `${differences.length} difference${differences.length === 1 ? "" : "s"}, ${gains.length} gained, ${losses.length} lost`;
  const changed = settings.length === 0 ? "" : `${differences.length === 0 ? "" : ", "}${settings.length} in settings`;
  return [
    ...blocks,
    ...settingLines(settings, style),
    ...gaps,
    ...(gaps.length > 0 ? [""] : []),
    differences.length === 0 ? changed || "no difference found" : counts + changed,
  ];
}

/** What is said beside the rules, with the place of each side. */
function settingLines(settings: readonly SettingDifference[], style: Style): string[] {
  if (settings.length === 0) return [];
  const rows = settings.map((one) => [
    one.what,
    printable(one.name),
    one.change,
    printable(short(one.text, CALL_WIDTH)),
    style.dim([placeOf(one.before), placeOf(one.after)].filter((place) => place !== "").join(" → ")),
  ]);
  return [style.bold("settings"), ...table(rows), ""];
}

function placeOf(span: SettingDifference["before"]): string {
  return span === null ? "" : `${printable(span.file)}:${span.line}`;
}

const CALL_WIDTH = 100;

function section(title: string, differences: readonly PolicyDifference[], style: Style): string[] {
  if (differences.length === 0) return [];
  const rows = differences.map((one) => [
    printable(one.tool),
    printable(one.environment),
    who(one),
    `${tone(style, one.from)} → ${tone(style, one.to)}`,
    `${printable(one.before.join(", "))} → ${printable(one.after.join(", "))}`,
    style.dim(short(JSON.stringify(one.example.args), CALL_WIDTH)),
  ]);
  const head = ["TOOL", "ENV", "WHO", "VERDICT", "BY", "SUCH AS"].map((word) => style.dim(word));
  return [style.bold(title), ...table([head, ...rows]), ""];
}

/** Everybody, where the rules tell nobody apart. */
function who({ agent, principal }: PolicyDifference): string {
  const names = [agent, principal].filter((name) => name !== undefined);
  return names.length === 0 ? "all" : names.map(printable).join(", for ");
}
