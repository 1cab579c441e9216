/** `saferun log`: the record itself, and whether it is whole. */
import { statSync } from "node:fs";
import type { Store, StoredEntry, ViewTarget } from "@saferun/core";
import { createFileSigner, signingKeyPath } from "@saferun/store";
import { type Command, InvalidArgumentError } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, failed } from "../exit.ts";
import type { Io } from "../io.ts";
import { registerArchive } from "../log/archive.ts";
import { registerCheckpoint } from "../log/checkpoint.ts";
import { claimedKey } from "../log/claimed-key.ts";
import { registerErase } from "../log/erase.ts";
import { registerExport } from "../log/export.ts";
import { registerProof } from "../log/proof.ts";
import { registerReconcile } from "../log/reconcile.ts";
import { registerReport } from "../log/report.ts";
import { registerRetain } from "../log/retain.ts";
import { registerRotateKey } from "../log/rotate-key.ts";
import { registerSearch } from "../log/search.ts";
import { registerVerify } from "../log/verify.ts";
import { entryJson, entryLines } from "../log/view.ts";
import { registerWitness } from "../log/witness.ts";
import { requireStore, storeOption, withReadOnlyStore } from "../store.ts";
import { type Looking, withContent } from "../viewing.ts";

interface Options extends Shared {
  readonly store: string;
}

interface ListOptions extends Options {
  readonly limit: number;
  readonly from?: number;
  readonly run?: string;
}

export function registerLog(parent: Command, setup: CommandSetup): void {
  const { io, run } = setup;
  const command = parent
    .command("log")
    .summary("list the log's entries, verify and prove them")
    .description("Lists the last entries of the log, the newest at the end.")
    .enablePositionalOptions()
    .addOption(storeOption())
    .option("-n, --limit <count>", "how many entries", countOf, 50)
    .option("--from <number>", "the first entry; without it the last ones", countOf)
    .option("--run <id>", "entries of one run")
    .action(
      run((options: ListOptions) =>
        withContent(io, options.store, (store, looking) => list(io, store, looking, options)),
      ),
    );
  describe(command, ["saferun log", "saferun log --run run_4f0c… --json", "saferun log verify"]);

  registerSearch(command, setup);
  registerExport(command, setup);
  registerVerify(command, setup);
  registerCheckpoint(command, setup);
  registerProof(command, setup);
  registerReport(command, setup);
  registerRotateKey(command, setup);
  registerWitness(command, setup);
  registerErase(command, setup);
  registerReconcile(command, setup);
  registerArchive(command, setup);
  registerRetain(command, setup);

  const key = command
    .command("key")
    .summary("print the public key to keep elsewhere")
    .description(
      "Prints the public key that signs this log. Keep it where nobody who can write the store can change it.",
    )
    .addOption(storeOption())
    .action(run((options: Options) => showKey(io, options)));
  describe(key, ["saferun log key", "saferun log key > ~/keys/my-agent.vkey"]);
}

async function list(io: Io, store: Store, looking: Looking, options: ListOptions): Promise<ExitCode> {
  const entries = await page(store, options);
  if (options.json) {
    // The list for people shows headers only.
    await looking.shows({ what: "log", target: targetOf(entries, options), entries: entries.length });
    printJson(io, { entries: entries.map(entryJson) });
  } else if (entries.length === 0) io.print("no entries");
  else io.print(entryLines(entries, io.style).join("\n"));
  return EXIT.fine;
}

function targetOf(entries: readonly StoredEntry[], { run }: ListOptions): ViewTarget {
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return {};
  return { range: { from: first.seq, to: last.seq + 1 }, ...(run === undefined ? {} : { runs: [run] }) };
}

async function page(store: Store, { from, limit, run }: ListOptions): Promise<readonly StoredEntry[]> {
  if (from !== undefined) return store.entries({ from, limit, ...(run === undefined ? {} : { run }) });
  if (run === undefined) return store.entries({ from: Math.max(0, (await store.head()).size - limit), limit });
  let last: StoredEntry[] = [];
  for (let at = 0; ; ) {
    const batch = await store.entries({ from: at, limit: 1_000, run });
    last = [...last, ...batch].slice(-limit);
    const end = batch.at(-1);
    if (end === undefined) return last;
    at = end.seq + 1;
  }
}

async function showKey(io: Io, options: Options): Promise<ExitCode> {
  const file = signingKeyPath(requireStore(io, options.store));
  const there = statSync(file, { throwIfNoEntry: false }) !== undefined;
  const key = there ? createFileSigner(file).vkey : await withReadOnlyStore(io, options.store, claimedKey);
  if (key === undefined)
    throw failed("log.unsigned", "this log is not signed yet: nothing has been written to it with a key");
  if (options.json) printJson(io, { key });
  else io.print(key);
  return EXIT.fine;
}

function countOf(text: string): number {
  const count = Number(text);
  if (!/^\d{1,15}$/.test(text) || count > 10_000_000_000) throw new InvalidArgumentError("it is a number");
  return count;
}
