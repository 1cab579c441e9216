/** An erasure in a directory: the log, the index derived from it, the files of both; and what it could not reach. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { archiveBase, type Erased, type ErasureRequest, erase } from "@saferun/core";
import { nodeHash, nodeRandom } from "./node/ports.ts";
import { createIndexer, type Indexer } from "./search/indexer.ts";
import { searchPath } from "./search/schema.ts";
import { connect, integer } from "./sqlite/schema.ts";
import type { SqliteStore } from "./sqlite/sqlite-store.ts";

export interface StoreErasure extends Erased {
  /** Files and processes of this store that may still hold what was erased, in words. */
  readonly unreached: readonly string[];
}

const BUSY_MS = 5_000;

/** Durable when it resolves. @throws SafeRunError as `erase` does. */
export async function eraseFromStore(store: SqliteStore, request: ErasureRequest): Promise<StoreErasure> {
  const erased = await erase(store, request, nodeRandom);
  const { directory } = store;
  const unreached = [...copiesIn(directory)];
  const { size: archivedTo } = await archiveBase(store);
  if (archivedTo > 0) unreached.push(`entries before ${archivedTo}, which are archived, and runs that began there`);
  if (!truncatesWal(join(directory, "log.db"))) unreached.push("log.db-wal: another process reads the store; end it");
  if (!forgets(directory, erased.entries)) unreached.push("search.db: it could not be cleaned; delete it");
  for (const kind of erased.kept) unreached.push(`a row of \`${kind}\` that still holds for a call`);
  return { ...erased, unreached };
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
