/** Opening the store that a command works on. */
import { resolve } from "node:path";
import { type Opener, openedCallEntry, type Store, unsealed } from "@saferun/core";
import {
  type CheckpointedStore,
  createCheckpointer,
  createFileSigner,
  hasStore,
  installation,
  openReadOnlySqliteStore,
  openSqliteStore,
  openStoreKeys,
  parseAnchors,
  type ReadOnlyStore,
  redacted,
  signingKeyPath,
} from "@saferun/store";
import { Option } from "commander";
import { failed } from "./exit.ts";
import type { Io } from "./io.ts";
import { printable } from "./output/printable.ts";

/** Where the embedded gate keeps its store. */
export const DEFAULT_STORE = ".saferun";

export function storeOption(): Option {
  return new Option("-s, --store <directory>", "the store").default(DEFAULT_STORE);
}

/** What a printed command needs to say to mean this store again. */
export function storeArgument(directory: string): string {
  return directory === DEFAULT_STORE ? "" : ` --store ${printable(directory)}`;
}

/** A store that exists, opened for reading: nothing in it is changed, whoever else has it open. */
export async function withReadOnlyStore<Value>(
  io: Io,
  directory: string,
  work: (store: ReadOnlyStore) => Promise<Value>,
): Promise<Value> {
  const path = requireStore(io, directory);
  return closing(openReadOnlySqliteStore({ directory: path, ...trustOf(directory) }), work);
}

/**
 * The same for a command that shows content or judges it: what is sealed is opened, as far as the store's keys are at hand.
 * Never for one that verifies, or hands on what can be verified.
 */
export async function withUnsealedStore<Value>(
  io: Io,
  directory: string,
  work: (store: ReadOnlyStore, sealed: SealedStore) => Promise<Value>,
): Promise<Value> {
  const keys = openStoreKeys(requireStore(io, directory));
  const opener = warning(io, keys);
  try {
    return await withReadOnlyStore(io, directory, (store) => work(unsealedReadOnly(store, opener), { store, opener }));
  } finally {
    keys.close();
  }
}

/** `unsealed` with what only this store has. */
export function unsealedReadOnly(store: ReadOnlyStore, opener: Opener): ReadOnlyStore {
  return {
    ...unsealed(store, opener),
    decisionEntries: async (range) =>
      (await store.decisionEntries(range)).map((entry) => openedCallEntry(entry, opener)),
  };
}

/** The store as its verifiers need it, and what opens it. */
export interface SealedStore {
  readonly store: ReadOnlyStore;
  readonly opener: Opener;
}

/** What cannot be opened is not shown, and said once. */
function warning(io: Io, keys: Opener): Opener {
  let isSaid = false;
  return {
    open(sealed, place) {
      const opened = keys.open(sealed, place);
      if (opened === undefined && !isSaid) {
        isSaid = true;
        io.warn("seal.missing: sealed content is left out, because its key is not beside the store, or it was changed");
      }
      return opened;
    },
  };
}

/** A store that exists, opened for writing; what is written is signed before it is closed. */
export async function withStore<Value>(
  io: Io,
  directory: string,
  work: (store: Store) => Promise<Value>,
): Promise<Value> {
  requireStore(io, directory);
  return closing(openUnsealedStore(io, directory).store, work);
}

/** The same for a command that signs: its entries as they are stored. */
export async function withSigningStore<Value>(
  io: Io,
  directory: string,
  work: (store: CheckpointedStore) => Promise<Value>,
): Promise<Value> {
  requireStore(io, directory);
  return closing(openStore(io, directory), work);
}

/** Opens or makes a store for one who shows content, too: `sealed` holds it as it is stored, for whoever proves something. */
export function openUnsealedStore(
  io: Io,
  directory: string,
): { readonly store: CheckpointedStore; readonly sealed: CheckpointedStore } {
  const sealed = openStore(io, directory);
  const keys = openStoreKeys(resolve(io.cwd, directory));
  const close = async (): Promise<void> => {
    await sealed.close();
    keys.close();
  };
  return { store: { ...unsealed(sealed, warning(io, keys)), close }, sealed };
}

/** Opens or makes a store. What a command writes is masked like what the gate writes: an approver's note may hold a key. */
function openStore(io: Io, directory: string): CheckpointedStore {
  const path = resolve(io.cwd, directory);
  const store = openSqliteStore({ directory: path, ...trustOf(directory) });
  const signed = createCheckpointer(store, createFileSigner(signingKeyPath(path)), {
    installation: installation(),
    anchors: parseAnchors(process.env.SAFERUN_ANCHORS ?? ""),
    onError: (error) => io.warn(`the log could not be signed: ${error instanceof Error ? error.message : error}`),
  });
  return redacted(signed, openStoreKeys(path));
}

/** The one at the default path must be this account's own: a cloned repository may bring one. */
export function trustOf(directory: string) {
  return directory === DEFAULT_STORE ? { installation: installation() } : {};
}

async function closing<Opened extends Store, Value>(
  store: Opened,
  work: (store: Opened) => Promise<Value>,
): Promise<Value> {
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const WHAT_TO_DO = "run your agent here first, or name one with --store";

/** The directory's path. @throws CommandError when there is no store in it: a command that only looks makes none. */
export function requireStore(io: Io, directory: string, whatToDo = WHAT_TO_DO): string {
  const path = resolve(io.cwd, directory);
  if (!hasStore(path)) {
    throw failed("record.missing", `there is no store at \`${printable(directory)}\`: ${whatToDo}`);
  }
  return path;
}
