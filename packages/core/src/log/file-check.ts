/** What files of single entries have in common, an excerpt and the evidence of a run: one signed head, one proof an entry. */
import type { Hash } from "../ports.ts";
import { isHexOf } from "../value/bytes.ts";
import type { NotedRotation } from "./archive-base.ts";
import { type Checkpoint, type NoteKey, parseCheckpoint, parseNote, parseNoteKey } from "./checkpoint.ts";
import type { ExportedEntry } from "./export.ts";
import type { LogFault } from "./fault.ts";
import type { EntryHeader } from "./header.ts";
import { createKeyring } from "./keyring.ts";
import { partCommitment } from "./part.ts";
import { verifyInclusion } from "./proof.ts";
import type { ProofPorts } from "./proof-file.ts";
import { parseRotation, ROTATION_PART } from "./rotation.ts";

type AddFault = (fault: LogFault) => void;

/** The head that a file's proofs lead to, as the file tells it. */
export interface ClaimedHead {
  readonly log: string;
  /** The public key that the log claims; null where it names none. */
  readonly key: string | null;
  /** A signed note over the tree's head. */
  readonly note: string;
  /** Changes of the signing key in the log, the first one first. */
  readonly rotations: readonly NotedRotation[];
}

export interface SignedFileHead extends Checkpoint {
  /** Whose signature was found. */
  readonly signer: NoteKey;
}

/**
 * The signed head, or undefined and a fault: not signed by a key that is believed for its size. With `pinned`, the public
 * key that the asker kept, only it counts and those that rotations from it lead to.
 */
export function checkFileHead(
  { log, key, note: text, rotations }: ClaimedHead,
  pinned: NoteKey | undefined,
  { hash, verifier }: ProofPorts,
  fault: AddFault,
): SignedFileHead | undefined {
  const keyring = createKeyring({ pinned, claimed: noteKeyIn(key, hash) }, verifier);
  for (const { seq, note } of rotations) {
    const rotation = parseRotation(note, hash, verifier);
    if (rotation?.log === log && keyring.rotate(rotation, seq)) continue;
    const message = "a change of the signing key is not signed by the key before it";
    fault({ seq, fault: "bad-signature", where: ROTATION_PART, message });
  }
  const note = parseNote(text);
  const checkpoint = note === undefined ? undefined : parseCheckpoint(note.text);
  const isOwn = note !== undefined && checkpoint !== undefined && checkpoint.origin === keyring.origin;
  const signer = isOwn ? keyring.signerOf(note, checkpoint.size) : undefined;
  if (checkpoint !== undefined && signer !== undefined && (pinned === undefined || keyring.isProven(signer))) {
    return { ...checkpoint, signer };
  }
  const whose = pinned === undefined ? "the key that it names" : "the key given";
  const message = `the checkpoint is not signed by ${whose}`;
  fault({ seq: checkpoint?.size ?? 0, fault: "bad-signature", where: "checkpoint", message });
  return undefined;
}

/** Undefined for a text that is no public key. */
export function noteKeyIn(text: string | null, hash: Hash): NoteKey | undefined {
  if (text === null) return undefined;
  try {
    return parseNoteKey(text.trim(), hash);
  } catch {
    return undefined;
  }
}

/** That the entry, by its leaf, is in the tree which the head signs. */
export function checkInTree(
  { seq }: ExportedEntry,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
  { size, root }: Checkpoint,
  hash: Hash,
  fault: AddFault,
): void {
  if (!verifyInclusion({ index: seq, size, leaf, root, path }, hash)) {
    const message = `this is not what the checkpoint over ${size} entries signs: the entry or its proof was changed`;
    fault({ seq, fault: "changed", where: "proof", message });
  }
}

/** Each part against its header. Returns how many of them were erased: of those nothing can be said. */
export function checkContent({ seq, parts }: ExportedEntry, header: EntryHeader, hash: Hash, fault: AddFault): number {
  const commitments = new Map(Object.entries(header.parts ?? {}));
  let erased = 0;
  for (const { name, salt, bytes } of parts) {
    const commitment = commitments.get(name);
    commitments.delete(name);
    if (commitment === undefined) {
      fault({ seq, fault: "inserted", where: name, message: "the header knows no such part" });
    } else if (salt === null || bytes === null) {
      erased++;
    } else if (!isHexOf(commitment, partCommitment({ name, salt, bytes }, hash))) {
      fault({ seq, fault: "changed", where: name, message: "the part is not the one that the header commits to" });
    }
  }
  for (const name of commitments.keys()) fault({ seq, fault: "missing", where: name, message: "the part is missing" });
  return erased;
}
