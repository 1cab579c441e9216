/**
 * Ed25519 on Node: the verifier, and the signer whose key is a file beside the store.
 *
 * The file holds the key in the text form of Go's `sumdb/note` (`PRIVATE+KEY+NAME+ID+BASE64`), mode 0600, so that
 * other tools can sign with it and no format is ours alone.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { join } from "node:path";
import {
  concatBytes,
  formatNoteKey,
  fromBase64,
  noteKey,
  SafeRunError,
  type Signer,
  toBase64,
  toHex,
  type Verifier,
} from "@saferun/core";
import { storeFailure } from "../sqlite/failure.ts";
import { nodeHash, nodeRandom } from "./ports.ts";
import { createPrivateFile, readSecretFile } from "./private-files.ts";

export interface FileSigner extends Signer {
  /** The public key as text: to be kept away from the store, and given to `verify`. */
  readonly vkey: string;
}

const PRIVATE_KEY = "PRIVATE+KEY";

/** Where a store's signing key lies: whoever writes to the store signs with the one key. */
export function signingKeyPath(directory: string): string {
  return join(directory, "log.key");
}

const ED25519 = new Uint8Array([1]);
/** DER around a raw Ed25519 key (RFC 8410): PKCS #8 around the seed, SPKI around the public key. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/**
 * The signer whose key is in the file; makes a new key where there is no file.
 * @param name of a new key; default `saferun.local/` and eight bytes of the key's hash
 * @throws SafeRunError `record.untrusted` for a file that others could have written or read, `record.corrupt`, `record.unavailable`.
 */
export function createFileSigner(path: string, name?: string): FileSigner {
  try {
    if (readSecretFile(path) === undefined) createPrivateFile(path, newKey(name));
    return signerOf(readSecretFile(path) ?? "", path);
  } catch (error) {
    throw storeFailure(error);
  }
}

export const nodeVerifier: Verifier = {
  verify(publicKey, message, signature) {
    const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: "der", type: "spki" });
    return verify(null, message, key, signature);
  },
};

function newKey(name: string | undefined): string {
  const seed = nodeRandom.bytes(32);
  const publicKey = publicOf(privateOf(seed));
  const chosen = name ?? `saferun.local/${toHex(nodeHash.sha256(publicKey).slice(0, 8))}`;
  const { id } = noteKey(chosen, publicKey, nodeHash);
  return `${PRIVATE_KEY}+${chosen}+${toHex(id)}+${toBase64(concatBytes(ED25519, seed))}\n`;
}

function signerOf(text: string, path: string): FileSigner {
  const [, , name = "", id = "", ...rest] = text.trim().split("+");
  const bytes = fromBase64(rest.join("+"));
  if (!text.startsWith(`${PRIVATE_KEY}+`) || bytes?.length !== 33 || bytes[0] !== ED25519[0]) throw damaged(path);
  const privateKey = privateOf(bytes.slice(1));
  const publicKey = publicOf(privateKey);
  const key = noteKey(name, publicKey, nodeHash);
  if (toHex(key.id) !== id) throw damaged(path);
  return {
    name,
    publicKey,
    vkey: formatNoteKey(key),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  };
}

function privateOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
}

function publicOf(key: KeyObject): Uint8Array {
  const der = createPublicKey(key).export({ format: "der", type: "spki" });
  return new Uint8Array(der.subarray(SPKI.length));
}

function damaged(path: string): SafeRunError {
  return new SafeRunError(
    "record.corrupt",
    `\`${path}\` holds no signing key: restore it, or move it away for a new one`,
  );
}
