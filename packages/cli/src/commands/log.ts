/** `saferun log`: the record itself, and whether it is whole. */
import { statSync } from "node:fs";
import {
  formatNoteKey,
  parseHeader,
  parseNoteKey,
  type Store,
  type StoredEntry,
  type Verification,
} from "@saferun/core";
import { createFileSigner, installation, nodeHash, signingKeyPath, verifyStore } from "@saferun/store";
import { type Command, InvalidArgumentError } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, failed } from "../exit.ts";
import type { Io } from "../io.ts";
import { entryJson, entryLines, verificationJson, verificationLines } from "../log/view.ts";
import { partValue } from "../runs/steps.ts";
import { requireStore, storeArgument, storeOption, withReadOnlyStore } from "../store.ts";

interface Options extends Shared {
  readonly store: string;
}

interface ListOptions extends Options {
  readonly limit: number;
  readonly from?: number;
  readonly run?: string;
}

interface VerifyOptions extends Options {
  readonly key?: string;
}

export function registerLog(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("log")
    .summary("list the log's entries, verify them")
    .description("Lists the last entries of the log, the newest at the end.")
    .enablePositionalOptions()
    .addOption(storeOption())
    .option("-n, --limit <count>", "how many entries", countOf, 50)
    .option("--from <number>", "the first entry; without it the last ones", countOf)
    .option("--run <id>", "entries of one run")
    .action(run((options: ListOptions) => withReadOnlyStore(io, options.store, (store) => list(io, store, options))));
  describe(command, ["saferun log", "saferun log --run run_4f0c… --json", "saferun log verify"]);

  const verify = command
    .command("verify")
    .summary("check that nothing was changed, removed, inserted or reordered")
    .description(
      "Reads the whole log and checks every entry, the tree and its signatures. Writes nothing; works while an agent runs.\n" +
        "Only with --key, a public key that you kept elsewhere, the answer can be `verified`. Exit 1: a fault, or nothing\n" +
        "that the key given has signed.",
    )
    .addOption(storeOption())
    .option("--key <vkey>", "the public key as `saferun log key` printed it")
    .action(
      run((options: VerifyOptions) => withReadOnlyStore(io, options.store, (store) => check(io, store, options))),
    );
  describe(verify, ["saferun log verify", "saferun log verify --key 'saferun.local/1f…+5a7c0e11+AQ…' --json"]);

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

async function list(io: Io, store: Store, options: ListOptions): Promise<ExitCode> {
  const entries = await page(store, options);
  if (options.json) printJson(io, { entries: entries.map(entryJson) });
  else if (entries.length === 0) io.print("no entries");
  else io.print(entryLines(entries, io.style).join("\n"));
  return EXIT.fine;
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

async function check(io: Io, store: Store, options: VerifyOptions): Promise<ExitCode> {
  const claimed = await claimedKey(store);
  const kept = installation().lastNote(store.logId);
  const verification: Verification = await verifyStore(store, {
    ...(options.key === undefined ? {} : { pinned: options.key.trim() }),
    ...(claimed === undefined ? {} : { claimed }),
    ...(kept === undefined ? {} : { kept: [kept] }),
  });
  const shown = { verification, key: options.key?.trim(), claimed };
  if (options.json) printJson(io, verificationJson(shown));
  else io.print(verificationLines(shown, storeArgument(options.store), io.style).join("\n"));
  // Who removes every signature leaves no fault behind: a key was given, so that only its signature is enough.
  const wanted = options.key === undefined || verification.status === "verified";
  return verification.faults.length === 0 && wanted ? EXIT.fine : EXIT.found;
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

/** The key that the log's first entry names: whoever could change the log could change it too. */
async function claimedKey(store: Store): Promise<string | undefined> {
  const [first] = await store.entries({ from: 0, limit: 1 });
  if (first === undefined) return undefined;
  try {
    if (parseHeader(first.header).type !== "log.opened") return undefined;
    const part = first.parts.find(({ name }) => name === "key");
    const value = part === undefined ? undefined : partValue(part);
    return typeof value === "string" ? formatNoteKey(parseNoteKey(value, nodeHash)) : undefined;
  } catch {
    // A damaged first entry is what the verification will say; a text that is no key names none.
    return undefined;
  }
}

function countOf(text: string): number {
  const count = Number(text);
  if (!/^\d{1,15}$/.test(text) || count > 10_000_000_000) throw new InvalidArgumentError("it is a number");
  return count;
}
