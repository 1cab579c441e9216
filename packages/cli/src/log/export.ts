/** `saferun log export`: the log, or what a search finds in it, as lines. */
import { resolve } from "node:path";
import { archiveBase, type ExportHead, type Store } from "@saferun/core";
import { openSearch } from "@saferun/store";
import { type Command, Option } from "commander";
import { type CommandSetup, describe, printJson, type Shared } from "../command.ts";
import { EXIT, type ExitCode, usage } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { requireStore, storeOption } from "../store.ts";
import { type Look, type Looking, withContent, withStoredContent } from "../viewing.ts";
import { type ExportFile, openExportFile, toStream, wasUnsealed } from "./export-file.ts";
import { planExport } from "./export-plan.ts";
import { exportText } from "./export-text.ts";
import { checkQuery, everyPage, progress } from "./search.ts";

interface Options extends Shared {
  readonly store: string;
  readonly format: "jsonl" | "csv";
  readonly query?: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly unseal?: boolean;
}

export function registerExport(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("export")
    .summary("write the log, or what a search finds, as JSON lines or CSV")
    .description(
      "Writes every entry that the log has when it begins. JSON lines hold the stored bytes and the signatures: such a file\n" +
        "of the whole log verifies offline with `saferun log verify --export`. With --query it is an excerpt, in which each\n" +
        "entry has the proof that it stands in the log. CSV is for spreadsheets and carries no proofs. An export that was\n" +
        "cut off goes on with --resume.",
    )
    .addOption(storeOption())
    .addOption(new Option("-f, --format <format>", "how").choices(["jsonl", "csv"]).default("jsonl"))
    .option("-q, --query <query>", "only calls and entries that this search finds")
    .option("-o, --out <file>", "a new file, mode 0600; default standard output")
    .option("--unseal", "with --format csv: what is sealed in the clear")
    .option("--resume", "go on with a file that was cut off")
    .action(
      run((options: Options) => {
        requireStore(io, options.store);
        if (options.unseal === true && options.format !== "csv")
          throw usage("`--unseal` goes with `--format csv`: JSON lines hold the stored bytes, which prove the log");
        const { resume, out } = options;
        // Whoever goes on with it need not say so again: half of it sealed would be neither.
        const unseal =
          options.unseal === true || (resume === true && out !== undefined && wasUnsealed(resolve(io.cwd, out)));
        const open = unseal ? withContent : withStoredContent;
        return open(io, options.store, (store, looking) => exportLog(io, store, looking, { ...options, unseal }));
      }),
    );
  describe(command, [
    "saferun log export --out log.jsonl",
    "saferun log export --out log.jsonl --resume",
    "saferun log export --format csv --query 'verdict:deny since:30d' --out denied.csv",
    "saferun log export | gzip > log.jsonl.gz",
  ]);
}

async function exportLog(io: Io, store: Store, looking: Looking, options: Options): Promise<ExitCode> {
  const { format, query = null, out } = options;
  if (options.resume === true && out === undefined) throw usage("--resume goes on with a file: name it with --out");
  if (query !== null) checkQuery(query);
  const before = await store.head();
  const wanted = await planExport(store, {
    ...{ format, query, unsealed: options.unseal === true, now: Date.now() },
    sign: () => looking.sign(),
  });
  const { size } = wanted.head;
  if (size < before.size)
    io.warn(`entries from ${size} on are not signed, and left out: only what is signed can be proven`);
  const chosen = query === null ? null : await found(io, options.store, query, wanted.now);
  await looking.takesOut({ what: "log export", ...lookOf(wanted.head, (await archiveBase(store)).size, chosen) });
  const opened =
    out === undefined
      ? toStream(io.stdout, wanted)
      : openExportFile(resolve(io.cwd, out), wanted, options.resume === true);
  if (opened === "complete") {
    io.warn(`\`${printable(out ?? "")}\` is complete: there is nothing to go on with`);
    return EXIT.fine;
  }
  // One that goes on searches as it did when it began.
  const { now } = opened.plan;
  const search = async (text: string) =>
    chosen !== null && opened.plan === wanted ? chosen : found(io, options.store, text, now);
  const written = await write(io, store, search, opened);
  if (out !== undefined) {
    if (options.json === true) printJson(io, { file: out, format, ...written });
    else
      io.warn(`${written.entries} entries written to ${printable(out)}${format === "csv" ? ", without proofs" : ""}`);
  }
  return EXIT.fine;
}

function lookOf(
  { size, query }: ExportHead,
  from: number,
  chosen: readonly number[] | null,
): Pick<Look, "target" | "entries"> {
  const range = { from, to: size };
  if (chosen === null || query === null) return { target: { range }, entries: range.to - range.from };
  return { target: { range, query }, entries: chosen.filter((seq) => seq < size).length };
}

async function write(
  io: Io,
  store: Store,
  search: (query: string) => Promise<number[]>,
  file: ExportFile,
): Promise<{ readonly entries: number }> {
  const { plan, start } = file;
  if (start.isWhole) {
    await file.end();
    return { entries: start.entries };
  }
  let [entries, shown] = [start.entries, 0];
  for await (const chunk of exportText(store, plan, start, search)) {
    await file.write(chunk.text);
    entries = chunk.entries;
    if (entries - shown < 10_000) continue;
    shown = entries;
    io.progress?.(`${entries} of ${plan.head.query === null ? plan.head.size : "the"} entries`);
  }
  await file.end();
  io.progress?.("");
  return { entries };
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
