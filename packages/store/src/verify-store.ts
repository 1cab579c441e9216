/** Verification of a store with Node's cryptography. */
import {
  archiveBase,
  createLogStates,
  createProtectionStates,
  type LogStore,
  type StateStore,
  sourceOf,
  type Verification,
  type VerifyOptions,
  type VerifySource,
  verifyLog,
} from "@saferun/core";
import { nodeVerifier } from "./node/file-signer.ts";
import { nodeHash } from "./node/ports.ts";
import type { ReadOnlyStore } from "./sqlite/read-only-store.ts";

export type VerifyStoreOptions = Pick<VerifyOptions, "pinned" | "claimed" | "kept">;

/** Reads the whole log and answers what of it is proven. Writes nothing. */
export function verifyStore(
  store: LogStore & Pick<StateStore, "row">,
  options: VerifyStoreOptions = {},
): Promise<Verification> {
  return verifyLog(sourceOf(store), { ...options, hash: nodeHash, verifier: nodeVerifier });
}

/**
 * The same, and the tables that lists and waiting calls are read from: each row of a run, call, approval or protection that is
 * not what the log says is a fault. Only a whole log explains them: with faults in it they are not looked at.
 */
export async function verifyStoreAndTables(
  store: ReadOnlyStore,
  options: VerifyStoreOptions = {},
): Promise<Verification> {
  const base = await archiveBase(store);
  const log = createLogStates({ hash: nodeHash, read: store.callRow }, base);
  const protections = createProtectionStates(base.size > 0, nodeHash);
  const ports = { hash: nodeHash, verifier: nodeVerifier };
  const see: VerifyOptions["see"] = (entry, header) => {
    log.see(entry, header);
    protections.see(entry, header);
  };
  const source: VerifySource = { ...sourceOf(store), base: async () => base };
  const verification = await verifyLog(source, { ...options, ...ports, see });
  if (verification.faults.length > 0) {
    // A log that is archived while it is read looks like one that lost its beginning.
    if ((await archiveBase(store)).size !== base.size) return verifyStoreAndTables(store, options);
    return verification;
  }
  const faults = await store.tableFaults({ log, protections }, verification.size, base.size);
  return faults.length === 0 ? verification : { ...verification, status: "faulty", faults };
}
