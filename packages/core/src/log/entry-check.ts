/** Checks entries one after another: bytes against leaf, columns and parts against header, chains against what came before. */

import type { Hash } from "../ports.ts";
import { equalBytes, isHexOf } from "../value/bytes.ts";
import type { StoredEntry, StoredPart } from "./entry.ts";
import { erasedBy, isErasable } from "./erasure.ts";
import type { Faults, LogFault } from "./fault.ts";
import { type ChainLink, type EntryHeader, parseHeader } from "./header.ts";
import { partCommitment } from "./part.ts";
import { leafHash } from "./tree.ts";

export interface EntryCheck {
  /** The entry's leaf, recomputed from the header's bytes. */
  next(entry: StoredEntry): Uint8Array;
  /** Time of the last readable entry, ms. */
  time(): number | undefined;
  /** The log that the first readable entry names. */
  log(): string | undefined;
  /** After the last entry: content that is missing, and no erasure accounts for it. */
  finish(): void;
}

/** The end of a chain as far as it was read; moved on in place. */
interface Chain {
  n: number;
  leaf: Uint8Array;
  seq: number;
}

export interface EntryCheckOptions {
  /** Shown each entry whose header can be read, after it was checked. */
  readonly see?: (entry: StoredEntry, header: EntryHeader) => void;
  /** Position of the first entry: those before are archived. Default 0. */
  readonly from?: number;
  /** A part without content may have been erased by an entry that is not among these. */
  readonly erasedElsewhere?: boolean;
}

export function createEntryCheck(
  hash: Hash,
  faults: Faults,
  { see = () => {}, from = 0, erasedElsewhere = false }: EntryCheckOptions = {},
): EntryCheck {
  const chains = { writer: new Map<string, Chain>(), run: new Map<string, Chain>() };
  /** Chain numbers that were skipped → the position where that showed. */
  const skipped = new Map<string, number>();
  let expected = from;
  let log: string | undefined;
  let time: number | undefined;
  /** Entries that are absent or unreadable: a gap in a chain that they explain is no second fault. */
  let lost = from;
  /** Parts without content, until an entry behind them says that they were erased. */
  const emptied = new Map<string, LogFault>();

  function checkPosition(entry: StoredEntry): void {
    const { seq } = entry;
    if (seq === expected) {
      expected++;
    } else if (seq > expected) {
      const gap = seq - expected;
      const message = gap === 1 ? "this entry is missing" : `${gap} entries are missing from here on`;
      faults.add({ seq: expected, fault: "missing", where: "seq", message });
      lost += gap;
      expected = seq + 1;
    } else {
      faults.foundLater(seq);
      faults.add({ seq, fault: "reordered", where: "seq", message: "this entry does not stand at its position" });
    }
  }

  /** The link must follow the end of its chain; then it is the end. */
  function checkLink(kind: "writer" | "run", link: ChainLink, at: At, leaf: Uint8Array): void {
    const before = chains[kind].get(link.id);
    const { seq } = at;
    if (before === undefined || link.n !== before.n + 1 || !isFollowing(link, before))
      misplaced(kind, link, at, before);
    if (before === undefined) chains[kind].set(link.id, { n: link.n, leaf, seq });
    else if (link.n > before.n) {
      before.n = link.n;
      before.leaf = leaf;
      before.seq = seq;
    }
  }

  function misplaced(kind: "writer" | "run", link: ChainLink, at: At, before: Chain | undefined): void {
    const next = before === undefined ? 0 : before.n + 1;
    const place = `${kind}/${link.id}/`;
    const { seq } = at;
    if (link.n < next) {
      const showed = skipped.get(`${place}${link.n}`);
      if (showed !== undefined) faults.foundLater(showed);
      const message = `this entry is number ${link.n} of its ${kind}, and stands behind number ${next - 1}`;
      faults.add({ ...named(at), fault: "reordered", where: kind, message });
      return;
    }
    if (link.n > next) {
      if (link.n - next > lost) {
        for (let n = next; n < Math.min(link.n, next + 100); n++) skipped.set(`${place}${n}`, seq);
        const message = `this entry is number ${link.n} of its ${kind}, after number ${next - 1}: entries before it are missing`;
        if (!faults.has(seq)) faults.add({ ...named(at), fault: "missing", where: kind, message });
      }
    } else if (before !== undefined && !isFollowing(link, before) && !faults.has(before.seq)) {
      const message = `the next entry of its ${kind} (${seq}) follows another one than this`;
      faults.add({ seq: before.seq, fault: "changed", where: "header", message });
    }
  }

  function checkHeader(entry: StoredEntry, header: EntryHeader, leaf: Uint8Array): void {
    const { seq } = entry;
    const at: At = { seq, header };
    log ??= header.log;
    if (header.log !== log) {
      faults.add({
        ...named(at),
        fault: "unlisted-tree",
        where: "header",
        message: `an entry of another log, \`${header.log}\``,
      });
    }
    if (time !== undefined && header.time < time && !faults.has(seq)) {
      faults.add({
        ...named(at),
        fault: "reordered",
        where: "time",
        message: "this entry is older than the one before it",
      });
    }
    time = Math.max(time ?? 0, header.time);
    checkLink("writer", header.writer, at, leaf);
    if (header.run !== undefined) checkLink("run", header.run, at, leaf);
    checkColumns(entry, header, at, faults);
    checkParts(entry.parts, header.parts ?? NO_PARTS, at, hash, faults, emptied);
    if (header.type !== "log.erased") return;
    for (const { seq, names } of erasedBy(entry.parts)) {
      if (seq < entry.seq) for (const name of names) emptied.delete(`${seq}/${name}`);
    }
  }

  return {
    time: () => time,
    log: () => log,
    finish() {
      if (!erasedElsewhere) for (const fault of emptied.values()) faults.add(fault);
    },
    next(entry) {
      checkPosition(entry);
      const leaf = leafHash(entry.header, hash);
      if (!equalBytes(leaf, entry.leaf)) {
        lost++;
        const message = "the header does not have the leaf hash that is kept beside it: one of them was changed";
        faults.add({ seq: entry.seq, fault: "changed", where: "header", message });
        return leaf;
      }
      const header = readable(entry.header);
      if (header === undefined) {
        lost++;
        faults.add({ seq: entry.seq, fault: "changed", where: "header", message: "the header is none of format 1" });
      } else {
        checkHeader(entry, header, leaf);
        see(entry, header);
      }
      return leaf;
    },
  };
}

