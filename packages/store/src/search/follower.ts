/** The caller's side of the index's thread. */
import { Worker } from "node:worker_threads";
import { SafeRunError } from "@saferun/core";
import type { IndexPosition } from "./indexer.ts";
import { leasePath, type SearchDeclarations, searchPath } from "./schema.ts";
import type { FromIndexThread, IndexThreadData, ToIndexThread } from "./thread.ts";

export interface SearchIndexOptions {
  /** Of the store, which must exist. */
  readonly directory: string;
  readonly declarations?: SearchDeclarations;
  /** Told when indexing fails, once until it works again; it is tried again. Default: nobody. */
  readonly onError?: (message: string) => void;
  /** How long another's lock on the index is waited for before it is tried again. Default 250 ms. */
  readonly busyMs?: number;
}

export interface SearchIndex {
  /** How far it is: `size - indexed` entries are not found yet. */
  position(): Promise<IndexPosition>;
  /** What the policies say now; paths that were declared before stay. */
  declare(declarations: SearchDeclarations): Promise<void>;
  /**
   * After an erasure in the log: makes the rows of these entries again from what the log still holds, so that no trace
   * of the rest is left in the file. Resolves when it is done.
   * @throws SafeRunError `record.unavailable` when it could not: ask again.
   */
  forget(entries: readonly number[]): Promise<void>;
  /** The same after entries were archived. */
  forgetArchived(): Promise<void>;
  /** Ends the thread; what is not indexed yet is read by the next one. */
  close(): Promise<void>;
}

/** Sources run by type stripping and find their packages by the `@saferun/source` condition; built files need neither. */
const FROM_SOURCE = import.meta.url.endsWith(".ts");

/** Starts the thread that follows the log. An idle one does not keep the process alive. */
export function startSearchIndex(options: SearchIndexOptions): SearchIndex {
  const { directory, declarations, busyMs = 250 } = options;
  const script = new URL(FROM_SOURCE ? "./thread.ts" : "./thread.js", import.meta.url);
  const execArgv = ["--disable-warning=ExperimentalWarning", ...(FROM_SOURCE ? ["--conditions=@saferun/source"] : [])];
  const workerData: IndexThreadData = {
    log: `${directory}/log.db`,
    index: searchPath(directory),
    lease: leasePath(directory),
    busyMs,
    ...(declarations === undefined ? {} : { declarations }),
  };
  const worker = new Worker(script, { workerData, execArgv, name: "saferun-search" });
  const waiters = new Map<number, { resolve(position: IndexPosition): void; reject(error: Error): void }>();
  let lastId = 0;
  let ended = false;
  let closing = false;
  worker.on("message", (message: FromIndexThread) => {
    if (message.kind === "failed") return options.onError?.(message.message);
    const waiter = waiters.get(message.id);
    waiters.delete(message.id);
    if (waiters.size === 0 && !closing) worker.unref();
    if (message.error !== null) waiter?.reject(unavailable(message.error));
    else waiter?.resolve(message.position ?? { indexed: 0, size: 0 });
  });
  worker.on("error", (error) => options.onError?.(error instanceof Error ? error.message : String(error)));
  worker.on("exit", () => {
    ended = true;
    for (const waiter of waiters.values()) waiter.reject(unavailable("the search index has ended"));
    waiters.clear();
  });

  // After the listeners: each of them would keep the process alive again.
  worker.unref();

  function ask(
    message:
      | { kind: "position" | "close" | "forget-archived" }
      | { kind: "declare"; declarations: SearchDeclarations }
      | { kind: "forget"; entries: readonly number[] },
  ): Promise<IndexPosition> {
    return new Promise((resolve, reject) => {
      if (ended) return reject(unavailable("the search index has ended"));
      const id = ++lastId;
      waiters.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ ...message, id } satisfies ToIndexThread);
    });
  }

  return {
    position: () => ask({ kind: "position" }),
    declare: async (next) => void (await ask({ kind: "declare", declarations: next })),
    forget: async (entries) => void (await ask({ kind: "forget", entries })),
    forgetArchived: async () => void (await ask({ kind: "forget-archived" })),
    async close() {
      if (ended) return;
      closing = true;
      const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
      await ask({ kind: "close" }).catch(() => {});
      await exited;
    },
  };
}

function unavailable(message: string): SafeRunError {
  return new SafeRunError("record.unavailable", message);
}
