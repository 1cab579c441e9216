/**
 * From one signing key to the next: a signed note with the signatures of both, which stands in the log as an entry.
 *
 * It names the last head of the old key that is still believed: the head at the rotation, or an earlier one where the key
 * was in other hands since. The key's name, which is the log's origin, stays.
 */

import type { Hash, Signer, TreeHead, Verifier } from "../ports.ts";
import { fromBase64, toBase64 } from "../value/bytes.ts";
import { formatNoteKey, isSignedBy, type NoteKey, noteKey, parseNote, parseNoteKey, signNote } from "./checkpoint.ts";

/** First line of the note. */
const ROTATION = "saferun/rotation/v1";
/** The part of the entry `log.rotated` that holds it. */
export const ROTATION_PART = "rotation";

export interface Rotation {
  /** The log's identity. */
  readonly log: string;
  readonly from: NoteKey;
  readonly to: NoteKey;
  /** What the old key has signed beyond this head is not believed. */
  readonly believed: TreeHead;
}

/** The note, signed by both keys. */
export function signRotation(
  { log, believed }: Pick<Rotation, "log" | "believed">,
  from: Signer,
  to: Signer,
  hash: Hash,
): string {
  const keys = [from, to].map(({ name, publicKey }) => formatNoteKey(noteKey(name, publicKey, hash)));
  const lines = [ROTATION, log, ...keys, String(believed.size), toBase64(believed.root)];
  return signNote(lines.map((line) => `${line}\n`).join(""), [from, to], hash);
}

/** Undefined unless it is a rotation that both of its keys have signed. */
export function parseRotation(text: string, hash: Hash, verifier: Verifier): Rotation | undefined {
  const note = parseNote(text);
  const lines = note?.text.split("\n") ?? [];
  const [kind, log = "", old = "", next = "", size = "", encoded = "", end] = lines;
  const root = fromBase64(encoded);
  if (note === undefined || kind !== ROTATION || end !== "" || lines.length !== 7) return undefined;
  if (root?.length !== 32 || !/^(0|[1-9][0-9]{0,14})$/.test(size)) return undefined;
  const [from, to] = [keyIn(old, hash), keyIn(next, hash)];
  if (from === undefined || to === undefined || from.name !== to.name) return undefined;
  if (!isSignedBy(note, from, verifier) || !isSignedBy(note, to, verifier)) return undefined;
  return { log, from, to, believed: { size: Number(size), root } };
}

function keyIn(text: string, hash: Hash): NoteKey | undefined {
  try {
    return parseNoteKey(text, hash);
  } catch {
    return undefined;
  }
}
