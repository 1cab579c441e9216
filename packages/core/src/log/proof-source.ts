/** Proofs out of a store: the hashes are computed from its leaves, the notes are those that it holds. */
import { SafeRunError } from "../errors.ts";
import type { Hash, LogStore, StateStore } from "../ports.ts";
import { archiveBase } from "./archive-base.ts";
import type { StoredEntry } from "./entry.ts";
import type { ConsistencyFile, InclusionFile } from "./proof-file.ts";
import { consistencyPath, inclusionPath, type LeafRange } from "./tree.ts";
import { createTreeNodes, type LeafSource } from "./tree-nodes.ts";

type ProofStore = LogStore & Pick<StateStore, "row">;

/** Entries that are in the store no more, out of the files that they were archived to. */
export interface ArchivedEntries {
  entry(seq: number): Promise<Pick<StoredEntry, "header">>;
  /** Leaf hashes, `from` inclusive to `to` exclusive, all of them archived. */
  leaves(from: number, to: number): Promise<readonly Uint8Array[]>;
}

/**
 * That entry `index` is in the log: under the last checkpoint, or the one over `size` entries.
 * @throws SafeRunError `option.invalid` when no such checkpoint covers the entry.
 */
export async function proveInclusion(
  store: ProofStore,
  index: number,
  hash: Hash,
  size?: number,
  archive?: ArchivedEntries,
): Promise<InclusionFile> {
  const signed = await checkpointOver(store, size);
  if (index >= signed.size) {
    throw new SafeRunError("option.invalid", `entry ${index} is not signed yet: the checkpoint covers ${signed.size}`);
  }
  const path = await hashesOf(store, inclusionPath(index, signed.size), signed.size, hash, archive);
  const header = await headerAt(store, index, archive);
  return { index, header, path, note: signed.note };
}

async function headerAt(store: ProofStore, index: number, archive: ArchivedEntries | undefined): Promise<Uint8Array> {
  if (archive !== undefined && index < (await archiveBase(store)).size) return (await archive.entry(index)).header;
  const [entry] = await store.entries({ from: index, limit: 1 });
  if (entry?.seq === index) return entry.header;
  throw new SafeRunError("record.corrupt", `the store has no entry ${index}: verify it`);
}

/**
 * That the log under the last checkpoint, or the one over `size` entries, begins with the one over `oldSize`.
 * @throws SafeRunError `option.invalid` for sizes that no checkpoint signs, or in the wrong order.
 */
export async function proveConsistency(
  store: ProofStore,
  oldSize: number,
  hash: Hash,
  size?: number,
  archive?: ArchivedEntries,
): Promise<ConsistencyFile> {
  const [old, signed] = [await checkpointOver(store, oldSize), await checkpointOver(store, size)];
  if (old.size > signed.size) {
    throw new SafeRunError(
      "option.invalid",
      `the checkpoint over ${old.size} is not older than the one over ${signed.size}`,
    );
  }
  const path = await hashesOf(store, consistencyPath(old.size, signed.size), signed.size, hash, archive);
  return { path, oldNote: old.note, note: signed.note };
}

async function checkpointOver(store: LogStore, size: number | undefined) {
  const checkpoints = await store.checkpoints();
  const found = size === undefined ? checkpoints.at(-1) : checkpoints.find((checkpoint) => checkpoint.size === size);
  if (found !== undefined) return found;
  const message = size === undefined ? "this log has no checkpoint yet" : `no checkpoint signs ${size} entries`;
  throw new SafeRunError("option.invalid", `${message}: \`saferun log checkpoint\` signs what there is`);
}

/** The leaves of a store, and what it rests on where the first ones are archived. */
export function leafSource(store: Pick<LogStore, "leaves"> & Pick<StateStore, "row">): Required<LeafSource> {
  return { leaves: (from, to) => store.leaves({ from, to }), base: () => archiveBase(store) };
}

async function hashesOf(
  store: ProofStore,
  path: readonly LeafRange[],
  size: number,
  hash: Hash,
  archive: ArchivedEntries | undefined,
): Promise<Uint8Array[]> {
  const source = leafSource(store);
  const nodes = await createTreeNodes(size, archive === undefined ? source : await wholeSource(source, archive), hash);
  return nodes.hashes(path);
}

async function wholeSource({ leaves, base }: Required<LeafSource>, archive: ArchivedEntries): Promise<LeafSource> {
  const { size } = await base();
  return {
    async leaves(from, to) {
      const middle = Math.min(Math.max(from, size), to);
      const archived = from < middle ? await archive.leaves(from, middle) : [];
      return middle < to ? [...archived, ...(await leaves(middle, to))] : archived;
    },
  };
}
