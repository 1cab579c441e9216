/**
 * The index's thread: follows the log behind its writer. It never holds up a commit; what it has not read yet is its lag.
 */
import { setImmediate, setTimeout } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "@saferun/core";
import { nodeHash } from "../node/ports.ts";
import { storeFailure } from "../sqlite/failure.ts";
import { createIndexer, type Indexer, type IndexerOptions, type IndexPosition } from "./indexer.ts";
import { isDamaged, removeIndex } from "./schema.ts";

export type IndexThreadData = Omit<IndexerOptions, "hash">;

export type ToIndexThread =
  | { readonly kind: "position" | "close"; readonly id: number }
  | { readonly kind: "forget"; readonly id: number; readonly entries: readonly number[] };

export type FromIndexThread =
  | {
      readonly kind: "answer";
      readonly id: number;
      readonly position: IndexPosition | null;
      readonly error: string | null;
    }
  /** It goes on trying. */
  | { readonly kind: "failed"; readonly message: string };

/** Entries in one transaction. */
const BATCH = 2_048;
/** Between two looks at a log that does not grow. */
const IDLE_MS = 100;
/** After an error: the disk may have room again, or another process let go of its lock. */
const RETRY_MS = 1_000;

const port = parentPort;
invariant(port !== null, "the index runs in a thread of its own");
const options = workerData as IndexThreadData;
const asked: ToIndexThread[] = [];
port.on("message", (message: ToIndexThread) => {
  asked.push(message);
  wake();
});

let indexer: Indexer | undefined;
let position: IndexPosition = { indexed: 0, size: 0 };
let wake = (): void => {};

await follow();

async function follow(): Promise<void> {
  for (;;) {
    let pause = IDLE_MS;
    try {
      indexer ??= createIndexer({ ...options, hash: nodeHash });
      position = indexer.advance(BATCH);
      if (position.indexed < position.size) pause = 0;
    } catch (error) {
      giveUp(error);
      pause = RETRY_MS;
    }
    if (answerAll()) return;
    if (pause === 0) await setImmediate();
    else await idle(pause);
  }
}

/** Until the time is up or something is asked. */
async function idle(ms: number): Promise<void> {
  const controller = new AbortController();
  wake = () => controller.abort();
  if (asked.length === 0) await setTimeout(ms, undefined, { signal: controller.signal }).catch(() => {});
  wake = () => {};
}

/** True when the thread is to end. */
function answerAll(): boolean {
  for (const message of asked.splice(0)) {
    let error: string | null = null;
    try {
      if (message.kind === "forget") {
        indexer ??= createIndexer({ ...options, hash: nodeHash });
        indexer.forget(message.entries);
      }
    } catch (cause) {
      error = storeFailure(cause).message;
      giveUp(cause);
    }
    if (message.kind === "close") {
      indexer?.close();
      port?.postMessage({ kind: "answer", id: message.id, position, error } satisfies FromIndexThread);
      port?.close();
      return true;
    }
    port?.postMessage({ kind: "answer", id: message.id, position, error } satisfies FromIndexThread);
  }
  return false;
}

/** After an error the connection is never used again; a damaged file is made anew. */
function giveUp(error: unknown): void {
  try {
    indexer?.close();
  } catch {
    // What counts is the first error.
  }
  indexer = undefined;
  if (isDamaged(error)) removeIndex(options.index);
  port?.postMessage({ kind: "failed", message: storeFailure(error).message } satisfies FromIndexThread);
}
