/**
 * Verifies a log offline: on the store, on an export, in a browser. Streams; needs nothing but Hash and Verifier.
 *
 * What is verified are the stored bytes. Chains and parts find a change that was not carried through; the tree's root
 * under a signed checkpoint finds one that was.
 */

import type { Hash, LogStore, StateStore, Stray, TreeHead, Verifier } from "../ports.ts";
import { equalBytes } from "../value/bytes.ts";
import { type ArchiveBase, type ArchivedSegment, archiveBase, NO_BASE } from "./archive-base.ts";
import { createArchiveCheck } from "./archive-check.ts";
import { type Checkpoint, type NoteKey, parseNoteKey } from "./checkpoint.ts";
import type { StoredEntry, StoredPart } from "./entry.ts";
import { createEntryCheck } from "./entry-check.ts";
import { createFaults, type Faults, type LogFault } from "./fault.ts";
import type { EntryHeader } from "./header.ts";
import { createKeyring, type SigningPeriod } from "./keyring.ts";
import { parseRotation, ROTATION_PART, type Rotation } from "./rotation.ts";
import { createSignedHeads, type SignedHeads, STORED } from "./signed-heads.ts";
import { createTreeBuilder, treeRoot } from "./tree.ts";

export interface VerifySource {
  /** Where the first entries are archived: what the others rest on. Asked first. */
  base?(): Promise<ArchiveBase>;
  /** The log that the storage says it holds. */
  readonly log?: string;
  /** In the order of their positions, one by one or in pages. */
  entries(): AsyncIterable<StoredEntry | readonly StoredEntry[]>;
  /** In the order of their sizes. */
  checkpoints(): AsyncIterable<{ readonly size: number; readonly note: string }>;
  /** What the storage believes its head to be; asked after the entries. */
  head?(): Promise<TreeHead>;
  /** Rows without an entry; asked after the entries. */
  strays?(): Promise<readonly Stray[]>;
  /** True for one archived stretch, which no entry of its own explains. */
  readonly isSegment?: boolean;
}

export interface VerifyOptions {
  readonly hash: Hash;
  readonly verifier: Verifier;
  /** The public key (`NAME+ID+BASE64`) that the asker kept elsewhere. Only with it the answer can be `verified`. */
  readonly pinned?: string;
  /** The public key that came with the log: whoever could change the log could change it too. */
  readonly claimed?: string;
  /** Shown each entry whose header can be read, after it was checked. */
  readonly see?: (entry: StoredEntry, header: EntryHeader) => void;
  /** Signed notes kept outside of the store: the log must still hold what they sign. */
  readonly kept?: readonly string[];
  /** Parts may have been erased by entries that are not among these: somebody vouches for the whole. */
  readonly erasedElsewhere?: boolean;
}

export interface Verification {
  /**
   * `verified`: everything up to `signedUpTo` is what the holder of the pinned key signed, or of one it was rotated to.
   * `self-consistent`: no fault, signer not proven.
   */
  readonly status: "verified" | "self-consistent" | "faulty";
  readonly size: number;
  readonly root: Uint8Array;
  /** The last checkpoint that holds. */
  readonly checkpoint?: Checkpoint;
  /** Store time of the last entry that is signed, ms. */
  readonly signedAt?: number;
  /** Entries from 0 that a valid checkpoint covers, and those behind them. */
  readonly signedUpTo: number;
  readonly unsigned: number;
  /**
   * Entries from 0 that a checkpoint kept outside covers. What comes after, the holder of store and key could have cut
   * back or written anew: that is not provable without an anchor.
   */
  readonly anchoredUpTo: number;
  /** The keys that sign this log, in their order; empty where none was given. */
  readonly keys: readonly SigningPeriod[];
  /** Entries before it are archived and not looked at here: the archive's files prove them. 0: none are. */
  readonly archivedTo: number;
  /** The archived stretches that entries of this log name, in its order; those before are named in the archive. */
  readonly archived: readonly ArchivedSegment[];
  /** The first ones; a fault that follows from another is left out. */
  readonly faults: readonly LogFault[];
}

