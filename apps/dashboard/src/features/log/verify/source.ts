/** The export of a whole log, read once as it comes, as something to verify. */
import {
  type ExportHead,
  type ExportLine,
  type Hash,
  leafHash,
  NO_BASE,
  parseExportLine,
  type VerifySource,
} from "@saferun/core/verifier";

export interface Checkpoint {
  readonly size: number;
  readonly note: string;
}

/**
 * `lines` from its second on. Checkpoints come beside it: in the export each stands behind the entries that it signs.
 * @throws SafeRunError `log.malformed` while reading, for a line that is none of the format.
 */
export function streamedSource(
  head: ExportHead,
  lines: AsyncIterable<string>,
  checkpoints: readonly Checkpoint[],
  hash: Hash,
): VerifySource {
  return {
    log: head.log,
    base: async () => head.base ?? NO_BASE,
    async *entries() {
      for await (const text of lines) {
        const line: ExportLine = parseExportLine(text);
        if (line.kind === "entry") yield { ...line.entry, leaf: leafHash(line.entry.header, hash) };
      }
    },
    async *checkpoints() {
      // The log goes on while it is read: what was signed later is about entries that are not in this export.
      yield* checkpoints.filter(({ size }) => size <= head.size);
    },
    head: async () => ({ size: head.size, root: head.root }),
  };
}

/** Bytes as they come → lines without their breaks. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
