/** The command line: which commands there are, and which exit code each ending has. */
import { readFileSync } from "node:fs";
import { SafeRunError } from "@saferun/core";
import { Command, CommanderError } from "commander";
import type { CommandSetup } from "./command.ts";
import { registerApprovals } from "./commands/approvals.ts";
import { registerBacktest } from "./commands/backtest.ts";
import { registerChannels } from "./commands/channels.ts";
import { registerCheck } from "./commands/check.ts";
import { registerDev } from "./commands/dev.ts";
import { registerDiff } from "./commands/diff.ts";
import { registerEval } from "./commands/eval.ts";
import { registerExplain } from "./commands/explain.ts";
import { registerInit } from "./commands/init.ts";
import { registerLog } from "./commands/log.ts";
import { registerRuns } from "./commands/runs.ts";
import { registerTest } from "./commands/test.ts";
import { CommandError, EXIT, type ExitCode } from "./exit.ts";
import type { Io } from "./io.ts";
import { printableJson, printableLines } from "./output/printable.ts";

/** Runs one command line; the exit code. Never throws. */
export async function runCommandLine(argv: readonly string[], io: Io): Promise<ExitCode> {
  let exit: ExitCode = EXIT.fine;
  const setup: CommandSetup = {
    io,
    run:
      (action) =>
      async (...args) => {
        exit = await action(...args);
      },
  };
  const program = new Command("saferun")
    .description("The deterministic gate between an AI agent and its tools.")
    .version(version(), "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .option("--no-color", "never print colours")
    .enablePositionalOptions()
    .showHelpAfterError("(`--help` shows what is possible)")
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => io.print(text.trimEnd()),
      writeErr: (text) => io.warn(printableLines(text.trimEnd())),
    })
    .exitOverride()
    .addHelpText("after", EXIT_HELP);
  for (const register of COMMANDS) {
    register(program, setup);
  }
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exit;
  } catch (error) {
    return report(error, argv, io);
  }
}

/** In the order of the help. */
const COMMANDS = [
  registerInit,
  registerCheck,
  registerTest,
  registerExplain,
  registerEval,
  registerDiff,
  registerBacktest,
  registerDev,
  registerApprovals,
  registerChannels,
  registerRuns,
  registerLog,
] as const;

const EXIT_HELP = `
Exit codes: 0 fine, 1 found something, 2 wrong usage, 3 could not run.`;

/** Errors go to standard error, so that standard output holds results only. */
function report(error: unknown, argv: readonly string[], io: Io): ExitCode {
  if (error instanceof CommanderError) {
    // The parser has printed its own message, or the help that was asked for.
    return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
  }
  const known = error instanceof CommandError || error instanceof SafeRunError;
  const code = known ? error.code : "internal.error";
  const message = known ? error.message : `a bug in saferun: ${error instanceof Error ? error.message : String(error)}`;
  if (argv.includes("--json")) io.warn(printableJson(JSON.stringify({ error: { code, message } })));
  else io.warn(`${io.warnStyle.bad("saferun:")} ${printableLines(message)}`);
  return error instanceof CommandError ? error.exit : EXIT.failed;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const found =
    typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : undefined;
  return typeof found === "string" ? found : "unknown";
}
