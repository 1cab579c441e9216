/** The command line: which commands there are, and which exit code each ending has. */
import { SafeRunError } from "@saferun/core";
import { Command, CommanderError } from "commander";
import type { CommandSetup } from "./command.ts";
import { registerAccess } from "./commands/access.ts";
import { registerApprovals } from "./commands/approvals.ts";
import { registerBacktest } from "./commands/backtest.ts";
import { registerBreakers } from "./commands/breakers.ts";
import { registerBudgets } from "./commands/budgets.ts";
import { registerChannels } from "./commands/channels.ts";
import { registerCheck } from "./commands/check.ts";
import { registerDev } from "./commands/dev.ts";
import { registerDiff } from "./commands/diff.ts";
import { registerDiffRuns } from "./commands/diff-runs.ts";
import { registerEval } from "./commands/eval.ts";
import { registerExplain } from "./commands/explain.ts";
import { registerInit } from "./commands/init.ts";
import { registerLog } from "./commands/log.ts";
import { registerReplay } from "./commands/replay.ts";
import { registerRuns } from "./commands/runs.ts";
import { registerResume, registerStop } from "./commands/stop.ts";
import { registerTest } from "./commands/test.ts";
import { CommandError, EXIT, type ExitCode, usage } from "./exit.ts";
import type { Io } from "./io.ts";
import { printableJson, printableLines } from "./output/printable.ts";
import { version } from "./version.ts";

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
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => io.print(text.trimEnd()),
      writeErr: (text) => io.warn(printableLines(text.trimEnd())),
      // Told in our own form once it is thrown.
      outputError: () => {},
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
  registerAccess,
  registerEval,
  registerDiff,
  registerBacktest,
  registerDev,
  registerApprovals,
  registerChannels,
  registerStop,
  registerResume,
  registerBreakers,
  registerBudgets,
  registerRuns,
  registerReplay,
  registerDiffRuns,
  registerLog,
] as const;

const EXIT_HELP = `
Exit codes: 0 fine, 1 found something, 2 wrong usage, 3 could not run.`;

/** Errors go to standard error, so that standard output holds results only. */
function report(error: unknown, argv: readonly string[], io: Io): ExitCode {
  // The help, asked for or shown in the place of a command.
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.fine;
  if (error instanceof CommanderError && error.code === "commander.help") return EXIT.usage;
  return tell(error instanceof CommanderError ? usage(parserText(error)) : error, argv, io);
}

/** The parser's words in our form: the user's text in backticks, the nearest word, what to do. */
function parserText({ message }: CommanderError): string {
  const [first = "", ...hints] = message.replace(/^error: /, "").split("\n");
  const nearest = /^\(Did you mean (?:one of )?(.+)\?\)$/.exec(hints.join(" "))?.[1];
  const meant = nearest === undefined ? "" : `; did you mean ${nearest.split(", ").map(quoted).join(" or ")}?`;
  const text = `${first.charAt(0).toLowerCase()}${first.slice(1)}`.replace(/'([^']*)'/g, (_, text) => quoted(text));
  const said = text
    .replace(/^option (`.*`) argument (`.*`) is invalid\. /, "$2 does not fit $1: ")
    .replace(/\. E/, "; e")
    .replace(/\.$/, "");
  return `${said}${meant === "" ? ";" : meant} \`--help\` shows what is possible`;
}

function quoted(text: string): string {
  return `\`${text}\``;
}

function tell(error: unknown, argv: readonly string[], io: Io): ExitCode {
  const known = error instanceof CommandError || error instanceof SafeRunError;
  const code = known ? error.code : "internal.error";
  const message = known ? error.message : `a bug in saferun: ${error instanceof Error ? error.message : String(error)}`;
  if (argv.includes("--json")) io.warn(printableJson(JSON.stringify({ error: { code, message } })));
  else io.warn(`${io.warnStyle.bad("saferun:")} ${printableLines(message)}`);
  return error instanceof CommandError ? error.exit : EXIT.failed;
}
