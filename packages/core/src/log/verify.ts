/**
 * Verifies a log offline: on the store, on an export, in a browser. Streams; needs nothing but Hash and Verifier.
 *
 * What is verified are the stored bytes. Chains and parts find a change that was not carried through; the tree's root
 * under a signed checkpoint finds one that was.
 */
import { equalBytes } from "../bytes.ts";
import type { Hash, LogStore, Stray, TreeHead, Verifier } from "../ports.ts";
import { type Checkpoint, isSignedBy, type NoteKey, parseCheckpoint, parseNote, parseNoteKey } from "./checkpoint.ts";
import type { StoredEntry } from "./entry.ts";
import { createEntryCheck } from "./entry-check.ts";
import { createFaults, type Faults, type LogFault } from "./fault.ts";
import { createTreeBuilder, type TreeBuilder, treeRoot } from "./tree.ts";

export interface VerifySource {
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
}

export interface VerifyOptions {
  readonly hash: Hash;
  readonly verifier: Verifier;
  /** The public key (`NAME+ID+BASE64`) that the asker kept elsewhere. Only with it the answer can be `verified`. */
  readonly pinned?: string;
  /** The public key that came with the log: whoever could change the log could change it too. */
  readonly claimed?: string;
  /** Signed notes kept outside of the store: the log must still hold what they sign. */
  readonly kept?: readonly string[];
}

export interface Verification {
  /**
   * `verified`: everything up to `signedUpTo` is what the holder of the pinned key signed.
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
  /** The first ones; a fault that follows from another is left out. */
  readonly faults: readonly LogFault[];
}

/** @throws SafeRunError `option.invalid` for a key that is none; whatever the source throws. */
export async function verifyLog(source: VerifySource, options: VerifyOptions): Promise<Verification> {
  const { hash } = options;
  const faults = createFaults();
  const key = keyOf(options);
  const checkEntry = createEntryCheck(hash, faults);
  const signed = createSignedHeads(key, options, faults);
  const marks = await createMarks(source, signed);

  const builder = createTreeBuilder(hash);
  const held = (): Held | undefined => signed.at(builder, checkEntry.time());
  await marks.upTo(0);
  let last = held();
  for await (const page of source.entries()) {
    for (const entry of isPage(page) ? page : [page]) {
      builder.append(checkEntry.next(entry));
      if (marks.isDue(builder.size)) await marks.upTo(builder.size);
      last = held() ?? last;
    }
  }
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

  const signedUpTo = last?.checkpoint.size ?? 0;
  const proven = options.pinned !== undefined && signedUpTo > 0;
  return {
    status: faults.list.length > 0 ? "faulty" : proven ? "verified" : "self-consistent",
    size: tree.size,
    root,
    ...last,
    signedUpTo,
    unsigned: tree.size - signedUpTo,
    faults: faults.list,
  };
}

function isPage(page: StoredEntry | readonly StoredEntry[]): page is readonly StoredEntry[] {
  return Array.isArray(page);
}

/** Entries read at once: more would only fill the memory. */
const PAGE = 250;

/** A store as a source: pages of entries, read as they are needed. The log may grow meanwhile. */
export function sourceOf(store: LogStore): VerifySource {
  let head: TreeHead | undefined;
  return {
    log: store.logId,
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

function keyOf({ pinned, claimed, hash }: VerifyOptions): NoteKey | undefined {
  const key = pinned ?? claimed;
  return key === undefined ? undefined : parseNoteKey(key, hash);
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

type Held = { readonly checkpoint: Checkpoint; readonly signedAt?: number };

/** Signed heads by the size at which they must hold. */
function createSignedHeads(key: NoteKey | undefined, options: VerifyOptions, faults: Faults) {
  const due = new Map<number, Checkpoint[]>();
  let good = 0;

  function add(note: string, where: string, row: number | undefined): void {
    const parsed = parseNote(note);
    const checkpoint = parsed === undefined ? undefined : parseCheckpoint(parsed.text);
    const at = { seq: row ?? checkpoint?.size ?? 0, where };
    if (parsed === undefined || checkpoint === undefined) {
      faults.add({ ...at, fault: "bad-signature", message: "a checkpoint that is no signed note" });
    } else if (row !== undefined && checkpoint.size !== row) {
      const message = `the checkpoint kept for size ${row} signs size ${checkpoint.size}`;
      faults.add({ ...at, fault: "changed", message });
    } else if (key !== undefined && checkpoint.origin !== key.name) {
      faults.add({ ...at, fault: "unlisted-tree", message: `a checkpoint of another log, \`${checkpoint.origin}\`` });
    } else if (key !== undefined && !isSignedBy(parsed, key, options.verifier)) {
      const message = `the checkpoint over ${checkpoint.size} entries is not signed by the key given`;
      faults.add({ ...at, fault: "bad-signature", message });
    } else {
      due.set(checkpoint.size, [...(due.get(checkpoint.size) ?? []), checkpoint]);
    }
  }
  for (const note of options.kept ?? []) add(note, "kept checkpoint", undefined);

  return {
    add,
    /** The checkpoint that holds for this tree, if there is one. */
    at(builder: TreeBuilder, signedAt: number | undefined): Held | undefined {
      const checkpoints = due.get(builder.size);
      if (checkpoints === undefined) return undefined;
      const tree = builder.tree();
      due.delete(tree.size);
      const root = treeRoot(tree, options.hash);
      const wrong = checkpoints.find((checkpoint) => !equalBytes(checkpoint.root, root));
      if (wrong !== undefined) {
        // A fault found before, or an earlier checkpoint that does not hold, explains this one.
        if (faults.list.length === 0) {
          const message = `entries ${good} to ${tree.size - 1} are not those that the checkpoint over ${tree.size} signs`;
          faults.add({ seq: good, fault: "forked", where: "checkpoint", message });
        }
        return undefined;
      }
      good = tree.size;
      const [checkpoint] = checkpoints;
      // Without a key nobody has signed anything.
      if (checkpoint === undefined || key === undefined) return undefined;
      return { checkpoint, ...(signedAt === undefined ? {} : { signedAt }) };
    },
    finish(size: number): void {
      for (const signedSize of due.keys()) {
        if (signedSize > size) {
          const message = `a checkpoint signs ${signedSize} entries, there are ${size}`;
          faults.add({ seq: size, fault: "truncated", where: "checkpoint", message });
        } else {
          const message = `the checkpoint over ${signedSize} entries stands behind a larger one`;
          faults.add({ seq: signedSize, fault: "reordered", where: "checkpoint", message });
        }
      }
    },
  };
}

/** Reads the stored checkpoints beside the entries, one ahead. */
async function createMarks(source: VerifySource, signed: ReturnType<typeof createSignedHeads>) {
  const checkpoints = source.checkpoints()[Symbol.asyncIterator]();
  let ahead = await checkpoints.next();
  async function take(size: number): Promise<void> {
    while (ahead.done !== true && ahead.value.size <= size) {
      signed.add(ahead.value.note, "checkpoint", ahead.value.size);
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
