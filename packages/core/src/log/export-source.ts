/** An export as something to verify. */

import { SafeRunError } from "../errors.ts";
import type { Hash } from "../ports.ts";
import { isHexOf } from "../value/bytes.ts";
import { NO_BASE } from "./archive-base.ts";
import type { StoredEntry } from "./entry.ts";
import { type ExportHead, parseExportLine } from "./export.ts";
import { createFaults, type LogFault } from "./fault.ts";
import { parseHeader } from "./header.ts";
import { partCommitment } from "./part.ts";
import { leafHash } from "./tree.ts";
import type { VerifySource } from "./verify.ts";

/** The lines of an export from its first on; called once for each reading. */
export type ExportLines = () => AsyncIterable<string>;

/** @throws SafeRunError `log.malformed` when the first line is not that of an export. */
export async function readExportHead(lines: ExportLines): Promise<ExportHead> {
  for await (const text of lines()) {
    const line = parseExportLine(text);
    if (line.kind === "head") return line.head;
    break;
  }
  throw new SafeRunError("log.malformed", "this is no export of a log: its first line does not say so");
}

/**
 * A whole export as a source for `verifyLog`. What the file lacks at its end shows as `truncated`.
 * @throws SafeRunError `log.malformed` for an excerpt; while reading, for a line that is none of the format.
 */
export async function exportSource(lines: ExportLines, hash: Hash): Promise<VerifySource> {
  const head = await readExportHead(lines);
  if (head.query !== null) {
    throw new SafeRunError("log.malformed", "this is an excerpt: the tree over it cannot be computed");
  }
  return {
    log: head.log,
    base: async () => head.base ?? NO_BASE,
    async *entries(): AsyncGenerator<StoredEntry> {
      for await (const text of lines()) {
        const line = parseExportLine(text);
        if (line.kind === "entry") yield { ...line.entry, leaf: leafHash(line.entry.header, hash) };
      }
    },
    async *checkpoints() {
      for await (const text of lines()) {
        // Most lines are entries and long: they are not parsed twice.
        const line = text.startsWith(CHECKPOINT) ? parseExportLine(text) : undefined;
        if (line?.kind === "checkpoint") yield line;
      }
    },
    head: async () => ({ size: head.size, root: head.root }),
  };
}

const CHECKPOINT = '{"checkpoint"';

export interface ExcerptCheck {
  readonly entries: number;
  readonly faults: readonly LogFault[];
}

/**
 * What can be said of an excerpt alone: each part is the one that its entry's header commits to, the order is the log's,
 * and no entry was cut off its end. That the entries stand in the log, only a whole export or a proof can show.
 */
export async function checkExcerpt(lines: ExportLines, hash: Hash): Promise<ExcerptCheck> {
  const faults = createFaults();
  const head = await readExportHead(lines);
  let [entries, last, end]: [number, number, number | undefined] = [0, -1, undefined];
  for await (const text of lines()) {
    const line = parseExportLine(text);
    if (line.kind === "end") end = line.entries;
    if (line.kind !== "entry") continue;
    const { seq, header, parts } = line.entry;
    if (seq <= last || seq >= head.size) {
      faults.add({ seq, fault: "reordered", where: "seq", message: "this entry does not stand in its place" });
    }
    last = Math.max(last, seq);
    entries++;
    const commitments = commitmentsIn(header, head.log);
    if (commitments === undefined) {
      faults.add({ seq, fault: "changed", where: "header", message: "the header is none of this log" });
      continue;
    }
    for (const { name, salt, bytes } of parts) {
      const commitment = Object.hasOwn(commitments, name) ? commitments[name] : undefined;
      const isErased = salt === null || bytes === null;
      if (commitment === undefined) {
        faults.add({ seq, fault: "inserted", where: name, message: "the header knows no such part" });
      } else if (!isErased && !isHexOf(commitment, partCommitment({ name, salt, bytes }, hash))) {
        const message = "the part is not the one that the header commits to";
        faults.add({ seq, fault: "changed", where: name, message });
      }
    }
    const missing = Object.keys(commitments).filter((name) => !parts.some((part) => part.name === name));
    for (const name of missing) faults.add({ seq, fault: "missing", where: name, message: "the part is missing" });
  }
  if (end !== entries) {
    const message =
      end === undefined ? "the export was cut short" : `the export counts ${end} entries, there are ${entries}`;
    faults.add({ seq: last + 1, fault: "truncated", where: "end", message });
  }
  return { entries, faults: faults.list };
}

function commitmentsIn(bytes: Uint8Array, log: string): Readonly<Record<string, string>> | undefined {
  try {
    const header = parseHeader(bytes);
    return header.log === log ? (header.parts ?? {}) : undefined;
  } catch {
    return undefined;
  }
}
