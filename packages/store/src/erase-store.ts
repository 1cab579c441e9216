/** An erasure in a directory: the log, the index derived from it, the files of both; and what it could not reach. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  archiveBase,
  type Erased,
  type ErasureRequest,
  erase,
  erasureKind,
  type KeptErasure,
  parseHeader,
  type Store,
} from "@saferun/core";
import type { Installation } from "./node/installation.ts";
import { nodeHash, nodeRandom } from "./node/ports.ts";
import { openStoreKeys } from "./node/seal-keys.ts";
import { createIndexer, type Indexer } from "./search/indexer.ts";
import { searchPath } from "./search/schema.ts";
import { connect, integer } from "./sqlite/schema.ts";
import type { SqliteStore } from "./sqlite/sqlite-store.ts";

export interface StoreErasure extends Erased {
  /** Files and processes of this store that may still hold what was erased, in words. */
  readonly unreached: readonly string[];
}

const BUSY_MS = 5_000;

/**
 * Durable when it resolves. With `installation` it is remembered there what was erased, so that a backup which is restored
 * later forgets it again. @throws SafeRunError as `erase` does.
 */
export async function eraseFromStore(
  store: SqliteStore,
  request: ErasureRequest,
  installation?: Pick<Installation, "keepErasure">,
): Promise<StoreErasure> {
  const remembering = installation === undefined ? store : remember(store, erasureKind(request.target), installation);
  const keys = openStoreKeys(store.directory);
  const ports = { keys, hash: nodeHash, random: nodeRandom };
  const erased = await erase(remembering, request, ports).finally(() => keys.close());
  return { ...erased, unreached: await forgetErasedIn(store, erased) };
}

/** Before the commit: what a person asked to be erased must not come back because this process died in between. */
function remember(store: Store, kind: KeptErasure["kind"], installation: Pick<Installation, "keepErasure">): Store {
  return {
    ...store,
    commit: async (transaction) => {
      const parts: string[] = [];
      for (const { seq, names } of transaction.erase ?? []) {
        const [entry] = await store.entries({ from: seq, limit: 1 });
        const commitments = entry === undefined ? {} : (parseHeader(entry.header).parts ?? {});
        parts.push(...names.flatMap((name) => commitments[name] ?? []));
      }
      if (parts.length > 0) installation.keepErasure(store.logId, { kind, parts });
      return store.commit(transaction);
    },
  };
}

/** The index and the files forget it as well. What could not be reached, in words. */
export async function forgetErasedIn(store: SqliteStore, erased: Erased): Promise<readonly string[]> {
  const { directory } = store;
  const unreached = [...copiesIn(directory)];
  const { size: archivedTo } = await archiveBase(store);
  if (archivedTo > 0) unreached.push(`entries before ${archivedTo}, which are archived, and runs that began there`);
  if (!truncatesWal(join(directory, "log.db"))) unreached.push("log.db-wal: another process reads the store; end it");
  if (!forgets(directory, erased.entries)) unreached.push("search.db: it could not be cleaned; delete it");
  if (erased.shared)
    unreached.push("copies of content that is sealed with a key of more than this: of a person, a run");
  for (const kind of erased.kept) unreached.push(`a row of \`${kind}\` that still holds for a call`);
  return unreached;
}

/** What an upgrade has kept of the store as it was. */
function copiesIn(directory: string): readonly string[] {
  return readdirSync(directory).filter((name) => /^log\.db\.v\d+$/.test(name));
}

/** Pages of the past stand in the WAL until it is cut. */
function truncatesWal(path: string): boolean {
  const db = connect(path, { busyMs: BUSY_MS });
  try {
    return integer(db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.busy, "busy") === 0;
  } finally {
    db.close();
  }
}

function forgets(directory: string, entries: readonly number[]): boolean {
  return indexing(directory, (indexer) => indexer.forget(entries));
}

/**
 * After entries were archived: nothing of them is left in the files beside the log. What could not be reached, in words; it
 * goes when the store is opened or archived again.
 */
export function forgetArchivedIn(directory: string): readonly string[] {
  const unreached: string[] = [];
  if (!truncatesWal(join(directory, "log.db"))) unreached.push("log.db-wal: another process reads the store");
  if (!indexing(directory, (indexer) => indexer.forgetArchived())) unreached.push("search.db: it could not be written");
  return unreached;
}

function indexing(directory: string, work: (indexer: Indexer) => void): boolean {
  const index = searchPath(directory);
  if (!existsSync(index)) return true;
  try {
    const indexer = createIndexer({ log: join(directory, "log.db"), index, hash: nodeHash, busyMs: BUSY_MS });
    try {
      work(indexer);
    } finally {
      indexer.close();
    }
    return true;
  } catch {
    return false;
  }
}
