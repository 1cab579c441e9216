/** That this account looks at what agents, tools and people wrote: recorded before anything of it is shown. */
import { recordView, SafeRunError, type View } from "@saferun/core";
import {
  type CheckpointedStore,
  createCheckpointer,
  createFileSigner,
  installation,
  nodeHash,
  nodeRandom,
  openSqliteStore,
  type ReadOnlyStore,
  signingKeyPath,
} from "@saferun/store";
import { failed } from "./exit.ts";
import type { Io } from "./io.ts";
import { requireStore, type SealedStore, trustOf, withReadOnlyStore, withUnsealedStore } from "./store.ts";

export type Look = Pick<View, "what" | "target" | "entries">;

/** Both @throws CommandError when it cannot be recorded: then nothing may be shown. */
export interface Looking {
  /** Content is shown. */
  shows(look: Look): Promise<void>;
  /** Content is written to where the store does not reach. */
  takesOut(look: Look): Promise<void>;
  /** Signs the log's head, so that what is taken out can be proven. Says so where it cannot be signed. */
  sign(): Promise<void>;
}

/** A store that exists, opened for reading and unsealed, by a command that shows what is in it. */
export function withContent<Value>(
  io: Io,
  directory: string,
  work: (store: ReadOnlyStore, looking: Looking, sealed: SealedStore) => Promise<Value>,
): Promise<Value> {
  return withUnsealedStore(io, directory, (store, sealed) =>
    looked(io, directory, (looking) => work(store, looking, sealed)),
  );
}

/** The same for a command that takes out what is stored, sealed where it is. */
export function withStoredContent<Value>(
  io: Io,
  directory: string,
  work: (store: ReadOnlyStore, looking: Looking) => Promise<Value>,
): Promise<Value> {
  return withReadOnlyStore(io, directory, (store) => looked(io, directory, (looking) => work(store, looking)));
}

async function looked<Value>(io: Io, directory: string, work: (looking: Looking) => Promise<Value>): Promise<Value> {
  let signed: Promise<void> = Promise.resolve();
  const record = async (look: Omit<View, "by">): Promise<void> => {
    signed = (await recorded(io, directory, look)).signed;
  };
  try {
    return await work({
      shows: (look) => record({ ...look, type: "payload.viewed" }),
      takesOut: (look) => record({ ...look, type: "log.exported" }),
      sign: () => sign(io, directory),
    });
  } finally {
    await signed;
  }
}

/** Durable when it resolves; the signature, for which the whole tree is hashed, comes while the command goes on. */
async function recorded(
  io: Io,
  directory: string,
  look: Omit<View, "by">,
): Promise<{ readonly signed: Promise<void> }> {
  const by = { id: `local:${io.user}`, via: "cli", verified: false };
  try {
    // Ids and digests only, so that there is nothing to mask.
    const store = openSigning(io, directory);
    try {
      await recordView({ store, hash: nodeHash, random: nodeRandom }, { ...look, by });
    } catch (error) {
      await store.close();
      throw error;
    }
    return { signed: store.close() };
  } catch (error) {
    if (!(error instanceof SafeRunError)) throw error;
    throw failed(
      error.code,
      `nothing is shown, because it could not be recorded that you look: ${error.message}; copy the store to where you can write, and name the copy with --store`,
    );
  }
}

async function sign(io: Io, directory: string): Promise<void> {
  try {
    const store = openSigning(io, directory);
    try {
      await store.checkpoint();
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof SafeRunError)) throw error;
    io.warn(`${error.code}: the log could not be signed: ${error.message}`);
  }
}

/** No anchors: one of them is standard output, which belongs to the command. The next head that they get covers this one. */
function openSigning(io: Io, directory: string): CheckpointedStore {
  const path = requireStore(io, directory);
  return createCheckpointer(
    openSqliteStore({ directory: path, ...trustOf(directory) }),
    createFileSigner(signingKeyPath(path)),
    { installation: installation(), onError: (error) => io.warn(`the log could not be signed: ${error}`) },
  );
}
