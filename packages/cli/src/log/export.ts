/** `saferun log export`: the log, or what a search finds in it, as lines. */
import { resolve } from "node:path";
import { archiveBase, type ExportHead, formatExportLine, type Store, type StoredEntry } from "@saferun/core";
import { openSearch } from "@saferun/store";
import { type Command, Option } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { requireStore, storeOption, withReadOnlyStore } from "../store.ts";
import { claimedKey } from "./claimed-key.ts";
import { CSV_HEAD, csvLine } from "./csv.ts";
import { type ExportFile, type ExportPlan, type ExportStart, openExportFile, toStream } from "./export-file.ts";
import { checkQuery, everyPage, progress } from "./search.ts";

interface Options extends Shared {
  readonly store: string;
  readonly format: "jsonl" | "csv";
  readonly query?: string;
  readonly out?: string;
  readonly resume?: boolean;
}

export function registerExport(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("export")
    .summary("write the log, or what a search finds, as JSON lines or CSV")
    .description(
      "Writes every entry that the log has when it begins. JSON lines hold the stored bytes and the signatures: such a file\n" +
        "of the whole log verifies offline with `saferun log verify --export`. With --query it is an excerpt. CSV is for\n" +
        "spreadsheets. An export that was cut off goes on with --resume.",
    )
    .addOption(storeOption())
    .addOption(new Option("-f, --format <format>", "how").choices(["jsonl", "csv"]).default("jsonl"))
    .option("-q, --query <query>", "only calls and entries that this search finds")
    .option("-o, --out <file>", "a new file, mode 0600; default standard output")
    .option("--resume", "go on with a file that was cut off")
    .action(
      run((options: Options) => {
        requireStore(io, options.store);
        return withReadOnlyStore(io, options.store, (store) => exportLog(io, store, options));
      }),
    );
  describe(command, [
    "saferun log export --out log.jsonl",
    "saferun log export --out log.jsonl --resume",
    "saferun log export --format csv --query 'verdict:deny since:30d' --out denied.csv",
    "saferun log export | gzip > log.jsonl.gz",
  ]);
}

/** Entries read in one go. */
const PAGE = 2_000;
/** Text written in one go. */
const CHUNK_CHARACTERS = 1_048_576;

async function exportLog(io: Io, store: Store, options: Options): Promise<ExitCode> {
  const { format, query = null, out } = options;
  if (options.resume === true && out === undefined) throw usage("--resume goes on with a file: name it with --out");
  if (query !== null) checkQuery(query);
  const { size, root } = await store.head();
  const wanted: ExportPlan = {
    format,
    now: Date.now(),
    head: {
      log: store.logId,
      size,
      root,
      query,
      key: (await claimedKey(store)) ?? null,
      base: await archiveBase(store),
    },
  };
  const opened =
    out === undefined
      ? toStream(io.stdout, wanted)
      : openExportFile(resolve(io.cwd, out), wanted, options.resume === true);
  if (opened === "complete") {
    io.warn(`\`${printable(out ?? "")}\` is complete: there is nothing to go on with`);
    return EXIT.fine;
  }
  const written = await write(io, store, options, opened);
  if (out !== undefined) {
    if (options.json === true) printJson(io, { file: out, format, ...written });
    else io.warn(`${written.entries} entries written to ${printable(out)}`);
  }
  return EXIT.fine;
}

async function write(io: Io, store: Store, options: Options, file: ExportFile): Promise<{ readonly entries: number }> {
  const { plan, start } = file;
  const lines = linesOf(plan);
  const notes = plan.format === "jsonl" && plan.head.query === null ? await store.checkpoints() : [];
  const marks = notes.filter(({ size }) => size <= plan.head.size && size > start.checkpoint);
  let entries = start.entries;
  let pending = start.isNew ? lines.first : "";
  let shown = 0;

  async function add(found: readonly StoredEntry[]): Promise<void> {
    for (const entry of found) {
      pending += lines.entry(entry);
      entries++;
      pending += signed(entry.seq + 1);
      if (pending.length >= CHUNK_CHARACTERS) await flush();
    }
    if (entries - shown >= 10_000) {
      shown = entries;
      io.progress?.(`${entries} of ${plan.head.query === null ? plan.head.size : "the"} entries`);
    }
  }
  function signed(size: number): string {
    let text = "";
    for (let mark = marks[0]; mark !== undefined && mark.size <= size; mark = marks[0]) {
      text += `${formatExportLine({ kind: "checkpoint", ...mark })}\n`;
      marks.shift();
    }
    return text;
  }
  async function flush(): Promise<void> {
    await file.write(pending);
    pending = "";
  }

  if (start.isWhole) {
    await file.end();
    return { entries };
  }
  // The file may have ended between an entry and its checkpoint.
  pending += start.isNew ? "" : signed(start.next);
  for await (const page of entriesOf(io, store, options.store, plan, start)) await add(page);
  pending += lines.last(entries);
  await flush();
  await file.end();
  io.progress?.("");
  return { entries };
}

async function* entriesOf(
  io: Io,
  store: Store,
  directory: string,
  { head, now }: ExportPlan,
  { next }: ExportStart,
): AsyncGenerator<readonly StoredEntry[]> {
  if (head.query !== null) {
    for (const run of runs(await found(io, directory, head.query, now), next, head.size)) {
      yield await store.entries({ from: run.from, limit: run.count });
    }
    return;
  }
  for (let from = next; from < head.size; ) {
    const page = await store.entries({ from, limit: Math.min(PAGE, head.size - from) });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    from = last.seq + 1;
  }
}

/** Numbers of all entries of what a search finds. */
async function found(io: Io, directory: string, query: string, now: number): Promise<number[]> {
  const search = await openSearch({ directory: requireStore(io, directory), onProgress: progress(io) });
  try {
    const numbers: number[] = [];
    for (const { items } of everyPage(search, query, now)) {
      for (const { entries } of items) for (const { seq } of entries) numbers.push(seq);
    }
    return numbers;
  } finally {
    search.close();
  }
}

/** Numbers → stretches of the log, in its order. */
function* runs(
  numbers: number[],
  next: number,
  size: number,
): Generator<{ readonly from: number; readonly count: number }> {
  const wanted = numbers.filter((seq) => seq >= next && seq < size).sort((one, other) => one - other);
  for (let at = 0; at < wanted.length; ) {
    const from = wanted[at] ?? 0;
    let count = 1;
    while (wanted[at + count] === from + count && count < PAGE) count++;
    yield { from, count };
    at += count;
  }
}

function linesOf({ format, head }: ExportPlan): {
  readonly first: string;
  entry(entry: StoredEntry): string;
  last(entries: number): string;
} {
  if (format === "csv") {
    return { first: `${CSV_HEAD}\r\n`, entry: (entry) => `${csvLine(entry)}\r\n`, last: () => "" };
  }
  const line = (value: Parameters<typeof formatExportLine>[0]) => `${formatExportLine(value)}\n`;
  return {
    first: line({ kind: "head", head: head satisfies ExportHead }),
    entry: (entry) => line({ kind: "entry", entry }),
    last: (entries) => line({ kind: "end", entries }),
  };
}
