/**
 * Signs the head of a log while it is written: every so many entries, a moment after the last ones, and at close.
 *
 * It signs only what continues the heads that were signed before: whoever changed the store while nobody looked must
 * not get a signature for it. A signature never holds up a commit, and one that fails is made up for by the next.
 */
import { setImmediate } from "node:timers/promises";
import {
  appendLeaf,
  archiveBase,
  type Checkpoint,
  consistencyPath,
  createTreeNodes,
  EMPTY_TREE,
  type EntryDraft,
  encodePart,
  equalBytes,
  formatNoteKey,
  type Hash,
  isSignedBy,
  type LogTree,
  leafSource,
  type Note,
  noteKey,
  parseCheckpoint,
  parseHeader,
  parseNote,
  type Random,
  SafeRunError,
  type Signer,
  type Store,
  signCheckpoint,
  type TreeHead,
  treeRoot,
} from "@saferun/core";
import type { Anchor } from "./anchors/anchor.ts";
import { createPublisher } from "./anchors/publisher.ts";
import { nodeVerifier } from "./node/file-signer.ts";
import type { Installation } from "./node/installation.ts";
import { nodeHash, nodeRandom } from "./node/ports.ts";
import { lookOutside, restored, type UnreadAnchor } from "./restored.ts";
import { isKey, rotationsAfter } from "./rotations.ts";

export interface CheckpointerOptions {
  /** Where the last signed head is kept beside the store; without it a log that is cut back is not noticed. */
  readonly installation?: Pick<Installation, "keepNote" | "lastNote">;
  /** Entries after which a checkpoint is signed at once. Default 1,000. */
  readonly everyEntries?: number;
  /** Time after a commit until its entries are signed. Default 1,000 ms. */
  readonly everyMs?: number;
  /** Where checkpoints are kept outside, in this order. */
  readonly anchors?: readonly Anchor[];
  /** How long a start waits for what the anchors keep; off its path they have five times that. Default 2,000. */
  readonly anchorDeadlineMs?: number;
  /** An idle log's last checkpoint goes to the anchors again after this time, so that silence is told from loss. Default 1 h. */
  readonly heartbeatMs?: number;
  readonly hash?: Hash;
  readonly random?: Random;
  /** A person has agreed that the log goes on from behind the heads that are kept outside of it. */
  readonly reconciling?: boolean;
  /** Told when a checkpoint cannot be signed or kept. Default: nobody. */
  readonly onError?: (error: unknown) => void;
}

/** The store, with checkpoints. Closing it signs what is left and closes the store below. */
export interface CheckpointedStore extends Store {
  /**
   * Signs the current head now, where it is not signed already.
   * @throws SafeRunError `record.corrupt` when the log is not the one that was signed before; commits fail from then on.
   */
  checkpoint(): Promise<void>;
  /**
   * Signs the current head and waits until every anchor keeps it; the size that they keep. For what must not happen before
   * its record is out of reach.
   * @throws SafeRunError `record.unavailable` without anchors, and while one of them could not be read back; `record.restored`;
   * or what the last of them failed with.
   */
  anchor(): Promise<number>;
}

/** Leaves hashed between two looks at the event loop. */
const CHUNK = 1_024;

/**
 * Wraps a store. The first commit through it is preceded by `log.opened` in an empty log (with the public key), or by
 * `log.recovered` when a process that is gone has left entries without a signature. A log that is behind a
 * head kept beside the installation, or by an anchor, was restored or cut back: it takes no commit at all until a person has
 * reconciled it, in whichever process. An anchor that does not answer holds up no commit, but `anchor`.
 */
