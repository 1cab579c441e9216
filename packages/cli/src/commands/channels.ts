/** `saferun channels`: whether people can be asked, before a call depends on it. */
import type { Channels } from "@saferun/channels";
import { SafeRunError } from "@saferun/core";
import type { Command } from "commander";
import { openTrial, TRIAL_SECONDS } from "../channels/trial.ts";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";

export function registerChannels(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("channels")
    .summary("try out how people are asked")
    .description(
      "Channels ask people about calls that wait. They are set up by environment variables (docs/channels.md).",
    )
    .enablePositionalOptions();
  describe(command, ["saferun channels test", "saferun channels test slack:#ops-approvals"]);
  const test = command
    .command("test")
    .summary("check the set-up, or send a test card")
    .description(
      "Without a target: checks the variables of every channel for which one is set, and sends nothing.\n" +
        "With a target, as a route names it: sends a test card there and shows on it how it ended. A target of pagerduty pages\n" +
        "whoever is on call. Exit 1 when something is missing or the vendor refuses.",
    )
    .argument("[target]", "`slack:#fin`, `linear:FIN`, `pagerduty:payments`, `webhook:ops`, `email:fin@example.com`")
    .action(run((target: string | undefined, options: Shared) => trial(io, target, options)));
  describe(test, ["saferun channels test", "saferun channels test slack:#ops-approvals --json"]);
}

/** One thing that was looked at. */
interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** One line. */
  readonly message: string;
}

async function trial(io: Io, target: string | undefined, options: Shared): Promise<ExitCode> {
  // Loaded here: the vendors' packages are large, and no other command needs them.
  const { channelsFromEnvironment, targetsIn } = await import("@saferun/channels");
  const channels = channelsFromEnvironment(process.env, { onError: () => {} });
  try {
    const checks = target === undefined ? setUp(channels, targetsIn(process.env)) : await sent(channels, target);
    return show(io, target, checks, options);
  } finally {
    await channels.close();
  }
}

function setUp(channels: Channels, targets: readonly string[]): readonly Check[] {
  if (targets.length === 0) {
    const message = "no variable of any channel is set; `saferun dev` and `saferun approvals` need none";
    return [{ name: "channels", ok: false, message }];
  }
  return targets.map((target) => {
    const name =
      target.startsWith("pagerduty:") || target.startsWith("webhook:") ? target : (target.split(":")[0] ?? target);
    try {
      return { name, ok: true, message: `set up; ${approversText(channels.resolve(target)?.approvers)}` };
    } catch (error) {
      if (!(error instanceof SafeRunError)) throw error;
      return { name, ok: false, message: error.message };
    }
  });
}

async function sent(channels: Channels, target: string): Promise<readonly Check[]> {
  const found = resolved(channels, target);
  if (found === undefined) {
    return [{ name: "set-up", ok: true, message: `\`${target}\` looks at the store by itself; nothing is sent there` }];
  }
  const setUpDone = { name: "set-up", ok: true, message: `its variables are there; ${approversText(found.approvers)}` };
  const trial = await openTrial();
  try {
    const messages = await channels.notify([target], trial.paused);
    if (messages.length === 0) {
      return [
        setUpDone,
        { name: "sent", ok: false, message: `not within ${TRIAL_SECONDS} s; ${found.kind} cannot be reached` },
      ];
    }
    const card = { name: "sent", ok: true, message: `the vendor took it: ${printable(JSON.stringify(messages[0]))}` };
    await channels.update(await trial.end());
    const closed = { name: "closed", ok: true, message: "the card shows how it ended" };
    return [setUpDone, card, closed, wayBack(found.kind)];
  } catch (error) {
    if (!(error instanceof SafeRunError)) throw error;
    return [setUpDone, { name: "sent", ok: false, message: error.message }];
  } finally {
    await trial.end();
  }
}

function resolved(channels: Channels, target: string): ReturnType<Channels["resolve"]> {
  try {
    return channels.resolve(target);
  } catch (error) {
    if (error instanceof SafeRunError && error.code === "option.invalid") throw usage(error.message);
    throw error;
  }
}

function wayBack(kind: string): Check {
  const how =
    kind === "pagerduty"
      ? "nobody answers there: the page links to where a person decides"
      : "press a button of a real card to try it";
  return { name: "answers", ok: true, message: `not tried; ${how}` };
}

function approversText(count: number | undefined): string {
  if (count === undefined) return "nobody answers there";
  if (count === 0) return "nobody may answer there yet";
  return count === 1 ? "1 person may answer" : `${count} people may answer`;
}

function show(io: Io, target: string | undefined, checks: readonly Check[], options: Shared): ExitCode {
  const ok = checks.every((check) => check.ok);
  if (options.json) printJson(io, { target: target ?? null, ok, checks });
  else {
    const width = Math.max(...checks.map(({ name }) => name.length));
    const paint = (check: Check) => (check.ok ? io.style.good : io.style.bad)(check.name.padEnd(width));
    io.print(checks.map((check) => `${paint(check)}  ${printable(check.message)}`).join("\n"));
  }
  return ok ? EXIT.fine : EXIT.found;
}
