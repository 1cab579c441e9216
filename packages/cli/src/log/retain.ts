/** `saferun log retain`: content that is old enough goes; entries and proofs stay. */
import { ageMs } from "@saferun/core";
import { applyRetention, installation, nodeClock } from "@saferun/store";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { requireStore, storeOption, withSigningStore } from "../store.ts";

interface Options extends Shared {
  readonly store: string;
  readonly keep: number;
}

export function registerRetain(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("retain")
    .summary("delete the content of old entries; proofs stay valid")
    .description(
      "Deletes the content of entries that are older, in small steps, with entries that say so. The entries themselves,\n" +
        "the tree and every proof stay. What an open call needs stays too. An agent's process does the same by itself, by\n" +
        "its option `retention`, 30 days unless set.",
    )
    .addOption(storeOption())
    .addOption(
      new Option("--keep <duration>", "how long content is kept, as `30d`").argParser(ageOf).makeOptionMandatory(),
    )
    .action(run((options: Options) => retainContent(io, options)));
  describe(command, ["saferun log retain --keep 30d"]);
}

async function retainContent(io: Io, { store: directory, keep, json }: Options): Promise<ExitCode> {
  const path = requireStore(io, directory);
  const done = await withSigningStore(io, directory, (store) =>
    applyRetention(store, {
      keepMs: keep,
      now: nodeClock.now(),
      by: `local:${io.user}`,
      directory: path,
      installation: installation(),
      steps: Number.POSITIVE_INFINITY,
      pauseMs: 5,
    }),
  );
  if (json === true) printJson(io, { entries: done.entries });
  else io.print(done.entries === 0 ? "nothing is old enough" : `${done.entries} entries have lost their content`);
  return EXIT.fine;
}

function ageOf(text: string): number {
  const ms = ageMs(text);
  if (ms === undefined) throw new InvalidArgumentError("it is a duration such as `30d`");
  return ms;
}
