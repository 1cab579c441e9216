/** `saferun log checkpoint`: the log's head, signed now. */
import type { Command } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, failed } from "../exit.ts";
import type { Io } from "../io.ts";
import { storeOption, withReadOnlyStore, withSigningStore } from "../store.ts";
import { type OutOptions, outOption, writeOut } from "./out.ts";

interface Options extends Shared, OutOptions {
  readonly store: string;
  readonly last?: boolean;
}

export function registerCheckpoint(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("checkpoint")
    .summary("sign the log's head now, and print it")
    .description(
      "Signs what the log holds now and prints the checkpoint, a C2SP signed note. Kept outside of the store it is an\n" +
        "anchor: nobody can change what it covers without `log verify --anchor` finding it.",
    )
    .addOption(storeOption())
    .option("--last", "print the last one that was signed, and write nothing")
    .addOption(outOption())
    .action(run((options: Options) => checkpoint(io, options)));
  describe(command, ["saferun log checkpoint", "saferun log checkpoint >> /mnt/worm/my-agent.checkpoints"]);
}

async function checkpoint(io: Io, options: Options): Promise<ExitCode> {
  const found = options.last
    ? await withReadOnlyStore(io, options.store, async (store) => (await store.checkpoints()).at(-1))
    : await withSigningStore(io, options.store, async (store) => {
        await store.checkpoint();
        return (await store.checkpoints()).at(-1);
      });
  if (found === undefined) throw failed("log.unsigned", "this log has no checkpoint: nothing has been written to it");
  if (options.out === undefined && options.json) printJson(io, { entries: found.size, note: found.note });
  else writeOut(io, options, found.note);
  return EXIT.fine;
}