export function createCheckpointer(store: Store, signer: Signer, options: CheckpointerOptions = {}): CheckpointedStore {
  const { everyEntries = 1_000, everyMs = 1_000, hash = nodeHash, random = nodeRandom } = options;
  const { anchors = [], heartbeatMs = 3_600_000, anchorDeadlineMs: deadlineMs = 2_000 } = options;
  const publisher = createPublisher(anchors, readBack, (error) => options.onError?.(error));
  let unread: readonly UnreadAnchor[] = [];
  const key = noteKey(signer.name, signer.publicKey, hash);
  let unsigned = 0;
  let timer: NodeJS.Timeout | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  let signing: Promise<void> = Promise.resolve();
  let begun: Promise<void> | undefined;
  let refused: SafeRunError | undefined;
  /** The log as far as this process has hashed it, and the heads signed before that it must still agree with. */
  let tree: LogTree = EMPTY_TREE;
  let due: Checkpoint[] | undefined;

  /**
   * Own signatures only, and those of the key before where a rotation in the log led from it to this one: anybody can put
   * a note into the store.
   */
  async function signedBefore(): Promise<Checkpoint[]> {
    const kept = options.reconciling === true ? undefined : options.installation?.lastNote(store.logId);
    const texts = [(await store.checkpoints()).at(-1)?.note, kept];
    const heads = texts.filter((text) => text !== undefined).map(readHead);
    if (heads.length === 0) return [];
    const rotations = await rotationsAfter(store, Math.min(...heads.map((head) => head?.checkpoint.size ?? 0)));
    const checkpoints = heads.flatMap((head) => {
      if (head !== undefined && isSignedBy(head.note, key, nodeVerifier)) return head.checkpoint;
      const rotation = rotations.find(
        ({ from, to }) => head !== undefined && isKey(to, signer) && isSignedBy(head.note, from, nodeVerifier),
      );
      if (head === undefined || rotation === undefined) throw refuse("the last checkpoint is not signed by this key");
      // What the old key has signed beyond what is believed counts for nothing.
      return head.checkpoint.size <= rotation.believed.size ? head.checkpoint : [];
    });
    if (rotations.some(({ from }) => isKey(from, signer))) throw replaced();
    return checkpoints;
  }

  /** Another key signs this log since: what this one signed from now on would be a fault of the log. */
  function replaced(): SafeRunError {
    refused ??= new SafeRunError(
      "record.unavailable",
      "another key signs this log by now: open the store again, or finish with `saferun log rotate-key`",
    );
    return refused;
  }

  function refuse(what: string): SafeRunError {
    refused ??= new SafeRunError(
      "record.corrupt",
      `${what}: the store was changed or restored; verify it, then move it away`,
    );
    return refused;
  }

  /** The last signed head is kept under the log's name: with another name it would not be found. */
  async function checkName(size: number): Promise<void> {
    const [first] = size === 0 ? [] : await store.entries({ from: 0, limit: 1 });
    if (first !== undefined && parseHeader(first.header).log !== store.logId) throw refuse("the log has another name");
  }

  async function begin(): Promise<void> {
    due = (await signedBefore()).sort((left, right) => left.size - right.size);
    const { size } = await store.head();
    await checkName(size);
    if (options.reconciling !== true) {
      const outside = await lookOutside(store, { key, anchors, kept: options.installation, deadlineMs });
      if (outside.lost !== undefined) throw restored(outside.lost, size);
      unread = outside.unread;
      for (const { error } of unread) options.onError?.(error);
    }
    const signed = due.at(-1)?.size ?? 0;
    if (signed > size) throw refuse(`the log has ${size} entries, ${signed} were signed`);
    const draft =
      size === 0 ? opened(signer, hash, random) : await recovered(store, { from: signed, to: size }, random);
    if (draft === undefined) return;
    await store.commit({ entries: [draft] });
    unsigned++;
  }

  /** An anchor that could not be read back at the start: as soon as it can, and before anything is published to it. */
  async function readBack(): Promise<void> {
    if (unread.length === 0) return;
    const outside = await lookOutside(store, {
      key,
      anchors: unread.map(({ anchor }) => anchor),
      deadlineMs: 5 * deadlineMs,
    });
    if (outside.lost !== undefined) {
      // From now on nothing is taken: the next commit looks outside first, as a start does.
      begun = undefined;
      throw restored(outside.lost, (await store.head()).size);
    }
    unread = outside.unread;
    for (const { error } of unread) throw error;
  }

  function ready(): Promise<void> {
    if (refused !== undefined) return Promise.reject(refused);
    begun ??= begin().catch((error: unknown) => {
      begun = undefined;
      throw error;
    });
    return begun;
  }

  async function hashUpTo({ size, root }: TreeHead): Promise<void> {
    let next = await beginning(size);
    while (next.size < size) {
      const leaves = await store.leaves({ from: next.size, to: Math.min(size, next.size + CHUNK) });
      if (leaves.length === 0) break;
      next = leaves.reduce((grown: LogTree, leaf) => appendLeaf(grown, leaf, hash), next);
      if (next.size < size) await setImmediate();
    }
    if (!equalBytes(treeRoot(next, hash), root)) throw refuse("the log is not the one that was signed before");
    tree = next;
  }

  /** What this process has hashed, or what the store rests on where that is more: of what is archived no leaf is left. */
  async function beginning(size: number): Promise<LogTree> {
    if (tree.size === size) return tree;
    const base = await archiveBase(store);
    return base.size > tree.size && base.size <= size ? { size: base.size, peaks: base.peaks } : tree;
  }

  async function sign(): Promise<void> {
    await ready();
    unsigned = 0;
    const archivedTo = (due?.length ?? 0) === 0 ? 0 : (await archiveBase(store)).size;
    for (let head = due?.[0]; head !== undefined; head = due?.[0]) {
      // A head over fewer entries than are archived was proven when they were.
      if (head.size >= archivedTo) await hashUpTo(head);
      due?.shift();
    }
    const head = await store.head();
    const known = tree.size;
    await hashUpTo(head);
    if (head.size === 0) return;
    const note = signCheckpoint(head, signer, hash);
    if (head.size !== known || !(await isSigned(store, head.size))) {
      await store.addCheckpoint(head.size, note);
      options.installation?.keepNote(store.logId, note);
    }
    publish(head.size, note);
  }

  /** A signature holds up no commit, and an anchor no signature. */
  function publish(size: number, note: string): void {
    if (anchors.length === 0) return;
    const prove = async (oldSize: number) =>
      (await createTreeNodes(size, leafSource(store), hash)).hashes(consistencyPath(oldSize, size));
    publisher.publish({ log: store.logId, size, note, prove });
    clearTimeout(heartbeat);
    heartbeat = setTimeout(later, heartbeatMs).unref();
  }

  /** One at a time; a failure is told and does not stop the next. */
  function checkpoint(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const done = signing.then(sign);
    signing = done.catch(() => {});
    return done;
  }

  function later(): void {
    checkpoint().catch((error: unknown) => options.onError?.(error));
  }

  return {
    ...store,
    async commit(transaction) {
      await ready();
      const result = await store.commit(transaction);
      if (result.ok && result.to > result.from) {
        unsigned += result.to - result.from;
        if (unsigned >= everyEntries) {
          unsigned = 0;
          later();
        } else {
          timer ??= setTimeout(later, everyMs).unref();
        }
      }
      return result;
    },
    checkpoint,
    async anchor() {
      if (anchors.length === 0) throw new SafeRunError("record.unavailable", "this log has no anchor: name one");
      await checkpoint();
      return publisher.settled();
    },
    async close() {
      try {
        // An opening that has only read signs nothing.
        if (begun !== undefined) await checkpoint();
        // What failed was told when it did.
        await publisher.settled().catch(() => undefined);
      } catch (error) {
        options.onError?.(error);
      } finally {
        clearTimeout(timer);
        clearTimeout(heartbeat);
        await store.close();
      }
    },
  };
}

