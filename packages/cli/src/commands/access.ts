/** `saferun access`: who may call what, by the rules alone. */
import { type AccessAnswer, accessOf, namedIn, type PolicyAccess, type PolicyModel } from "@saferun/core";
import type { Command } from "commander";
import { accessJson } from "../access.ts";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, failed, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable, short } from "../output/printable.ts";
import { type Style, tone } from "../output/style.ts";
import { table } from "../output/table.ts";
import { loadPolicyFiles } from "../policy-files.ts";

interface Options extends Shared {
  readonly agent?: readonly string[];
  readonly tool?: readonly string[];
  readonly environment?: readonly string[];
}

export function registerAccess(parent: Command, { io, run }: CommandSetup): void {
  const several = (value: string, before: readonly string[] = []) => [...before, value];
  const command = parent
    .command("access")
    .summary("show who may call what")
    .description(
      "Asks the rules about every kind of call that their conditions tell apart, and shows each answer for each agent,\n" +
        "environment and tool, with a call that gets it. Budgets, breakers and stops are left aside. Without names: the agents\n" +
        "and tools that the policies name, and any other agent. Tools of which an answer may have been missed are named.",
    )
    .argument("[files...]", "policy files, directories or globs")
    .option("--agent <name>", "this agent; may be given several times", several)
    .option("--tool <name>", "this tool; may be given several times", several)
    .option("--environment <name>", "this environment; may be given several times", several)
    .action(run((files: string[], options: Options) => access(io, files, options)));
  describe(command, ["saferun access", "saferun access --tool refund --environment prod", "saferun access --json"]);
}

async function access(io: Io, patterns: readonly string[], options: Options): Promise<ExitCode> {
  const { loaded } = await loadPolicyFiles(io, patterns);
  if (!loaded.ok) throw failed("policy.invalid", "the policies do not load; see what is wrong with `saferun check`");
  const { model } = loaded;
  const named = namedIn(model);
  const agents = options.agent ?? [...named.agents, named.agents.length === 0 ? "any agent" : "any other agent"];
  const environments = environmentsOf(model, options.environment);
  const callers = environments.flatMap((environment) => agents.map((agent) => ({ agent, environment })));
  const found = accessOf(model, { callers, tools: options.tool ?? named.tools });
  if (options.json) printJson(io, { access: found.access.map(accessJson), incomplete: found.incomplete });
  else io.print(linesOf(found, io.style).join("\n"));
  return EXIT.fine;
}

function environmentsOf({ environments }: PolicyModel, asked: readonly string[] | undefined): readonly string[] {
  const known = [...environments.keys()];
  const unknown = asked?.find((name) => !known.includes(name));
  if (unknown === undefined) return asked ?? known;
  throw usage(
    `no environment is called \`${printable(unknown)}\`; there are ${known.map((name) => `\`${name}\``).join(", ")}`,
  );
}

const CALL_WIDTH = 80;

function linesOf({ access: all, incomplete }: PolicyAccess, style: Style): string[] {
  if (all.length === 0) return ["no policy names a tool: name one with `--tool`"];
  const head = ["AGENT", "ENV", "TOOL", "MAY", "BY", "SUCH AS"].map((word) => style.dim(word));
  const rows = all.flatMap(({ agent, environment, tool, answers }) => {
    const who = [agent, environment, tool].map(printable);
    if (answers.length === 0)
      return [[...who, style.dim("nothing: every call that was tried is refused before any rule")]];
    return answers.map((answer, index) => [...(index === 0 ? who : ["", "", ""]), ...cells(answer, style)]);
  });
  const gaps = incomplete.map(({ tool, why }) => style.dim(`${printable(tool)}: not complete, ${printable(why)}`));
  return [...table([head, ...rows]), ...(gaps.length > 0 ? ["", ...gaps] : [])];
}

function cells({ verdict, by, would, principal, example }: AccessAnswer, style: Style): readonly string[] {
  const rules = would === undefined ? by : would.by;
  const observed = would === undefined ? "" : style.dim(` (observed: ${would.verdict})`);
  const whose = principal === undefined ? "" : style.dim(` for ${printable(principal)}`);
  return [
    `${tone(style, verdict)}${observed}`,
    `${printable(rules.join(", "))}${whose}`,
    style.dim(short(JSON.stringify(example.args), CALL_WIDTH)),
  ];
}
