/** An export as something to verify. */

import { SafeRunError } from "../errors.ts";
import type { Hash } from "../ports.ts";
import { NO_BASE } from "./archive-base.ts";
import type { StoredEntry } from "./entry.ts";
import { type ExportHead, parseExportLine } from "./export.ts";
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
