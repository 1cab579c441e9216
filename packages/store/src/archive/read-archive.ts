/** An archive's folder, read back: for proofs of its entries, and whether it is whole. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type ArchivedEntries,
  type ArchivedSegment,
  type LogFault,
  SafeRunError,
  type SegmentVerification,
  type StoredEntry,
  segmentEntries,
  verifySegment,
} from "@saferun/core";
import { nodeVerifier } from "../node/file-signer.ts";
import { nodeHash } from "../node/ports.ts";
import { linesOfSegment, type SegmentFile, segmentsIn } from "./segment-file.ts";

/** The folder of a log: the one given, or the one below it that has the log's id. */
export function archiveFolder(directory: string, logId: string): string {
  const own = join(directory, logId);
  return existsSync(own) ? own : directory;
}

/** @throws SafeRunError `option.invalid` where no file holds what is asked for; `log.malformed`. */
export function openArchive(directory: string): ArchivedEntries {
  const files = segmentsIn(directory);
  const kept = new Map<string, Promise<readonly StoredEntry[]>>();

  /** Leaves are small; of one segment at a time the headers are kept too. */
  async function read(seq: number): Promise<{ readonly file: SegmentFile; readonly entries: readonly StoredEntry[] }> {
    const file = files.find(({ from, to }) => from <= seq && seq < to);
    if (file === undefined) throw new SafeRunError("option.invalid", `no file of the archive holds entry ${seq}`);
    const known = kept.get(file.name) ?? entriesIn(file);
    kept.set(file.name, known);
    return { file, entries: await known };
  }

  return {
    async entry(seq) {
      const { file, entries } = await read(seq);
      const entry = entries[seq - file.from];
      if (entry?.seq !== seq) throw new SafeRunError("log.malformed", `an archive without entry ${seq}: verify it`);
      return entry;
    },
    async leaves(from, to) {
      const leaves: Uint8Array[] = [];
      for (let at = from; at < to; ) {
        const { file, entries } = await read(at);
        const end = Math.min(to, file.to);
        for (const { leaf } of entries.slice(at - file.from, end - file.from)) leaves.push(leaf);
        if (leaves.length !== end - from) throw new SafeRunError("log.malformed", `an archive with a gap: verify it`);
        at = end;
      }
      return leaves;
    },
  };
}

async function entriesIn({ path }: SegmentFile): Promise<readonly StoredEntry[]> {
  const entries: StoredEntry[] = [];
  for await (const entry of segmentEntries(linesOfSegment(path), nodeHash)) entries.push({ ...entry, parts: [] });
  return entries;
}

export interface ArchiveVerification {
  readonly segments: number;
  /** Entries from 0 without a gap. */
  readonly to: number;
  readonly faults: readonly (LogFault & { readonly file: string })[];
}

export interface VerifyArchiveOptions {
  readonly pinned?: string;
  readonly log: string;
  /** Entries before it must be there. */
  readonly to: number;
  /** As the store's entries name them. */
  readonly named: readonly ArchivedSegment[];
}

/** Every file of a log's archive: each alone, that together they are the entries before `to`, and those that the log names. */
export async function verifyArchive(directory: string, options: VerifyArchiveOptions): Promise<ArchiveVerification> {
  const faults: (LogFault & { file: string })[] = [];
  const found: SegmentVerification[] = [];
  const names = new Map<string, string>();
  for (const file of segmentsIn(directory)) {
    const verified = await verifyFile(file, options, faults);
    if (verified === undefined) continue;
    found.push(verified);
    names.set(verified.lines, file.name);
  }
  const named = [...options.named, ...found.flatMap(({ archived }) => archived)];
  for (const { from, to, lines, file } of named) {
    if (names.has(lines)) continue;
    const at = join(directory, file);
    const message = existsSync(at)
      ? `entries ${from} to ${to - 1}: the file is not the one that the log names`
      : `entries ${from} to ${to - 1}: the file that the log names is missing`;
    faults.push({ seq: from, fault: existsSync(at) ? "changed" : "missing", where: "archive", message, file });
  }
  const covered = coveredTo(found);
  if (covered < options.to && faults.every(({ seq }) => seq > covered)) {
    const message = `no file holds entry ${covered}: entries before ${options.to} are archived`;
    faults.push({ seq: covered, fault: "missing", where: "archive", message, file: directory });
  }
  return { segments: found.length, to: covered, faults };
}

async function verifyFile(
  file: SegmentFile,
  { pinned, log }: VerifyArchiveOptions,
  faults: (LogFault & { file: string })[],
): Promise<SegmentVerification | undefined> {
  const add = (fault: LogFault): number => faults.push({ ...fault, file: file.name });
  try {
    const lines = linesOfSegment(file.path);
    const ports = { hash: nodeHash, verifier: nodeVerifier };
    const verified = await verifySegment(lines, { ...ports, ...(pinned === undefined ? {} : { pinned }) });
    for (const fault of verified.faults) add(fault);
    if (verified.log !== log) {
      add({
        seq: file.from,
        fault: "unlisted-tree",
        where: "log",
        message: `an archive of another log, \`${verified.log}\``,
      });
    }
    return verified;
  } catch (error) {
    if (!(error instanceof SafeRunError) || error.code !== "log.malformed") throw error;
    add({ seq: file.from, fault: "changed", where: "archive", message: error.message });
    return undefined;
  }
}

function coveredTo(segments: readonly SegmentVerification[]): number {
  let covered = 0;
  for (const { from, to } of segments.toSorted((left, right) => left.from - right.from)) {
    if (from <= covered && to > covered) covered = to;
  }
  return covered;
}
