/** Verification of a store with Node's cryptography. */
import { type LogStore, sourceOf, type Verification, type VerifyOptions, verifyLog } from "@saferun/core";
import { nodeVerifier } from "./node/file-signer.ts";
import { nodeHash } from "./node/ports.ts";

export type VerifyStoreOptions = Pick<VerifyOptions, "pinned" | "claimed" | "kept">;

/** Reads the whole log and answers what of it is proven. Writes nothing. */
export function verifyStore(store: LogStore, options: VerifyStoreOptions = {}): Promise<Verification> {
  return verifyLog(sourceOf(store), { ...options, hash: nodeHash, verifier: nodeVerifier });
}