function readable(bytes: Uint8Array): EntryHeader | undefined {
  try {
    return parseHeader(bytes);
  } catch {
    return undefined;
  }
}

/** Where a fault is; the entry's name is written only when there is one. */
interface At {
  readonly seq: number;
  readonly header: EntryHeader;
}

function named({ seq, header }: At): Pick<LogFault, "seq" | "entry"> {
  return { seq, entry: `${header.writer.id}/${header.writer.n}` };
}

function isFollowing(link: ChainLink, before: Chain): boolean {
  return link.prev !== null && isHexOf(link.prev, before.leaf);
}

function checkColumns({ columns, parts }: StoredEntry, header: EntryHeader, at: At, faults: Faults): void {
  if (columns === undefined) return;
  if (columns.run !== (header.run?.id ?? null)) {
    const message = "the run that the entry is kept under is not the run in its header";
    faults.add({ ...named(at), fault: "changed", where: "run", message });
  }
  if (columns.parts !== parts.length) {
    faults.add({ ...named(at), fault: "changed", where: "parts", message: "a part does not stand at its place" });
  }
}

const NO_PARTS: Readonly<Record<string, string>> = Object.freeze({});

function checkParts(
  parts: readonly StoredPart[],
  commitments: Readonly<Record<string, string>>,
  at: At,
  hash: Hash,
  faults: Faults,
  emptied: Map<string, LogFault>,
): void {
  if (parts.length === 0 && commitments === NO_PARTS) return;
  const found: string[] = [];
  let previous = "";
  for (const { name, salt, bytes } of parts) {
    const commitment = Object.hasOwn(commitments, name) ? commitments[name] : undefined;
    if (commitment === undefined || found.includes(name)) {
      faults.add({ ...named(at), fault: "inserted", where: name, message: "the header knows no such part" });
    } else if (salt === null || bytes === null) {
      const message = "the part's content is missing, and no entry says that it was erased";
      const fault: LogFault = { ...named(at), fault: "missing", where: name, message };
      // An erasure leaves neither, and nothing of what proves the log.
      if (salt === null && bytes === null && isErasable(at.header.type)) emptied.set(`${at.seq}/${name}`, fault);
      else faults.add(fault);
    } else if (!isHexOf(commitment, partCommitment({ name, salt, bytes }, hash))) {
      const message = "the part is not the one that the header commits to";
      faults.add({ ...named(at), fault: "changed", where: name, message });
    }
    if (name < previous) {
      const message = "the parts are not in the order of their names";
      faults.add({ ...named(at), fault: "reordered", where: "parts", message });
    }
    previous = name;
    found.push(name);
  }
  for (const name of Object.keys(commitments)) {
    if (!found.includes(name)) {
      faults.add({ ...named(at), fault: "missing", where: name, message: "the part is missing" });
    }
  }
}