/** @throws SafeRunError `option.invalid` for a key that is none; whatever the source throws. */
export async function verifyLog(source: VerifySource, options: VerifyOptions): Promise<Verification> {
  const { hash } = options;
  const faults = createFaults();
  const base = (await source.base?.()) ?? NO_BASE;
  const claimed = options.claimed ?? base.key ?? undefined;
  const keys = { pinned: keyIn(options.pinned, hash), claimed: keyIn(claimed, hash) };
  const keyring = createKeyring(keys, options.verifier);
  const archive = createArchiveCheck(base, faults);
  for (const { seq, note } of base.rotations) {
    const rotation = parseRotation(note, hash, options.verifier);
    if (keyring.isEmpty || (rotation !== undefined && keyring.rotate(rotation, seq))) continue;
    const message = "a change of the signing key among the archived entries is not signed by the key before it";
    faults.add({ seq, fault: "bad-signature", where: ROTATION_PART, message });
  }
  const signed = createSignedHeads(keyring, hash, faults, base.size);
  for (const note of options.kept ?? []) signed.add(note, "kept checkpoint", undefined);
  const marks = await createMarks(source, signed);
  const { erasedElsewhere = false } = options;
  const see = (entry: StoredEntry, header: EntryHeader): void => {
    if (header.type === "log.rotated") follow(entry, header.log);
    if (header.type === "log.archived") archive.see(entry);
    options.see?.(entry, header);
  };
  const checkEntry = createEntryCheck(hash, faults, { see, from: base.size, erasedElsewhere });

  function follow({ seq, parts }: StoredEntry, log: string): void {
    const rotation = rotationIn(parts, hash, options.verifier);
    if (keyring.isEmpty || (rotation?.log === log && signed.rotate(rotation, seq))) return;
    const message = "the signing key was not changed by the key before it, or from a head that it has signed";
    faults.add({ seq, fault: "bad-signature", where: ROTATION_PART, message });
  }

  const builder = createTreeBuilder(hash, base);
  await marks.upTo(base.size);
  signed.at(builder, undefined);
  for await (const page of source.entries()) {
    for (const entry of isPage(page) ? page : [page]) {
      builder.append(checkEntry.next(entry));
      if (marks.isDue(builder.size)) await marks.upTo(builder.size);
      signed.at(builder, checkEntry.time());
    }
  }
  checkEntry.finish();
  if (source.isSegment !== true) archive.finish();
  const tree = builder.tree();
  await marks.finish(tree.size);
  const root = treeRoot(tree, hash);
  if (source.log !== undefined && (checkEntry.log() ?? source.log) !== source.log) {
    // Under another name nobody finds the signed head that is kept elsewhere for this log.
    const message = `the store calls its log \`${source.log}\`, its entries name \`${checkEntry.log()}\``;
    faults.add({ seq: 0, fault: "changed", where: "log", message });
  }
  checkHead(await source.head?.(), tree.size, root, faults);
  for (const { seq, where } of (await source.strays?.()) ?? []) {
    faults.add({
      seq,
      fault: "inserted",
      where,
      message: `the store holds a row (${where}) that no entry accounts for`,
    });
  }

  const { held, proven } = signed.last();
  // With a pinned key only what it vouches for counts.
  const last = options.pinned === undefined ? held : proven;
  if (options.pinned !== undefined && proven === undefined && held !== undefined) {
    const { size } = held.checkpoint;
    const message = `the checkpoint over ${size} entries is not signed by the key given`;
    faults.add({ seq: size, fault: "bad-signature", where: "checkpoint", message });
  }
  const signedUpTo = last?.checkpoint.size ?? 0;
  return {
    status: faults.list.length > 0 ? "faulty" : proven !== undefined ? "verified" : "self-consistent",
    size: tree.size,
    root,
    ...(last === undefined ? {} : { checkpoint: last.checkpoint }),
    ...(last?.signedAt === undefined ? {} : { signedAt: last.signedAt }),
    signedUpTo,
    unsigned: tree.size - signedUpTo,
    anchoredUpTo: signed.anchored(),
    keys: keyring.periods(),
    archivedTo: base.size,
    archived: archive.segments,
    faults: faults.list,
  };
}

