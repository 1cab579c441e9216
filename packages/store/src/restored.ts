/**
 * Whether a log is behind what is known of it outside: the last head that this account has signed, kept beside the
 * installation id, and what an anchor has kept that can be read back. A backup that was put into the place of the store is;
 * so is a log that was cut back.
 */
import {
  archiveBase,
  type Checkpoint,
  equalBytes,
  isSignedBy,
  type NoteKey,
  parseCheckpoint,
  parseNote,
  SafeRunError,
  type Store,
  type TreeHead,
} from "@saferun/core";
import type { Anchor } from "./anchors/anchor.ts";
import { nodeVerifier } from "./node/file-signer.ts";
import type { Installation } from "./node/installation.ts";

export interface KnownOutside {
  /** The log's own: what others have signed says nothing of it. */
  readonly key: NoteKey;
  readonly anchors?: readonly Anchor[];
  readonly kept?: Pick<Installation, "lastNote"> | undefined;
  /** Told when an anchor cannot be read; it then says nothing. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * The largest head outside that the log does not hold; undefined where it holds all of them. A head was in the store before
 * it was kept anywhere, so that one whose checkpoint is not there belongs to another history, however long this one is.
 */
export async function headAhead(store: Store, outside: KnownOutside): Promise<TreeHead | undefined> {
  const heads = await headsOutside(store.logId, outside);
  if (heads.length === 0) return undefined;
  const { size } = await store.head();
  const own = await store.checkpoints();
  // Checkpoints over what is archived leave with it; that it continues them was proven then.
  const { size: first } = await archiveBase(store);
  const ahead = heads.filter(
    (head) => head.size > size || (head.size >= first && !own.some((one) => isOver(one, head))),
  );
  return ahead.sort((left, right) => right.size - left.size)[0];
}

async function headsOutside(logId: string, { key, anchors = [], kept, onError }: KnownOutside): Promise<Checkpoint[]> {
  const own = (text: string): Checkpoint[] => {
    const note = parseNote(text);
    const head = note === undefined ? undefined : parseCheckpoint(note.text);
    return note !== undefined && head !== undefined && isSignedBy(note, key, nodeVerifier) ? [head] : [];
  };
  const note = kept?.lastNote(logId);
  const heads = note === undefined ? [] : own(note);
  for (const anchor of anchors) {
    try {
      // The newest of this log's: one that a reconciled log has gone on from may stand before it.
      for (const text of (await anchor.kept?.()) ?? []) {
        const [head] = own(text);
        if (head === undefined) continue;
        heads.push(head);
        break;
      }
    } catch (error) {
      onError?.(error);
    }
  }
  return heads;
}

function isOver({ size, note }: { readonly size: number; readonly note: string }, head: Checkpoint): boolean {
  const own = size === head.size ? parseCheckpoint(parseNote(note)?.text ?? "") : undefined;
  return own !== undefined && equalBytes(own.root, head.root);
}

export function restored(lost: TreeHead, size: number): SafeRunError {
  return new SafeRunError(
    "record.restored",
    `the log has ${size} entries and is not the one of ${lost.size} that was signed last: a backup was restored, or it was cut back; nothing runs until a person has looked (\`saferun log verify\`) and says so (\`saferun log reconcile --reason …\`)`,
    { details: { size, signed: lost.size } },
  );
}
