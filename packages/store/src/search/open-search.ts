/** Search for a command: brings the index up to the log's end, then asks it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type Opener, openedEntry, SafeRunError } from "@saferun/core";
import { nodeHash } from "../node/ports.ts";
import { storeFailure } from "../sqlite/failure.ts";
import { createIndexer, type IndexerOptions, type IndexPosition, readPosition } from "./indexer.ts";
import { isDamaged, removeIndex, searchPath } from "./schema.ts";
import { createSearcher, type SearchAnswer, type Searcher, type SearchRequest } from "./searcher.ts";

export interface Search {
  /** Entries that the index was behind the log when it was opened. */
  readonly behind: number;
  /** @throws SafeRunError `query.invalid`, and the store's own codes. */
  search(request: SearchRequest): SearchAnswer;
  /** Reads what the log has got since. */
  catchUp(): Promise<IndexPosition>;
  close(): void;
}

export interface OpenSearchOptions {
  readonly directory: string;
  readonly busyMs?: number;
  /** Opens what is sealed in what was found; it finds nothing there. Absent: it stays sealed. */
  readonly opener?: Opener;
  /** Told after each batch while the index is behind. */
  readonly onProgress?: (position: IndexPosition) => void;
}

const BATCH = 4_096;

/**
 * Opens the search over a store that exists, complete up to the entry that was last when it was called. Where the store
 * cannot be written, the index is made in a temporary place and removed at the end.
 * @throws SafeRunError the store's own codes.
 */
export async function openSearch(options: OpenSearchOptions): Promise<Search> {
  const own = searchPath(options.directory);
  try {
    return await openAt(own, options, () => {});
  } catch (error) {
    if (!isReadOnly(error)) throw storeFailure(error);
  }
  const directory = mkdtempSync(join(tmpdir(), "saferun-search-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    return await openAt(searchPath(directory), options, remove);
  } catch (error) {
    remove();
    throw storeFailure(error);
  }
}

async function openAt(
  index: string,
  { directory, busyMs = 5_000, opener, onProgress }: OpenSearchOptions,
  remove: () => void,
) {
  const paths = { log: join(directory, "log.db"), index, hash: nodeHash, busyMs };

  async function catchUp(): Promise<IndexPosition> {
    const indexer = createIndexer(paths);
    try {
      let position = indexer.advance(BATCH);
      const wanted = position.size;
      while (position.indexed < wanted) {
        onProgress?.(position);
        await setImmediate();
        position = indexer.advance(BATCH);
      }
      return position;
    } finally {
      indexer.close();
    }
  }

  async function mended(): Promise<IndexPosition> {
    try {
      return await catchUp();
    } catch (error) {
      if (!isDamaged(error)) throw error;
      removeIndex(index);
      return catchUp();
    }
  }

  const behind = lagOf(paths);
  await mended();
  let searcher: Searcher = createSearcher(paths);
  return {
    behind,
    search(request: SearchRequest): SearchAnswer {
      try {
        const answer = searcher.search(request);
        if (opener === undefined) return answer;
        const items = answer.items.map((item) => ({
          ...item,
          entries: item.entries.map((entry) => openedEntry(entry, opener)),
        }));
        return { ...answer, items };
      } catch (error) {
        if (isDamaged(error)) removeIndex(index);
        throw storeFailure(error);
      }
    },
    async catchUp() {
      const position = await mended();
      searcher.close();
      searcher = createSearcher(paths);
      return position;
    },
    close() {
      searcher.close();
      remove();
    },
  };
}

/** Of an index that is missing or damaged: all of the log. */
function lagOf(paths: IndexerOptions): number {
  try {
    const { indexed, size } = readPosition(paths);
    return size - indexed;
  } catch {
    // What is wrong with it is found and mended, or said, where it is brought up to the log's end.
    return readPosition({ ...paths, index: `${paths.index}-none` }).size;
  }
}

const SQLITE_READONLY = 8;
const SQLITE_CANTOPEN = 14;

function isReadOnly(error: unknown): boolean {
  if (error instanceof SafeRunError || !(error instanceof Error)) return false;
  if ("errcode" in error && typeof error.errcode === "number") {
    return [SQLITE_READONLY, SQLITE_CANTOPEN].includes(error.errcode & 0xff);
  }
  return "code" in error && ["EACCES", "EROFS", "EPERM", "EISDIR"].includes(String(error.code));
}
