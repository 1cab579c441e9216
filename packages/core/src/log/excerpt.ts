/**
 * Verifies an excerpt of a log: that each of its entries is under the signed head in its first line, with the content that
 * its header commits to. Of entries that it leaves out it shows nothing.
 */
import { SafeRunError } from "../errors.ts";
import type { Hash } from "../ports.ts";
import { equalBytes } from "../value/bytes.ts";
import { formatNoteKey, parseCheckpoint, parseNote, parseNoteKey } from "./checkpoint.ts";
import { type ExportedEntry, type ExportHead, parseExportLine } from "./export.ts";
import { type ExportLines, readExportHead } from "./export-source.ts";
import { createFaults, type Faults, type LogFault } from "./fault.ts";
import { checkContent, checkFileHead, checkInTree, type SignedFileHead } from "./file-check.ts";
import { type EntryHeader, parseHeader } from "./header.ts";
import type { ProofPorts } from "./proof-file.ts";
import { leafHash } from "./tree.ts";

export interface ExcerptOptions extends ProofPorts {
  /** The public key that the asker kept elsewhere. Only with it the answer can be `verified`. */
  readonly pinned?: string;
  /** Signed notes kept outside of the store. One over as many entries must sign the same tree. */
  readonly kept?: readonly string[];
}

export interface ExcerptCheck {
  /** As of a whole log, but of these entries only. */
  readonly status: "verified" | "self-consistent" | "faulty";
  readonly entries: number;
  /** Parts without content: erased from the log, or taken out of the file. */
  readonly erased: number;
  /** Entries of the tree that they are in, and the key that has signed it; null where no signature was found. */
  readonly size: number | null;
  readonly key: string | null;
  /** One of the kept notes signs the same tree. */
  readonly anchored: boolean;
  readonly faults: readonly LogFault[];
}

/**
 * Offline, in one reading.
 * @throws SafeRunError `log.malformed` for a whole export and where a line is none of the format; `option.invalid` for a
 * pinned key that is none.
 */
export async function checkExcerpt(lines: ExportLines, options: ExcerptOptions): Promise<ExcerptCheck> {
  const faults = createFaults();
  const head = await readExportHead(lines);
  if (head.query === null) throw new SafeRunError("log.malformed", "this is a whole export, no excerpt");
  const signed = checkHead(head, options, faults);
  const anchored = signed !== undefined && isAnchored(signed, options.kept ?? [], faults);
  const { entries, erased } = await checkLines(lines, head, signed, options.hash, faults);
  const sound = options.pinned === undefined ? "self-consistent" : "verified";
  return {
    status: faults.list.length > 0 ? "faulty" : sound,
    entries,
    erased,
    size: signed?.size ?? null,
    key: signed === undefined ? null : formatNoteKey(signed.signer),
    anchored,
    faults: faults.list,
  };
}

function checkHead(head: ExportHead, { pinned, ...ports }: ExcerptOptions, faults: Faults): SignedFileHead | undefined {
  const key = pinned === undefined ? undefined : parseNoteKey(pinned, ports.hash);
  if (head.signed === undefined) {
    const message = "its first line holds no signed checkpoint: nothing shows that its entries stand in the log";
    faults.add({ seq: 0, fault: "missing", where: "checkpoint", message });
    return undefined;
  }
  const signed = checkFileHead({ ...head, ...head.signed }, key, ports, faults.add);
  if (signed !== undefined && (signed.size !== head.size || !equalBytes(signed.root, head.root))) {
    const message = `its first line speaks of ${head.size} entries, its checkpoint signs ${signed.size} or others`;
    faults.add({ seq: head.size, fault: "changed", where: "head", message });
  }
  return signed;
}

/** A head over another number of entries says nothing here: that takes a consistency proof. */
function isAnchored(signed: SignedFileHead, kept: readonly string[], faults: Faults): boolean {
  const heads = kept.flatMap((text) => parseCheckpoint(parseNote(text)?.text ?? "") ?? []);
  const same = heads.filter(({ origin, size }) => origin === signed.origin && size === signed.size);
  if (same.every(({ root }) => equalBytes(root, signed.root))) return same.length > 0;
  const message = `a checkpoint over ${signed.size} entries was kept elsewhere, and signs other ones`;
  faults.add({ seq: signed.size, fault: "forked", where: "kept checkpoint", message });
  return false;
}

async function checkLines(
  lines: ExportLines,
  head: ExportHead,
  signed: SignedFileHead | undefined,
  hash: Hash,
  faults: Faults,
): Promise<Pick<ExcerptCheck, "entries" | "erased">> {
  let [entries, erased, last, number]: [number, number, number, number] = [0, 0, -1, 0];
  let end: number | undefined;
  /** The entry whose proof comes next. */
  let open: ExportedEntry | undefined;
  const unproven = (seq: number): void => {
    faults.add({ seq, fault: "missing", where: "proof", message: "no proof stands behind this entry" });
  };
  for await (const text of lines()) {
    if (number++ === 0) continue;
    const line = parseExportLine(text);
    if (open !== undefined && line.kind !== "proof") unproven(open.seq);
    if (line.kind === "proof" && open?.seq === line.seq) {
      const leaf = leafHash(open.header, hash);
      if (signed !== undefined) checkInTree(open, leaf, line.path, signed, hash, faults.add);
    } else if (line.kind === "proof") {
      const seq = open?.seq ?? line.seq;
      const message = `the proof of entry ${line.seq} does not stand behind that entry`;
      faults.add({ seq, fault: "reordered", where: "proof", message });
    }
    open = undefined;
    if (end !== undefined || line.kind === "head" || line.kind === "checkpoint") {
      const message = "a line that does not belong into an excerpt, or stands behind its end";
      faults.add({ seq: last + 1, fault: "inserted", where: "file", message });
    }
    if (line.kind === "end") end = line.entries;
    if (line.kind !== "entry") continue;
    const { entry } = line;
    if (entry.seq <= last || entry.seq >= head.size) {
      const message = "this entry does not stand in its place";
      faults.add({ seq: entry.seq, fault: "reordered", where: "seq", message });
    }
    last = Math.max(last, entry.seq);
    entries++;
    erased += checkEntry(entry, head.log, hash, faults);
    open = entry;
  }
  if (open !== undefined) unproven(open.seq);
  if (end !== entries) {
    const counted = `the excerpt counts ${end} entries, there are ${entries}`;
    const message = end === undefined ? "the excerpt was cut short" : counted;
    faults.add({ seq: last + 1, fault: "truncated", where: "end", message });
  }
  return { entries, erased };
}

/** Returns how many of its parts have no content. */
function checkEntry(entry: ExportedEntry, log: string, hash: Hash, faults: Faults): number {
  const header = headerIn(entry.header);
  if (header?.log === log) return checkContent(entry, header, hash, faults.add);
  const message = "the header is none of this log";
  faults.add({ seq: entry.seq, fault: "changed", where: "header", message });
  return 0;
}

function headerIn(bytes: Uint8Array): EntryHeader | undefined {
  try {
    return parseHeader(bytes);
  } catch {
    return undefined;
  }
}
