/** `saferun check`: every issue of every policy file in one run. */
import { analyse, type JsonObject, type PolicyIssue, runtimeTables } from "@saferun/core";
import { nodeStamp } from "@saferun/store";
import { type Command, Option } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { counted } from "../output/counted.ts";
import { printable } from "../output/printable.ts";
import { sarifOf } from "../output/sarif.ts";
import type { Style } from "../output/style.ts";
import { type LoadedFiles, loadPolicyFiles } from "../policy-files.ts";

interface Options extends Shared {
  readonly tools?: string;
  readonly strict?: boolean;
  readonly format: "text" | "json" | "sarif";
}

export function registerCheck(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("check")
    .summary("find what is wrong with policy files")
    .description(
      "Reports every issue of every policy file in one run, with its place: errors, with which nothing loads, and warnings\n" +
        "about rules that are likely mistakes, each with a call that shows it. Exit 0: no error. Exit 1: at least one error.\n" +
        "Without files: policies.yaml and policies/*.yaml of this directory, or the same in TypeScript (.ts, .mts), whose code\n" +
        "is run by it.",
    )
    .argument("[files...]", "policy files, directories or globs")
    .option(
      "--tools <names>",
      "tools that exist though no file declares them, with commas between: rules may name them",
    )
    .option("--strict", "warnings count as errors do")
    .addOption(new Option("--format <format>", "how to print").choices(["text", "json", "sarif"]).default("text"))
    .action(run((files: string[], options: Options) => check(io, files, options, parent.version() ?? "")));
  describe(command, [
    "saferun check",
    "saferun check policies/ --tools stripe.refund,mail.send",
    "saferun check --strict --json",
    "saferun check --format sarif > saferun.sarif",
  ]);
}

async function check(io: Io, patterns: readonly string[], options: Options, version: string): Promise<ExitCode> {
  const knownTools = options.tools?.split(",").map((name) => name.trim());
  const files = await loadPolicyFiles(io, patterns, { analyse, ...(knownTools === undefined ? {} : { knownTools }) });
  const { loaded } = files;
  const issues = loaded.ok ? loaded.warnings : loaded.issues;
  const ok = loaded.ok && (options.strict !== true || issues.length === 0);
  if (options.format === "sarif") printJson(io, sarifOf(issues, version));
  else if (options.json || options.format === "json") printJson(io, checkJson(files, ok, issues));
  else io.print(reportLines(files, issues, io.style).join("\n"));
  return ok ? EXIT.fine : EXIT.found;
}

/** `runtime` names the tables that conditions may read; with the revision it says what decides. */
function checkJson({ loaded, names }: LoadedFiles, ok: boolean, issues: readonly PolicyIssue[]): JsonObject {
  const revision = loaded.ok ? loaded.policies.revision : null;
  const reads = loaded.ok ? runtimeTables(loaded.model) : [];
  return {
    ok,
    files: names,
    revision,
    runtime: { ...nodeStamp, reads },
    issues: issues.map((issue) => ({ ...issue })),
  };
}

function reportLines({ loaded, names, format }: LoadedFiles, issues: readonly PolicyIssue[], style: Style): string[] {
  const revision = loaded.ok ? loaded.policies.revision : undefined;
  const blocks = issues.map((issue) => {
    const [head = "", ...rest] = format(issue).split("\n");
    const example =
      issue.example === undefined ? [] : [`    ${style.dim(`call: ${printable(JSON.stringify(issue.example))}`)}`];
    return [issue.severity === "error" ? style.bad(head) : style.wait(head), ...rest, ...example].join("\n");
  });
  const errors = issues.filter((issue) => issue.severity === "error").length;
  const counts = `${counted(names.length, "file")}, ${counted(errors, "error")}, ${counted(issues.length - errors, "warning")}`;
  const verdict = revision === undefined ? style.bad("not usable") : style.good("usable");
  const which = revision === undefined ? "" : style.dim(`, revision ${revision.slice(0, 12)}`);
  return [...blocks.flatMap((block) => [block, ""]), `${verdict}: ${counts}${which}`];
}
