/**
 * The search index of a store, kept up beside the gate: nothing waits for it, nothing fails by it, and it keeps no process
 * alive. What it has not read yet is read by the next one, or by `saferun log search`.
 */
import { type SearchIndex, startSearchIndex } from "@saferun/store";

/** A process that ends sooner leaves the index to others; a longer one has made its first calls by then. */
const START_AFTER_MS = 500;

export interface Indexing {
  close(): Promise<void>;
}

export function indexStore(directory: string, warn: (message: string) => void): Indexing {
  let index: SearchIndex | undefined;
  const failed = (message: string): void =>
    warn(`the search index of \`${directory}\` is not kept up (${message}); calls and the record go on without it`);
  const timer = setTimeout(() => {
    try {
      index = startSearchIndex({ directory, onError: failed });
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
  }, START_AFTER_MS).unref();
  return {
    async close() {
      clearTimeout(timer);
      await index?.close();
    },
  };
}
