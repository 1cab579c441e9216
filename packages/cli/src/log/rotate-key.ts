/** `saferun log rotate-key`: another key signs from now on, and whoever kept the old one can follow. */
import { installation, openSqliteStore, type RotatedKey, rotateKey } from "@saferun/store";
import { type Command, InvalidArgumentError } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { requireStore, storeOption } from "../store.ts";

interface Options extends Shared {
  readonly store: string;
  readonly believedUpTo?: number;
}

export function registerRotateKey(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("rotate-key")
    .summary("make a new signing key that the old one vouches for")
    .description(
      "Writes an entry that both keys have signed; the old private key is gone afterwards. `log verify` follows from\n" +
        "either key. Nothing else may have the store open. If the key was in other hands, name with --believed-up-to\n" +
        "the last checkpoint that is still believed.",
    )
    .addOption(storeOption())
    .option("--believed-up-to <size>", "the number of entries under the last checkpoint that is believed", sizeOf)
    .action(run((options: Options) => rotate(io, options)));
  describe(command, ["saferun log rotate-key", "saferun log rotate-key --believed-up-to 2400"]);
}

async function rotate(io: Io, { store: directory, believedUpTo, json }: Options): Promise<ExitCode> {
  const store = openSqliteStore({ directory: requireStore(io, directory) });
  let rotated: RotatedKey;
  try {
    const upTo = believedUpTo === undefined ? {} : { believedUpTo };
    rotated = await rotateKey(store, { installation: installation(), ...upTo });
  } finally {
    await store.close();
  }
  if (json) printJson(io, { key: rotated.to, before: rotated.from, believed_up_to: rotated.believedUpTo });
  else io.print(rotated.to);
  return EXIT.fine;
}

function sizeOf(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("it is a number of entries");
  return Number(text);
}
