/** Changes the key that signs a log, so that whoever kept the old public key can follow. */
import { renameSync } from "node:fs";
import {
  encodePart,
  parseCheckpoint,
  parseNote,
  ROTATION_PART,
  type Rotation,
  SafeRunError,
  signRotation,
  type TreeHead,
} from "@saferun/core";
import { createCheckpointer } from "./checkpointer.ts";
import { createFileSigner, type FileSigner, signingKeyPath } from "./node/file-signer.ts";
import type { Installation } from "./node/installation.ts";
import { nodeHash, nodeRandom } from "./node/ports.ts";
import { isKey, rotationsAfter } from "./rotations.ts";
import type { SqliteStore } from "./sqlite/sqlite-store.ts";

export interface RotateKeyOptions {
  readonly installation?: Pick<Installation, "keepNote" | "lastNote">;
  /**
   * For a key that was in other hands: the size of the last checkpoint that is still believed. Default: the head now,
   * which the old key signs once more.
   */
  readonly believedUpTo?: number;
}

export interface RotatedKey {
  /** Public keys as text. */
  readonly from: string;
  readonly to: string;
  /** What the old key has signed up to here is believed. */
  readonly believedUpTo: number;
}

/**
 * Makes a new key, writes an entry that both keys have signed, and puts the new key into the place of the old one, which
 * is gone then. A change that was cut off is finished by the next.
 * @throws SafeRunError `record.busy` while other processes have the store open: they would go on signing with the old
 * key; `option.invalid` for a size that no checkpoint signs; `record.corrupt` as the checkpointer does.
 */
export async function rotateKey(store: SqliteStore, options: RotateKeyOptions = {}): Promise<RotatedKey> {
  const others = await store.livingWriters();
  if (others.length > 0) {
    const message = `${others.length} other processes have this store open: end them first, they sign with the old key`;
    throw new SafeRunError("record.busy", message, { retryable: true });
  }
  const path = signingKeyPath(store.directory);
  const old = createFileSigner(path);
  const next = createFileSigner(`${path}.next`, old.name);
  const { believed } = (await cutOff(store, old, next)) ?? (await rotate(store, old, next, options));
  renameSync(`${path}.next`, path);
  // The first signature of the new key covers the entry that names it.
  await createCheckpointer(store, createFileSigner(path), keeping(options)).checkpoint();
  return { from: old.vkey, to: next.vkey, believedUpTo: believed.size };
}

/** The rotation between these keys that is in the log already. */
async function cutOff(store: SqliteStore, old: FileSigner, next: FileSigner): Promise<Rotation | undefined> {
  const signed = (await store.checkpoints()).at(-1)?.size ?? 0;
  const rotations = await rotationsAfter(store, signed);
  return rotations.find(({ from, to }) => isKey(from, old) && isKey(to, next));
}

async function rotate(
  store: SqliteStore,
  old: FileSigner,
  next: FileSigner,
  options: RotateKeyOptions,
): Promise<Pick<Rotation, "believed">> {
  await createCheckpointer(store, old, keeping(options)).checkpoint();
  const believed = await signedHead(store, options.believedUpTo);
  const note = signRotation({ log: store.logId, believed }, old, next, nodeHash);
  const part = { name: ROTATION_PART, salt: nodeRandom.bytes(32), bytes: encodePart(note) };
  await store.commit({ entries: [{ type: "log.rotated", parts: [part] }] });
  return { believed };
}

async function signedHead(store: SqliteStore, size: number | undefined): Promise<TreeHead> {
  const checkpoints = await store.checkpoints();
  const found = size === undefined ? checkpoints.at(-1) : checkpoints.find((checkpoint) => checkpoint.size === size);
  const checkpoint = parseCheckpoint(parseNote(found?.note ?? "")?.text ?? "");
  if (checkpoint !== undefined) return checkpoint;
  const message =
    size === undefined ? "this log is empty: there is nothing to rotate" : `no checkpoint signs ${size} entries`;
  throw new SafeRunError("option.invalid", message);
}

function keeping({ installation }: RotateKeyOptions) {
  return installation === undefined ? {} : { installation };
}