function isPage(page: StoredEntry | readonly StoredEntry[]): page is readonly StoredEntry[] {
  return Array.isArray(page);
}

/** Entries read at once: more would only fill the memory. */
const PAGE = 64;

/** A store as a source: pages of entries, read as they are needed. The log may grow meanwhile. */
export function sourceOf(store: LogStore & Pick<StateStore, "row">): VerifySource {
  let head: TreeHead | undefined;
  return {
    log: store.logId,
    base: () => archiveBase(store),
    async *entries() {
      let from = 0;
      for (;;) {
        const entries = await store.entries({ from, limit: PAGE });
        yield entries;
        const last = entries.at(-1)?.seq;
        if (last !== undefined && last >= from) {
          // Beyond 2^53 there is no next position: a bent one must not make this read for ever.
          if (!Number.isSafeInteger(last + 1)) return;
          from = last + 1;
          continue;
        }
        // The end, as of this head: unless something was appended since the last page was empty.
        const known = head?.size;
        head = await store.head();
        if (head.size <= from || head.size === known) return;
      }
    },
    async *checkpoints() {
      yield* await store.checkpoints();
    },
    head: async () => head ?? (await store.head()),
    strays: async () => (await store.strays?.()) ?? [],
  };
}

function keyIn(text: string | undefined, hash: Hash): NoteKey | undefined {
  return text === undefined ? undefined : parseNoteKey(text, hash);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Undefined for an entry whose part is missing or no rotation: the caller says so. */
function rotationIn(parts: readonly StoredPart[], hash: Hash, verifier: Verifier): Rotation | undefined {
  const bytes = parts.find(({ name }) => name === ROTATION_PART)?.bytes ?? undefined;
  if (bytes === undefined) return undefined;
  try {
    const text: unknown = JSON.parse(decoder.decode(bytes));
    return typeof text === "string" ? parseRotation(text, hash, verifier) : undefined;
  } catch {
    return undefined;
  }
}

function checkHead(head: TreeHead | undefined, size: number, root: Uint8Array, faults: Faults): void {
  if (head === undefined) return;
  if (head.size > size) {
    const message = `the store's head counts ${head.size} entries, there are ${size}`;
    faults.add({ seq: size, fault: "truncated", where: "head", message });
  } else if (head.size < size) {
    const message = `the store's head counts ${head.size} entries, there are ${size}`;
    faults.add({ seq: head.size, fault: "inserted", where: "head", message });
  } else if (!equalBytes(head.root, root) && faults.list.length === 0) {
    const message = "the store's head is not the root over its entries: the last entry or the head was changed";
    faults.add({ seq: Math.max(0, size - 1), fault: "changed", where: "head", message });
  }
}

/** Reads the stored checkpoints beside the entries, one ahead. */
async function createMarks(source: VerifySource, signed: SignedHeads) {
  const checkpoints = source.checkpoints()[Symbol.asyncIterator]();
  let ahead = await checkpoints.next();
  async function take(size: number): Promise<void> {
    while (ahead.done !== true && ahead.value.size <= size) {
      signed.add(ahead.value.note, STORED, ahead.value.size);
      ahead = await checkpoints.next();
    }
  }
  return {
    isDue: (size: number) => ahead.done !== true && ahead.value.size <= size,
    upTo: take,
    async finish(size: number): Promise<void> {
      await take(Number.POSITIVE_INFINITY);
      signed.finish(size);
    },
  };
}
