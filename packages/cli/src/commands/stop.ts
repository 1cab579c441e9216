/** `saferun stop` and `saferun resume`: the switch. */
import { agentMeant, liftStops, type Stop, type StopScope, stopCalls, stopsInForce } from "@saferun/core";
import { stopJson } from "@saferun/server/wire";
import { nodeHash } from "@saferun/store";
import type { Command } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { meantBy } from "../output/ids.ts";
import { printable } from "../output/printable.ts";
import { table } from "../output/table.ts";
import { moment } from "../output/time.ts";
import { localActor, operating, refusedAct, requireReason } from "../protections/act.ts";
import { type NotSeen, notSeen } from "../protections/seen.ts";
import { runMeant } from "../runs/find.ts";
import { storeArgument, storeOption, withReadOnlyStore, withStore } from "../store.ts";

interface Options extends Shared {
  readonly store: string;
  readonly reason?: string;
}

interface StopOptions extends Options {
  readonly agent?: string;
  readonly tool?: string;
  readonly run?: string;
  readonly all?: boolean;
  readonly list?: boolean;
}

export function registerStop(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("stop")
    .summary("stop an agent, a tool, a run, or everything")
    .description(
      "From the moment this returns no call of that scope is claimed, in any process that uses the store; waiting calls\n" +
        "do not run, and calls under way get their abort signal. Scopes narrow one another: --agent with --tool stops that\n" +
        "tool for that agent only.",
    )
    .option("--agent <name>", "calls of this agent")
    .option("--tool <name>", "calls of this tool")
    .option("--run <id>", "calls of this run and its sub-agents")
    .option("--all", "every call")
    .option("--reason <text>", "why; stands in the record, and the agent is told")
    .option("--list", "show what is stopped")
    .addOption(storeOption())
    .action(run((options: StopOptions) => (options.list ? list(io, options) : stop(io, options))));
  describe(command, [
    'saferun stop --agent billing-bot --reason "refunds the wrong orders"',
    'saferun stop --all --reason "incident 42"',
    "saferun stop --list",
  ]);
}

export function registerResume(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("resume")
    .summary("lift a stop")
    .description("Lifts one stop by its id (`saferun stop --list` shows them). Approvals that waited are asked again.")
    .argument("[id]", "the stop, or a part of its id")
    .option("--reason <text>", "why; stands in the record")
    .addOption(storeOption())
    .action(run((id: string | undefined, options: Options) => resume(io, id, options)));
  describe(command, ['saferun resume stop_018f… --reason "the prompt is fixed"']);
}

async function stop(io: Io, options: StopOptions): Promise<ExitCode> {
  const { agent = null, tool = null, run = null } = options;
  const narrow = agent !== null || tool !== null || run !== null;
  if (!narrow && options.all !== true) throw usage("say what to stop: --agent, --tool, --run, or --all");
  if (narrow && options.all === true) throw usage("--all stops everything: give it alone");
  const reason = requireReason(options.reason);
  return withStore(io, options.store, async (store) => {
    const meant = run === null ? null : ((await runMeant(store, run))?.id ?? run);
    const named = agent === null ? null : await agentMeant(agent, store, nodeHash);
    if (named === undefined)
      throw usage(`the log no longer tells whose id \`${agent}\` is: stop the agent's runs or tools`);
    const scope: StopScope = { agent: named, tool, run: meant };
    const done = await stopCalls(operating(store), { scope, reason, by: localActor(io) });
    if (!done.ok) throw refusedAct(done.why);
    const id = done.id ?? "";
    // Only now: the stop holds, whatever becomes of this look.
    const unseen = await notSeen(store, scope);
    if (options.json) printJson(io, { id, scope, reason, not_seen: unseen });
    else {
      io.print(`${io.style.bad("stopped")}: ${scopeText(scope)}  ${id}`);
      io.print(`lift it with: saferun resume ${id}${storeArgument(options.store)} --reason "…"`);
    }
    for (const one of unseen) io.warn(notSeenText(one));
    return EXIT.fine;
  });
}

async function resume(io: Io, id: string | undefined, options: Options): Promise<ExitCode> {
  if (id === undefined) throw usage("name the stop: `saferun stop --list` shows them with their ids");
  const reason = requireReason(options.reason);
  return withStore(io, options.store, async (store) => {
    const only = meantBy(await stopsInForce(store), id, "stops", ({ scope }) => scopeText(scope));
    if (only === undefined) throw refusedAct("missing");
    const done = await liftStops(operating(store), { id: only.id, reason, by: localActor(io) });
    if (!done.ok) throw refusedAct(done.why);
    const lifted = done.lifted === true;
    if (options.json) printJson(io, { id: only.id, lifted });
    else
      io.print(lifted ? `lifted: ${scopeText(only.scope)}` : "recorded; a second admin must agree before it is lifted");
    return EXIT.fine;
  });
}

async function list(io: Io, options: StopOptions): Promise<ExitCode> {
  return withReadOnlyStore(io, options.store, async (store) => {
    const stops = await stopsInForce(store);
    if (options.json) printJson(io, { stops: stops.map(stopJson) });
    else if (stops.length === 0) io.print("nothing is stopped");
    else io.print(table(stops.map(stopRow)).join("\n"));
    return EXIT.fine;
  });
}

function stopRow({ id, scope, reason, by, at }: Stop): string[] {
  return [id, scopeText(scope), moment(at), printable(by), printable(reason)];
}

function notSeenText({ what, name, suggestion }: NotSeen): string {
  const meant = suggestion === undefined ? "" : `; did you mean \`${printable(suggestion)}\`?`;
  return `the record knows no ${what} \`${printable(name)}\`, so that this may stop nothing${meant}`;
}

/** `agent billing-bot, tool refund`; `everything`. */
function scopeText({ agent, tool, run }: StopScope): string {
  const of = [
    ...(agent === null ? [] : [`agent ${printable(agent)}`]),
    ...(tool === null ? [] : [`tool ${printable(tool)}`]),
    ...(run === null ? [] : [`run ${printable(run)}`]),
  ];
  return of.length === 0 ? "everything" : of.join(", ");
}
