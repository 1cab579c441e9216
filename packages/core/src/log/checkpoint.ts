/**
 * Checkpoints: signed tree heads in the public formats, so that others' tools read them.
 * - body: C2SP `tlog-checkpoint` (origin, size, root)
 * - signature: C2SP `signed-note` with Ed25519, key id and key text as in Go's `golang.org/x/mod/sumdb/note`
 */

import { toHex } from "../call.ts";
import { invariant, SafeRunError } from "../errors.ts";
import type { Hash, Signer, TreeHead, Verifier } from "../ports.ts";
import { concatBytes, equalBytes, fromBase64, toBase64 } from "../value/bytes.ts";

/** A public key with the name that it signs under; its text form is `NAME+HEX_ID+BASE64`. */
export interface NoteKey {
  readonly name: string;
  /** First 4 bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key). */
  readonly id: Uint8Array;
  /** The 32-byte Ed25519 key. */
  readonly key: Uint8Array;
}

export interface Note {
  /** Ends with a line break. */
  readonly text: string;
  readonly signatures: readonly { readonly name: string; readonly id: Uint8Array; readonly signature: Uint8Array }[];
}

export interface Checkpoint extends TreeHead {
  /** Names the log; here the same as the key's name. */
  readonly origin: string;
}

const encoder = new TextEncoder();
/** The byte before an Ed25519 key that signs notes. */
const ED25519 = 1;
const LINE_BREAK = new Uint8Array([0x0a]);
const ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
const NAME = /^[^\s+\p{Cc}]+$/u;
const SIGNATURE_LINE = /^— ([^\s+\p{Cc}]+) ([A-Za-z0-9+/=]+)$/u;

/** @throws SafeRunError `option.invalid` for a name with spaces, control characters or a plus sign. */
export function noteKey(name: string, key: Uint8Array, hash: Hash): NoteKey {
  return typedKey(name, key, ED25519, hash);
}

/** The same for a key of another use, which its type byte sets apart. */
export function typedKey(name: string, key: Uint8Array, type: number, hash: Hash): NoteKey {
  if (!NAME.test(name) || !name.isWellFormed()) {
    throw new SafeRunError("option.invalid", `\`${name}\` cannot name a key: no spaces, no \`+\``);
  }
  invariant(key.length === 32, "an Ed25519 public key has 32 bytes");
  const id = hash.sha256(concatBytes(encoder.encode(name), LINE_BREAK, new Uint8Array([type]), key)).slice(0, ID_BYTES);
  return { name, id, key };
}

/** The text of a public key: what a person keeps elsewhere, and gives to `verify`. */
export function formatNoteKey(key: NoteKey): string {
  return formatTypedKey(key, ED25519);
}

export function formatTypedKey({ name, id, key }: NoteKey, type: number): string {
  return `${name}+${toHex(id)}+${toBase64(concatBytes(new Uint8Array([type]), key))}`;
}

/** @throws SafeRunError `option.invalid` for a text that is no Ed25519 public key, or whose id is another key's. */
export function parseNoteKey(text: string, hash: Hash): NoteKey {
  const key = parseTypedKey(text, ED25519, hash);
  if (key !== undefined) return key;
  throw new SafeRunError("option.invalid", `\`${text}\` is no public key: expected \`NAME+ID+BASE64\` (Ed25519)`);
}

/** Undefined for a text that is no key of this type. @throws SafeRunError `option.invalid` for a damaged one. */
export function parseTypedKey(text: string, type: number, hash: Hash): NoteKey | undefined {
  const [name = "", id = "", ...rest] = text.trim().split("+");
  const bytes = fromBase64(rest.join("+"));
  if (bytes === undefined || bytes.length !== 33 || bytes[0] !== type) return undefined;
  const key = typedKey(name, bytes.slice(1), type, hash);
  if (toHex(key.id) !== id) throw new SafeRunError("option.invalid", `\`${text}\` is damaged: its id is not its key's`);
  return key;
}

/** The signed note over a tree head, under the signer's name as its origin. */
export function signCheckpoint(head: TreeHead, signer: Signer, hash: Hash): string {
  return signNote(`${signer.name}\n${head.size}\n${toBase64(head.root)}\n`, [signer], hash);
}

/** A signed note over any text that ends with a line break, with a line for each signer. */
export function signNote(text: string, signers: readonly Signer[], hash: Hash): string {
  const message = encoder.encode(text);
  const lines = signers.map((signer) => {
    const { id } = noteKey(signer.name, signer.publicKey, hash);
    const signature = signer.sign(message);
    invariant(signature.length === SIGNATURE_BYTES, "an Ed25519 signature has 64 bytes");
    return `— ${signer.name} ${toBase64(concatBytes(id, signature))}\n`;
  });
  return `${text}\n${lines.join("")}`;
}

/** Undefined for anything that is not exactly a signed note. */
export function parseNote(note: string): Note | undefined {
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n") || !note.isWellFormed()) return undefined;
  const text = note.slice(0, split + 1);
  if (/[\u0000-\u0009\u000b-\u001f\u007f]/.test(note)) return undefined;
  const lines = note.slice(split + 2, -1).split("\n");
  const signatures: Note["signatures"][number][] = [];
  for (const line of lines) {
    const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
    const bytes = encoded === undefined ? undefined : fromBase64(encoded);
    if (name === undefined || bytes === undefined || bytes.length <= ID_BYTES) return undefined;
    signatures.push({ name, id: bytes.slice(0, ID_BYTES), signature: bytes.slice(ID_BYTES) });
  }
  return { text, signatures };
}

/**
 * Several signed checkpoints in one text, as an append-only file holds them: one after another, with or without an empty
 * line between them. Undefined where the text is anything else.
 */
export function splitNotes(text: string): string[] | undefined {
  const notes: string[] = [];
  for (let rest = text.replace(/^\n+/, ""); rest !== ""; ) {
    const [note] = NOTE_AT_START.exec(rest) ?? [];
    if (note === undefined) return undefined;
    notes.push(note);
    rest = rest.slice(note.length).replace(/^\n+/, "");
  }
  return notes;
}

/** Lines of a text without an empty one, an empty one, signature lines. */
const NOTE_AT_START = /^(?:[^\n]+\n)+\n(?:— [^\n]+\n)+/;

/** Undefined for a text that is no checkpoint. Lines after the root are extensions and allowed. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin = "", size = "", root = "", ...rest] = text.split("\n");
  const bytes = fromBase64(root);
  if (origin === "" || !/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) return undefined;
  if (bytes === undefined || bytes.length !== 32 || rest.at(-1) !== "" || rest.slice(0, -1).includes(""))
    return undefined;
  return { origin, size: Number(size), root: bytes };
}

/** True when the note carries a valid signature of this key. Signatures of other keys are neither here nor there. */
export function isSignedBy(note: Note, key: NoteKey, verifier: Verifier): boolean {
  const message = encoder.encode(note.text);
  const own = note.signatures.filter((signature) => signature.name === key.name && equalBytes(signature.id, key.id));
  return own.length > 0 && own.every(({ signature }) => isValid(key, message, signature, verifier));
}

function isValid(key: NoteKey, message: Uint8Array, signature: Uint8Array, verifier: Verifier): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  try {
    return verifier.verify(key.key, message, signature);
  } catch {
    // A key or signature that the implementation refuses to look at is not valid.
    return false;
  }
}
