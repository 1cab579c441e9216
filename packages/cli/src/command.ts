/** What all commands share: their common options, and how an action's exit code leaves the parser. */
import type { Command } from "commander";
import type { ExitCode } from "./exit.ts";
import type { Io } from "./io.ts";
import { printableJson } from "./output/printable.ts";

export interface Shared {
  readonly json?: boolean;
}

/** A command registers itself under a parent; `run` makes an action of a function that returns the exit code. */
export interface CommandSetup {
  readonly io: Io;
  run<Arguments extends unknown[]>(
    action: (...args: Arguments) => Promise<ExitCode> | ExitCode,
  ): (...args: Arguments) => Promise<void>;
}

/** The options of every command, and an example below its help. */
export function describe(command: Command, examples: readonly string[]): Command {
  return (
    command
      // Broken where the source is; on a terminal its width decides.
      .description(command.description().replaceAll("\n", " "))
      .option("--json", "print JSON for programs")
      .option("--no-color", "never print colours")
      .helpOption("-h, --help", "show this help")
      .addHelpText("after", `\nExamples:\n${examples.map((line) => `  $ ${line}`).join("\n")}`)
  );
}

export function printJson(io: Io, value: unknown): void {
  io.print(printableJson(JSON.stringify(value, null, 2)));
}
