/** C2SP `tlog-cosignature` (Ed25519): what a witness adds to a checkpoint that it found consistent with those before. */

import { invariant, SafeRunError } from "../errors.ts";
import type { Hash, Signer, Verifier } from "../ports.ts";
import { concatBytes, equalBytes, toBase64 } from "../value/bytes.ts";
import { formatTypedKey, type Note, type NoteKey, parseTypedKey, typedKey } from "./checkpoint.ts";

/** The byte that sets a cosigner's key apart from a log's. */
const COSIGNATURE = 4;
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

const encoder = new TextEncoder();

/** The key of a witness, `NAME+ID+BASE64`. */
export function formatWitnessKey({ name, publicKey }: Pick<Signer, "name" | "publicKey">, hash: Hash): string {
  return formatTypedKey(typedKey(name, publicKey, COSIGNATURE, hash), COSIGNATURE);
}

/** @throws SafeRunError `option.invalid` for a text that is no witness's key. */
export function parseWitnessKey(text: string, hash: Hash): NoteKey {
  const key = parseTypedKey(text, COSIGNATURE, hash);
  if (key === undefined) throw new SafeRunError("option.invalid", `\`${text}\` is no witness's public key`);
  return key;
}

/** The line to append to the checkpoint, with its line break. `seconds` since 1970. */
export function cosign(text: string, seconds: number, signer: Signer, hash: Hash): string {
  const { id } = typedKey(signer.name, signer.publicKey, COSIGNATURE, hash);
  const signature = signer.sign(message(text, seconds));
  invariant(signature.length === SIGNATURE_BYTES, "an Ed25519 signature has 64 bytes");
  return `— ${signer.name} ${toBase64(concatBytes(id, timeBytes(seconds), signature))}\n`;
}

/** When the witness saw the checkpoint, seconds since 1970; undefined unless it has signed it. */
export function cosignedAt(note: Note, key: NoteKey, verifier: Verifier): number | undefined {
  for (const { name, id, signature } of note.signatures) {
    if (name !== key.name || !equalBytes(id, key.id) || signature.length !== TIME_BYTES + SIGNATURE_BYTES) continue;
    const seconds = secondsIn(signature.subarray(0, TIME_BYTES));
    if (seconds !== undefined && isValid(key, message(note.text, seconds), signature.slice(TIME_BYTES), verifier)) {
      return seconds;
    }
  }
  return undefined;
}

function isValid(key: NoteKey, signed: Uint8Array, signature: Uint8Array, verifier: Verifier): boolean {
  try {
    return verifier.verify(key.key, signed, signature);
  } catch {
    return false;
  }
}

function message(text: string, seconds: number): Uint8Array {
  return encoder.encode(`cosignature/v1\ntime ${seconds}\n${text}`);
}

function timeBytes(seconds: number): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES);
  let rest = seconds;
  for (let index = TIME_BYTES - 1; index >= 0; index--) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

function secondsIn(bytes: Uint8Array): number | undefined {
  const seconds = bytes.reduce((total, byte) => total * 256 + byte, 0);
  return Number.isSafeInteger(seconds) ? seconds : undefined;
}
