/** `saferun log archive`: old entries out of the store, into files that prove them. */
import { mkdirSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { ageMs, type Store } from "@saferun/core";
import {
  archiveFolder,
  archiveStore,
  createFileSigner,
  forgetArchivedIn,
  nodeClock,
  signingKeyPath,
} from "@saferun/store";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, failed, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { requireStore, storeOption, withSigningStore } from "../store.ts";

interface Options extends Shared {
  readonly store: string;
  readonly before?: number;
  readonly olderThan?: number;
  readonly to: string;
}

export function registerArchive(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("archive")
    .summary("move old entries out of the store, into files that prove them")
    .description(
      "Writes the oldest entries to files below the folder, each signed and complete in itself; reads them back and\n" +
        "verifies them; then takes the entries out of the store in one commit, with an entry that names the file. The store\n" +
        "stays verifiable. It ends before the first entry of a call, a question or a budget's hold that is open.",
    )
    .addOption(storeOption())
    .addOption(new Option("--before <time>", "entries before this time, as `2026-10-01`").argParser(timeOf))
    .addOption(
      new Option("--older-than <duration>", "entries older than this, as `30d`").argParser(ageOf).conflicts("before"),
    )
    .requiredOption("--to <folder>", "the folder; each log has one of its own in it")
    .action(run((options: Options) => archive(io, options)));
  describe(command, [
    "saferun log archive --older-than 30d --to /mnt/archive",
    "saferun log verify --archive /mnt/archive",
  ]);
}

/** The folder of a store's archive. @throws CommandError where there is none. */
export function archiveOf(io: Io, folder: string, store: Store): string {
  const path = resolve(io.cwd, folder);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return archiveFolder(path, store.logId);
  throw failed("file.unreadable", `there is no folder \`${printable(folder)}\``);
}

async function archive(io: Io, { store: directory, before, olderThan, to, json }: Options): Promise<ExitCode> {
  if (before === undefined && olderThan === undefined) throw usage("say what is old: --before or --older-than");
  const until = before ?? nodeClock.now() - (olderThan ?? 0);
  const path = requireStore(io, directory);
  const folder = resolve(io.cwd, to);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const done = await withSigningStore(io, directory, (store) =>
    archiveStore(store, {
      to: folder,
      before: until,
      by: `local:${io.user}`,
      signer: createFileSigner(signingKeyPath(path)),
      onSegment: ({ to: end }) => io.progress?.(`${end} entries archived`),
    }),
  );
  io.progress?.("");
  const { segments, heldBy } = done;
  const unreached = segments.length === 0 ? [] : forgetArchivedIn(path);
  if (json === true) printJson(io, { segments, held_by: heldBy ?? null, unreached });
  else {
    for (const { from, to: end, file } of segments) io.print(`entries ${from} to ${end - 1}: ${printable(file)}`);
    if (segments.length === 0) io.print("nothing is old enough to be archived");
    if (heldBy !== undefined) io.print(`it goes no further: ${printable(heldBy)}`);
    for (const left of unreached) io.print(`not reached: ${printable(left)}`);
  }
  return EXIT.fine;
}

function timeOf(text: string): number {
  const time = Date.parse(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(time))
    throw new InvalidArgumentError("it is a date, `2026-10-01`");
  return time;
}

function ageOf(text: string): number {
  const ms = ageMs(text);
  if (ms === undefined) throw new InvalidArgumentError("it is a duration such as `30d`");
  return ms;
}
