/** `saferun log proof`: one entry, or the log's growth, proven to somebody who holds nothing but the public key. */
import { formatConsistency, formatInclusion, proveConsistency, proveInclusion, type Store } from "@saferun/core";
import { nodeHash, openArchive } from "@saferun/store";
import { type Command, InvalidArgumentError } from "commander";
import { type CommandSetup, describe, type Shared } from "../command.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { storeOption, withReadOnlyStore } from "../store.ts";
import { archiveOf } from "./archive.ts";
import { type OutOptions, outOption, writeOut } from "./out.ts";

interface Options extends Shared, OutOptions {
  readonly store: string;
  readonly since?: number;
  readonly at?: number;
  readonly archive?: string;
}

export function registerProof(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("proof")
    .summary("prove that an entry is in the log, or that the log only grew")
    .description(
      "With an entry's number: a proof that it is in the log under the last checkpoint (C2SP `tlog-proof`). With --since:\n" +
        "that the log under the last checkpoint begins with the one under that older checkpoint. `saferun log verify FILE`\n" +
        "checks either offline; other tools for transparency logs read the first.",
    )
    .argument("[entry]", "the entry's number", numberOf)
    .addOption(storeOption())
    .option("--since <size>", "the number of entries under an older checkpoint", numberOf)
    .option("--at <size>", "under the checkpoint over so many entries, instead of the last", numberOf)
    .option("--archive <folder>", "where the first entries were archived to, for one of them")
    .addOption(outOption())
    .action(
      run((entry: number | undefined, options: Options) =>
        withReadOnlyStore(io, options.store, (store) => prove(io, store, entry, options)),
      ),
    );
  describe(command, ["saferun log proof 17 --out entry-17.tlog-proof", "saferun log proof --since 2400"]);
}

async function prove(io: Io, store: Store, entry: number | undefined, options: Options): Promise<ExitCode> {
  const { since, at } = options;
  if ((entry === undefined) === (since === undefined))
    throw usage("name an entry, or an older checkpoint with --since");
  const folder = options.archive === undefined ? undefined : archiveOf(io, options.archive, store);
  const archive = folder === undefined ? undefined : openArchive(folder);
  const text =
    entry !== undefined
      ? formatInclusion(await proveInclusion(store, entry, nodeHash, at, archive))
      : formatConsistency(await proveConsistency(store, since ?? 0, nodeHash, at, archive));
  writeOut(io, options, text);
  return EXIT.fine;
}

function numberOf(text: string): number {
  if (!/^(0|[1-9]\d{0,14})$/.test(text)) throw new InvalidArgumentError("it is a number");
  return Number(text);
}
