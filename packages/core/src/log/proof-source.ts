/** Proofs out of a store: the hashes are computed from its leaves, the notes are those that it holds. */
import { SafeRunError } from "../errors.ts";
import type { Hash, LogStore } from "../ports.ts";
import type { ConsistencyFile, InclusionFile } from "./proof-file.ts";
import { consistencyPath, inclusionPath, type LeafRange, pathHashes } from "./tree.ts";

/**
 * That entry `index` is in the log: under the last checkpoint, or the one over `size` entries.
 * @throws SafeRunError `option.invalid` when no such checkpoint covers the entry.
 */
export async function proveInclusion(
  store: LogStore,
  index: number,
  hash: Hash,
  size?: number,
): Promise<InclusionFile> {
  const signed = await checkpointOver(store, size);
  if (index >= signed.size) {
    throw new SafeRunError("option.invalid", `entry ${index} is not signed yet: the checkpoint covers ${signed.size}`);
  }
  const [entry] = await store.entries({ from: index, limit: 1 });
  if (entry?.seq !== index) throw new SafeRunError("record.corrupt", `the store has no entry ${index}: verify it`);
  const path = await hashesOf(store, inclusionPath(index, signed.size), hash);
  return { index, header: entry.header, path, note: signed.note };
}

/**
 * That the log under the last checkpoint, or the one over `size` entries, begins with the one over `oldSize`.
 * @throws SafeRunError `option.invalid` for sizes that no checkpoint signs, or in the wrong order.
 */
export async function proveConsistency(
  store: LogStore,
  oldSize: number,
  hash: Hash,
  size?: number,
): Promise<ConsistencyFile> {
  const [old, signed] = [await checkpointOver(store, oldSize), await checkpointOver(store, size)];
  if (old.size > signed.size) {
    throw new SafeRunError(
      "option.invalid",
      `the checkpoint over ${old.size} is not older than the one over ${signed.size}`,
    );
  }
  const path = await hashesOf(store, consistencyPath(old.size, signed.size), hash);
  return { path, oldNote: old.note, note: signed.note };
}

async function checkpointOver(store: LogStore, size: number | undefined) {
  const checkpoints = await store.checkpoints();
  const found = size === undefined ? checkpoints.at(-1) : checkpoints.find((checkpoint) => checkpoint.size === size);
  if (found !== undefined) return found;
  const message = size === undefined ? "this log has no checkpoint yet" : `no checkpoint signs ${size} entries`;
  throw new SafeRunError("option.invalid", `${message}: \`saferun log checkpoint\` signs what there is`);
}

function hashesOf(store: LogStore, path: readonly LeafRange[], hash: Hash): Promise<Uint8Array[]> {
  return pathHashes(path, (from, to) => store.leaves({ from, to }), hash);
}
