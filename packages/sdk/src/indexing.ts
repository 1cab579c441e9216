/**
 * The search index of a store, kept up beside the gate: nothing waits for it, nothing fails by it, and it keeps no process
 * alive. What it has not read yet is read by the next one, or by `saferun log search`.
 */
import type { Policies } from "@saferun/core";
import { type SearchIndex, startSearchIndex } from "@saferun/store";

/** A process that ends sooner leaves the index to others; a longer one has made its first calls by then. */
const START_AFTER_MS = 500;

/** Between two looks at what the policies in force declare. */
const LOOK_EVERY_MS = 2_000;

export interface Indexing {
  /** Whose argument paths (`index:`) it answers for, as they come and go; what was declared once stays. */
  follow(policies: Pick<Policies, "current">): void;
  close(): Promise<void>;
}

export function indexStore(directory: string, warn: (message: string) => void): Indexing {
  let index: SearchIndex | undefined;
  const followed = new Set<Pick<Policies, "current">>();
  let declared = "";
  const failed = (message: string): void =>
    warn(`the search index of \`${directory}\` is not kept up (${message}); calls and the record go on without it`);
  const timer = setTimeout(() => {
    try {
      index = startSearchIndex({ directory, onError: failed });
      declare();
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
  }, START_AFTER_MS).unref();
  const looking = setInterval(declare, LOOK_EVERY_MS).unref();

  function declare(): void {
    const paths = [...new Set([...followed].flatMap((policies) => policies.current().indexed))].sort();
    const text = JSON.stringify(paths);
    if (index === undefined || text === declared || paths.length === 0) return;
    declared = text;
    index.declare({ index: paths }).catch(() => {
      // Said by `onError` where it matters; the next look declares them again.
      declared = "";
    });
  }

  return {
    follow: (policies) => void followed.add(policies),
    async close() {
      clearTimeout(timer);
      clearInterval(looking);
      await index?.close();
    },
  };
}
