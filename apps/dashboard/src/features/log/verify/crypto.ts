/** The verifier's ports in a browser: both answer at once, which WebCrypto does not. */

import { hashes, verify } from "@noble/ed25519";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import type { Hash, Verifier } from "@saferun/core/verifier";

hashes.sha512 = sha512;

export const browserHash: Hash = { sha256 };

/** As RFC 8032 has it, like the gate's own: no more signatures are taken here than there. */
export const browserVerifier: Verifier = {
  verify(publicKey, message, signature) {
    try {
      return verify(signature, message, publicKey, { zip215: false });
    } catch {
      // A signature of another length, a key that is no point.
      return false;
    }
  },
};
