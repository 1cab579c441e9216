/** `saferun test`: the tests that stand beside the rules. */
import { type PolicyTestOutcome, runPolicyTests, type Span } from "@saferun/core";
import { nodeHash } from "@saferun/store";
import type { Command } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { loadUsablePolicies } from "../policy-files.ts";

export function registerTest(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("test")
    .summary("run the tests that stand beside the rules")
    .description(
      "Judges the calls under `tests` of the policy files; no tool runs. Exit 0: all as expected. Exit 1: a test failed.\n" +
        "Exit 3: the policies are not usable. Without files: policies.yaml and policies/*.yaml of this directory, or the same in TypeScript (.ts, .mts), whose code\n" +
        "is run by it.",
    )
    .argument("[files...]", "policy files, directories or globs")
    .action(run((files: string[], options: Shared) => test(io, files, options)));
  describe(command, ["saferun test", "saferun test policies/ --json"]);
}

async function test(io: Io, patterns: readonly string[], options: Shared): Promise<ExitCode> {
  const { policies, documents } = await loadUsablePolicies(io, patterns);
  const outcomes = runPolicyTests(policies, documents, nodeHash);
  const failed = outcomes.filter(({ ok }) => !ok);
  const places = new Map(policies.rules.map(({ id, span }) => [id, span]));
  if (options.json) {
    printJson(io, {
      ok: failed.length === 0,
      revision: policies.revision,
      passed: outcomes.length - failed.length,
      failed: failed.length,
      tests: outcomes.map((outcome) => testJson(outcome, places)),
    });
  } else {
    const { good, bad, dim } = io.style;
    const lines = failed.flatMap(({ name, span, failures }) => [
      `${bad("failed")} ${printable(name)}  ${dim(place(span))}`,
      ...failures.flatMap((failure) => [
        `  ${printable(failure)}`,
        ...rulesIn(failure, places).map(({ rule, span }) => dim(`    ${printable(rule)} is at ${place(span)}`)),
      ]),
      "",
    ]);
    const counts = `${outcomes.length - failed.length} passed, ${failed.length} failed`;
    const none = outcomes.length === 0 ? "; no file has `tests`" : "";
    io.print([...lines, `${failed.length === 0 ? good(counts) : bad(counts)}${none}`].join("\n"));
  }
  return failed.length === 0 ? EXIT.fine : EXIT.found;
}

type Places = ReadonlyMap<string, Span>;

function testJson({ name, span, ok, failures }: PolicyTestOutcome, places: Places) {
  const { file, line, column } = span;
  const told = failures.map((failure) => ({ message: failure, rules: rulesIn(failure, places).map(ruleJson) }));
  return { name, file, line, column, ok, failures: told };
}

function ruleJson({ rule, span: { file, line, column } }: { readonly rule: string; readonly span: Span }) {
  return { rule, file, line, column };
}

/** The rules that a failure names, each with its place: the one that should have spoken, and those that did. */
function rulesIn(failure: string, places: Places): readonly { readonly rule: string; readonly span: Span }[] {
  const words = new Set(failure.split(/[\s,]+/));
  return [...places].filter(([rule]) => words.has(rule)).map(([rule, span]) => ({ rule, span }));
}

function place({ file, line, column }: Span): string {
  return `${printable(file)}:${line}:${column}`;
}
