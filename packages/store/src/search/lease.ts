/**
 * Which of several processes keeps a store's index up. A lock of the system over an empty file beside the index: it goes with
 * its process, however that ends. It only saves work: the index itself stands any number of indexers.
 */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { isBusy } from "../sqlite/failure.ts";

export interface Lease {
  release(): void;
}

/** Undefined while somebody else has it; never waits. @throws what the file system does. */
export function takeLease(path: string): Lease | undefined {
  closeSync(openSync(path, "a", 0o600));
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    // In memory, so that nothing is ever written beside or into the file: all it is for is the lock on it.
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return { release: () => db.close() };
  } catch (error) {
    db.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}
