/**
 * Whether a log is behind what is known of it outside: the last head that this account has signed, kept beside the
 * installation id, and what an anchor has kept that can be read back. A backup that was put into the place of the store is;
 * so is a log that was cut back.
 */
import {
  archiveBase,
  consistencyPath,
  createTreeNodes,
  equalBytes,
  isSignedBy,
  leafSource,
  type NotedRotation,
  type NoteKey,
  parseCheckpoint,
  parseNote,
  parseRotation,
  SafeRunError,
  type Store,
} from "@saferun/core";
import type { Anchor, KeptHead, OwnLog } from "./anchors/anchor.ts";
import { nodeVerifier } from "./node/file-signer.ts";
import type { Installation } from "./node/installation.ts";
import { nodeHash } from "./node/ports.ts";
import { rotationsToNow } from "./rotations.ts";

/** A head that is known outside; of one that an anchor has only counted, the root is not known. */
export interface LostHead {
  readonly size: number;
  readonly root: Uint8Array | null;
}

export interface KnownOutside {
  /** The log's own: what others have signed says nothing of it. */
  readonly key: NoteKey;
  readonly anchors?: readonly Anchor[];
  readonly kept?: Pick<Installation, "lastNote"> | undefined;
  /** How long the anchors may take, all at once. Default 2,000. */
  readonly deadlineMs?: number | undefined;
}

export interface Outside {
  /** The largest head that the log does not hold; undefined where it holds all of them. */
  readonly lost: LostHead | undefined;
  /** Anchors that did not say in time what they keep, with why: of them nothing is known. */
  readonly unread: readonly UnreadAnchor[];
}

export interface UnreadAnchor {
  readonly anchor: Anchor;
  readonly error: SafeRunError;
}

/**
 * What is known outside, held against the log. A head was in the store before it was kept anywhere, so that one whose
 * checkpoint is not there belongs to another history, however long this one is.
 */
export async function lookOutside(
  store: Store,
  { key, anchors = [], kept, deadlineMs }: KnownOutside,
): Promise<Outside> {
  const log: OwnLog = {
    id: store.logId,
    checkpoints: () => store.checkpoints(),
    prove: async (oldSize, size) =>
      oldSize === size
        ? []
        : (await createTreeNodes(size, leafSource(store), nodeHash)).hashes(consistencyPath(oldSize, size)),
  };
  const own = createReader(store, key);
  const answers = await Promise.all(anchors.map((anchor) => readAnchor(anchor, log, own, deadlineMs ?? 2_000)));
  const unread = answers.flatMap((answer) => ("error" in answer ? answer : []));
  const note = kept?.lastNote(store.logId);
  const known = [...answers.flatMap((answer) => ("head" in answer ? answer.head : [])), note && (await own(note))];
  const heads = known.filter((head) => typeof head === "object");
  return { lost: heads.length === 0 ? undefined : await missing(store, heads), unread };
}

async function missing(store: Store, heads: readonly LostHead[]): Promise<LostHead | undefined> {
  const { size } = await store.head();
  const own = await store.checkpoints();
  // Checkpoints over what is archived leave with it; that it continues them was proven then.
  const { size: first } = await archiveBase(store);
  const isMissing = (head: LostHead): boolean =>
    head.root === null || head.size > size || (head.size >= first && !own.some((one) => isOver(one, head)));
  const ahead = heads.filter(isMissing);
  return ahead.sort((left, right) => right.size - left.size)[0];
}

type Answer = { readonly head: LostHead | undefined } | UnreadAnchor;

/** A dead anchor holds nobody up for longer than the deadline. */
async function readAnchor(anchor: Anchor, log: OwnLog, own: Reader, deadlineMs: number): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    const heads = await Promise.race([anchor.kept?.(log) ?? [], late]);
    const head = await newest(heads, own);
    if (head === undefined && heads.length > 0 && anchor.ofOneLog === true) {
      throw new Error("what was written there last is not signed by this log's key");
    }
    return { head };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `the anchor \`${anchor.name}\` cannot be read back: ${why}; until it can, nothing is published to it, nothing that needs an anchor runs, and a restored backup may go unnoticed`;
    return { anchor, error: new SafeRunError("record.unavailable", message, { retryable: true, cause }) };
  } finally {
    clearTimeout(timer);
  }
}

type Reader = (note: string) => Promise<LostHead | undefined>;

/** The first of this log's: one that a reconciled log has gone on from may stand before it. */
async function newest(heads: readonly KeptHead[], own: Reader): Promise<LostHead | undefined> {
  for (const head of heads) {
    const found = "note" in head ? await own(head.note) : { size: head.size, root: null };
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Signed by the log's key, or by one before it as far as that is believed. */
function createReader(store: Store, key: NoteKey): Reader {
  let rotations: Promise<readonly NotedRotation[]> | undefined;
  return async (text) => {
    const note = parseNote(text);
    const head = note === undefined ? undefined : parseCheckpoint(note.text);
    if (note === undefined || head?.origin !== key.name) return undefined;
    if (isSignedBy(note, key, nodeVerifier)) return head;
    rotations ??= rotationsToNow(store);
    for (const noted of await rotations) {
      const rotation = parseRotation(noted.note, nodeHash, nodeVerifier);
      if (rotation === undefined || head.size > rotation.believed.size) continue;
      if (isSignedBy(note, rotation.from, nodeVerifier)) return head;
    }
    return undefined;
  };
}

function isOver({ size, note }: { readonly size: number; readonly note: string }, head: LostHead): boolean {
  const own = size === head.size ? parseCheckpoint(parseNote(note)?.text ?? "") : undefined;
  return own !== undefined && head.root !== null && equalBytes(own.root, head.root);
}

export function restored(lost: LostHead, size: number): SafeRunError {
  return new SafeRunError(
    "record.restored",
    `the log has ${size} entries and is not the one of ${lost.size} that was signed last: a backup was restored, or it was cut back; nothing runs until a person has looked (\`saferun log verify\`) and says so (\`saferun log reconcile --reason …\`)`,
    { details: { size, signed: lost.size } },
  );
}
