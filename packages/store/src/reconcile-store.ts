/** After a backup was restored: what was open in it is ended, what was erased since is erased again, and the log goes on. */
import {
  type Actor,
  type EndedByRestore,
  endAllOpen,
  eraseAgain,
  type KeptErasure,
  noteKey,
  recordRestore,
  SafeRunError,
  type Signer,
} from "@saferun/core";
import type { Anchor } from "./anchors/anchor.ts";
import { createCheckpointer } from "./checkpointer.ts";
import { forgetErasedIn } from "./erase-store.ts";
import type { Installation } from "./node/installation.ts";
import { nodeClock, nodeHash, nodeRandom } from "./node/ports.ts";
import { openStoreKeys } from "./node/seal-keys.ts";
import { type LostHead, lookOutside } from "./restored.ts";
import { applyRetention } from "./retention.ts";
import type { SqliteStore } from "./sqlite/sqlite-store.ts";
import { verifyStore } from "./verify-store.ts";

export interface ReconcileOptions {
  readonly installation: Pick<Installation, "keepNote" | "lastNote" | "erasures" | "retainedBefore">;
  readonly signer: Signer;
  readonly anchors?: readonly Anchor[];
  readonly reason: string;
  readonly by: Actor;
}

export interface Reconciled extends EndedByRestore {
  /** The head that nothing leads to any more. */
  readonly lost: LostHead;
  /** Grants that count no more. */
  readonly grants: number;
  /** Parts that were erased again. */
  readonly erased: number;
  /** Entries that lost their content again because of its age. */
  readonly retained: number;
  /** Files and processes that may still hold what was erased, in words. */
  readonly unreached: readonly string[];
}

/**
 * The log goes on from where it is, when this resolves. Whoever dies on the way leaves it stopped: it is begun again.
 * @throws SafeRunError `option.invalid` where nothing is to be reconciled, and without a name and a reason; `record.corrupt`
 * for a log that does not verify by itself; `record.*` as the store does.
 */
export async function reconcileStore(store: SqliteStore, options: ReconcileOptions): Promise<Reconciled> {
  const { installation, signer, anchors = [], reason, by } = options;
  const key = noteKey(signer.name, signer.publicKey, nodeHash);
  const { lost, unread } = await lookOutside(store, { key, anchors, kept: installation });
  // What is lost is written down: nobody says it without having looked everywhere.
  for (const { error } of unread) throw error;
  if (lost === undefined) {
    throw new SafeRunError(
      "option.invalid",
      "there is nothing to reconcile: the log is not behind what is known of it",
    );
  }
  const { faults } = await verifyStore(store);
  if (faults.length > 0) {
    throw new SafeRunError(
      "record.corrupt",
      "the log does not verify by itself: see `saferun log verify`; restore another",
    );
  }
  const ports = { store, clock: nodeClock, random: nodeRandom };
  const grants = await recordRestore(ports, { lost, reason, by });
  const ended = await endAllOpen(ports);
  const again = await eraseOnceMore(store, installation.erasures(store.logId), by);
  const retained = await retainOnceMore(store, installation.retainedBefore(store.logId), by);
  const signing = createCheckpointer(store, signer, { installation, anchors, reconciling: true });
  await (anchors.length === 0 ? signing.checkpoint() : signing.anchor());
  return { ...ended, ...again, retained, lost, grants };
}

async function eraseOnceMore(store: SqliteStore, erasures: readonly KeptErasure[], by: Actor) {
  const why = { by: by.id, reason: "erased before the backup was restored" };
  const keys = openStoreKeys(store.directory);
  const ports = { keys, hash: nodeHash, random: nodeRandom };
  const erased = await eraseAgain(store, erasures, why, ports).finally(() => keys.close());
  if (erased === undefined) return { erased: 0, unreached: [] };
  return { erased: erased.parts, unreached: await forgetErasedIn(store, erased) };
}

async function retainOnceMore(store: SqliteStore, before: number, by: Actor): Promise<number> {
  if (before === 0) return 0;
  const now = nodeClock.now();
  const wish = { now, keepMs: now - before, by: by.id, steps: Number.POSITIVE_INFINITY, pauseMs: 0 };
  return (await applyRetention(store, { ...wish, directory: store.directory })).entries;
}