interface SignedHead {
  readonly note: Note;
  readonly checkpoint: Checkpoint;
}

function readHead(text: string): SignedHead | undefined {
  const note = parseNote(text);
  const checkpoint = note === undefined ? undefined : parseCheckpoint(note.text);
  return note === undefined || checkpoint === undefined ? undefined : { note, checkpoint };
}

async function isSigned(store: Store, size: number): Promise<boolean> {
  return (await store.checkpoints()).at(-1)?.size === size;
}

function opened(signer: Signer, hash: Hash, random: Random): EntryDraft {
  const key = formatNoteKey(noteKey(signer.name, signer.publicKey, hash));
  return { type: "log.opened", parts: [{ name: "key", salt: random.bytes(32), bytes: encodePart(key) }] };
}

/** Names the unsigned range, where it holds entries of a process that is gone; undefined when the log just goes on. */
async function recovered(
  store: Store,
  range: { readonly from: number; readonly to: number },
  random: Random,
): Promise<EntryDraft | undefined> {
  if (range.from >= range.to) return undefined;
  const dead = new Set(await store.deadWriters());
  const tail = await store.entries({ from: range.from, limit: range.to - range.from });
  const writers = new Set(tail.map((entry) => parseHeader(entry.header).writer.id).filter((id) => dead.has(id)));
  if (writers.size === 0) return undefined;
  const bytes = encodePart({ ...range, writers: [...writers] });
  return { type: "log.recovered", parts: [{ name: "range", salt: random.bytes(32), bytes }] };
}
