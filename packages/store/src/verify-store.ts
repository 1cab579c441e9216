/** Verification of a store with Node's cryptography. */
import {
  createLogStates,
  type LogStore,
  sourceOf,
  type Verification,
  type VerifyOptions,
  verifyLog,
} from "@saferun/core";
import { nodeVerifier } from "./node/file-signer.ts";
import { nodeHash } from "./node/ports.ts";
import type { ReadOnlyStore } from "./sqlite/read-only-store.ts";

export type VerifyStoreOptions = Pick<VerifyOptions, "pinned" | "claimed" | "kept">;

/** Reads the whole log and answers what of it is proven. Writes nothing. */
export function verifyStore(store: LogStore, options: VerifyStoreOptions = {}): Promise<Verification> {
  return verifyLog(sourceOf(store), { ...options, hash: nodeHash, verifier: nodeVerifier });
}

/**
 * The same, and the tables that lists and waiting calls are read from: each row of a run, call or approval that is not what
 * the log says is a fault. Only a whole log explains them: with faults in it they are not looked at.
 */
export async function verifyStoreAndTables(
  store: ReadOnlyStore,
  options: VerifyStoreOptions = {},
): Promise<Verification> {
  const states = createLogStates({ hash: nodeHash, read: store.callRow });
  const ports = { hash: nodeHash, verifier: nodeVerifier };
  const verification = await verifyLog(sourceOf(store), { ...options, ...ports, see: states.see });
  if (verification.faults.length > 0) return verification;
  const faults = await store.tableFaults(states, verification.size);
  return faults.length === 0 ? verification : { ...verification, status: "faulty", faults };
}
