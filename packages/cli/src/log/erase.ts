/** `saferun log erase`: takes a person's content out of the record; every proof stays valid. */
import { userInfo } from "node:os";
import type { ErasureTarget } from "@saferun/core";
import {
  createCheckpointer,
  createFileSigner,
  eraseFromStore,
  installation,
  openSqliteStore,
  openStoreKeys,
  redacted,
  signingKeyPath,
} from "@saferun/store";
import { type Command, Option } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { counted } from "../output/counted.ts";
import { printable } from "../output/printable.ts";
import { requireStore, storeOption } from "../store.ts";

interface Options extends Shared {
  readonly store: string;
  readonly subject?: string;
  readonly run?: string;
  readonly call?: string;
  readonly reason: string;
}

/** What no store knows of. */
const ELSEWHERE = "exports, backups, messages in channels, copies on other machines";

export function registerErase(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("erase")
    .summary("erase the content of a person's runs; proofs stay valid")
    .description(
      "Deletes the content (and its salts) of all runs of a principal, of one run, or of one call, for good; of a principal\n" +
        "also the calls that name them as their subject, with the prompts and answers of those runs. With it goes what the\n" +
        "search index and the tables hold of it, and the keys that it was sealed with, so that backups of it cannot be read\n" +
        "either. An entry says what was erased, by whom and why; the reason stays\n" +
        "in the log and must not name the subject. Calls must have ended.",
    )
    .addOption(storeOption())
    .addOption(new Option("--subject <principal>", "the id of the principal that runs were made for"))
    .addOption(new Option("--run <id>", "one run").conflicts("subject"))
    .addOption(
      new Option("--call <id>", "one call; its run's prompts and answers may repeat it").conflicts(["subject", "run"]),
    )
    .requiredOption("--reason <text>", "why; it stays in the log")
    .action(run((options: Options) => eraseContent(io, options)));
  describe(command, [
    'saferun log erase --subject user_42 --reason "request 2026-118"',
    'saferun log erase --run run_4f0c… --reason "test data"',
  ]);
}

async function eraseContent(io: Io, options: Options): Promise<ExitCode> {
  const target = targetOf(options);
  const directory = requireStore(io, options.store);
  const store = redacted(openSqliteStore({ directory }), openStoreKeys(directory));
  try {
    const { reason } = options;
    const own = installation();
    const by = `local:${userInfo().username}`;
    const erased = await eraseFromStore(store, { target, reason, by }, own);
    // Signed at once: who keeps a checkpoint can tell the erasure from a loss.
    await createCheckpointer(store, createFileSigner(signingKeyPath(store.directory)), {
      installation: own,
    }).checkpoint();
    const { parts, runs, rows, keys: destroyed, unreached } = erased;
    if (options.json)
      printJson(io, {
        ...{ parts, entries: erased.entries.length, runs, rows, keys: destroyed },
        unreached: [...unreached, ELSEWHERE],
      });
    else {
      io.print(
        `erased ${counted(parts, "part")} of ${counted(erased.entries.length, "entry", "entries")}, and ${counted(rows, "row")} beside them`,
      );
      if (destroyed > 0) {
        const count = `${destroyed} key${destroyed === 1 ? "" : "s"}`;
        io.print(
          `destroyed ${count}: what was sealed with ${destroyed === 1 ? "it" : "them"} cannot be read in any copy`,
        );
      }
      for (const left of [...unreached, ELSEWHERE]) io.print(`not reached: ${printable(left)}`);
    }
    return EXIT.fine;
  } finally {
    await store.close();
  }
}

function targetOf({ subject, run, call }: Options): ErasureTarget {
  if (subject !== undefined) return { subject };
  if (run !== undefined) return { run };
  if (call !== undefined) return { call };
  throw usage("name what to erase: --subject, --run or --call");
}
