/** An export as text, in chunks: what `saferun log export` writes to a file and the page downloads. */
import {
  type ExportHead,
  formatExportLine,
  inclusionPath,
  type LogStore,
  SafeRunError,
  type StateStore,
  type StoredEntry,
} from "@saferun/core";
import { CSV_HEAD, csvLine } from "./csv.ts";
import type { ExportStart } from "./export-file.ts";
import type { ExportPlan } from "./export-plan.ts";
import { signedNodes } from "./signed-nodes.ts";

/** Entries read in one go. */
const PAGE = 2_000;
/** Text written in one go. */
const CHUNK_CHARACTERS = 1_048_576;

export interface ExportChunk {
  readonly text: string;
  /** Entries that are written with it, those before included. */
  readonly entries: number;
}

type ExportedStore = Pick<LogStore, "entries" | "checkpoints" | "leaves"> & Pick<StateStore, "row">;

/**
 * `found`: the numbers of all entries of what the plan's query finds; asked only where it has one.
 * @throws SafeRunError `record.corrupt` where the log is not what the plan's checkpoint signs; `record.busy` where entries
 * were archived meanwhile.
 */
export async function* exportText(
  store: ExportedStore,
  plan: ExportPlan,
  start: ExportStart,
  found: (query: string) => Promise<number[]>,
): AsyncGenerator<ExportChunk> {
  const lines = linesOf(plan);
  const proofOf = plan.head.signed === undefined ? undefined : await provedBy(store, plan.head);
  const notes = plan.format === "jsonl" && plan.head.query === null ? await store.checkpoints() : [];
  const marks = notes.filter(({ size }) => size <= plan.head.size && size > start.checkpoint);
  let entries = start.entries;
  const signed = (size: number): string => {
    let text = "";
    for (let mark = marks[0]; mark !== undefined && mark.size <= size; mark = marks[0]) {
      text += `${formatExportLine({ kind: "checkpoint", ...mark })}\n`;
      marks.shift();
    }
    return text;
  };
  // The file may have ended between an entry and its checkpoint.
  let pending = start.isNew ? lines.first : signed(start.next);
  for await (const page of entriesOf(store, plan, start, found)) {
    for (const entry of page) {
      pending += lines.entry(entry);
      if (proofOf !== undefined) pending += await proofOf(entry.seq);
      entries++;
      pending += signed(entry.seq + 1);
      if (pending.length < CHUNK_CHARACTERS) continue;
      yield { text: pending, entries };
      pending = "";
    }
  }
  yield { text: pending + lines.last(entries), entries };
}

/** The line behind an entry of an excerpt. */
async function provedBy(store: ExportedStore, head: ExportHead): Promise<(seq: number) => Promise<string>> {
  const nodes = await signedNodes(store, head);
  return async (seq) => {
    const path = await nodes.hashes(inclusionPath(seq, nodes.size));
    return `${formatExportLine({ kind: "proof", seq, path })}\n`;
  };
}

async function* entriesOf(
  store: Pick<LogStore, "entries">,
  { head }: ExportPlan,
  { next }: ExportStart,
  found: (query: string) => Promise<number[]>,
): AsyncGenerator<readonly StoredEntry[]> {
  if (head.query !== null) {
    for (const run of runs(await found(head.query), next, head.size)) {
      const page = await store.entries({ from: run.from, limit: run.count });
      if (page.length !== run.count || page[0]?.seq !== run.from) throw archivedMeanwhile(run.from);
      yield page;
    }
    return;
  }
  for (let from = next; from < head.size; ) {
    const read = await store.entries({ from, limit: Math.min(PAGE, head.size - from) });
    // Where entries were archived, as many as these reach beyond the head: an export is of the log as it was when it began.
    const page = read.filter(({ seq }) => seq < head.size);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    from = last.seq + 1;
  }
}

function archivedMeanwhile(seq: number): SafeRunError {
  const message = `entry ${seq} and others were archived while the search was read: export again`;
  return new SafeRunError("record.busy", message, { retryable: true });
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
