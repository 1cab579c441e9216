/**
 * The index's thread: follows the log behind its writer. It never holds up a commit; what it has not read yet is its lag.
 * Of the threads of one store, in whatever process, one indexes; the others wait for its lease.
 */
import { statSync } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { invariant, SafeRunError } from "@saferun/core";
import { nodeHash } from "../node/ports.ts";
import { createDrain } from "../sqlite/drain.ts";
import { isBusy, storeFailure } from "../sqlite/failure.ts";
import { createIndexer, type Indexer, type IndexerOptions, type IndexPosition, readPosition } from "./indexer.ts";
import { type Lease, takeLease } from "./lease.ts";
import { isDamaged, removeIndex, type SearchDeclarations } from "./schema.ts";

export type IndexThreadData = Omit<IndexerOptions, "hash"> & {
  /** Path of the lease's file. */
  readonly lease: string;
};

export type ToIndexThread =
  | { readonly kind: "position" | "close"; readonly id: number }
  | { readonly kind: "declare"; readonly id: number; readonly declarations: SearchDeclarations }
  | { readonly kind: "forget"; readonly id: number; readonly entries: readonly number[] }
  | { readonly kind: "forget-archived"; readonly id: number };

export type FromIndexThread =
  | {
      readonly kind: "answer";
      readonly id: number;
      readonly position: IndexPosition | null;
      readonly error: string | null;
    }
  /** It goes on trying; said once until it has succeeded again. */
  | { readonly kind: "failed"; readonly message: string };

/** Entries in one transaction. */
const BATCH = 2_048;
/** Entries that were indexed between two drains of the log's WAL: some hundred pages. */
const DRAIN_AFTER = 256;
/** Between two looks at a log that does not grow, or at another's lease. */
const IDLE_MS = 100;
/** While it grows: what one transaction costs is shared by all that came meanwhile, and everything is found well within a second. */
const GATHER_MS = 250;
/** After an error: the disk may have room again. Doubles with each that follows, up to the longest. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

const port = parentPort;
invariant(port !== null, "the index runs in a thread of its own");
const { lease: leasePath, ...given } = workerData as IndexThreadData;
let options: IndexerOptions = { ...given, hash: nodeHash };
const asked: ToIndexThread[] = [];
port.on("message", (message: ToIndexThread) => {
  asked.push(message);
  wake();
});

const drain = createDrain(options.log, options.busyMs);
let undrained = 0;
let lease: Lease | undefined;
let indexer: { readonly work: Indexer; readonly file: number } | undefined;
let position: IndexPosition = { indexed: 0, size: 0 };
/** Whoever indexes must know of the paths that are declared here. */
let declared = options.declarations === undefined;
/** Errors in a row. */
let failures = 0;
let wake = (): void => {};
/** When the next step is due, ms of a clock that nobody sets. */
let nextAt = 0;

await follow();

async function follow(): Promise<void> {
  for (;;) {
    // Whoever asks is answered at once, and makes no batches smaller by asking often.
    if (performance.now() >= nextAt) nextAt = performance.now() + step();
    if (answerAll()) return;
    const left = nextAt - performance.now();
    if (left <= 0) await setImmediate();
    else await idle(left);
  }
}

/** Indexes some, where it is this thread's to do; ms until there may be more. */
function step(): number {
  try {
    if (!declared) position = opened().advance(0);
    declared = true;
    lease ??= takeLease(leasePath);
    if (lease === undefined) return IDLE_MS;
    const before = position.indexed;
    position = opened().advance(BATCH);
    failures = 0;
    undrained += position.indexed - before;
    if (undrained >= DRAIN_AFTER) {
      drain.run();
      undrained = 0;
    }
    if (position.indexed < position.size) return 0;
    return position.indexed === before ? IDLE_MS : GATHER_MS;
  } catch (error) {
    if (isBusy(error)) return reopenAfter(IDLE_MS);
    fail(error);
    return Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** (failures - 1));
  }
}

/** Somebody may have removed the file and made it anew: what is written into the old one is lost. */
function opened(): Indexer {
  if (indexer !== undefined && statSync(options.index, { throwIfNoEntry: false })?.ino !== indexer.file) closeIndexer();
  if (indexer === undefined) {
    const work = createIndexer(options);
    indexer = { work, file: statSync(options.index).ino };
  }
  return indexer.work;
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
    const error = answer(message);
    port?.postMessage({ kind: "answer", id: message.id, position, error } satisfies FromIndexThread);
    if (message.kind !== "close") continue;
    port?.close();
    return true;
  }
  return false;
}

/** What went wrong, in words; null where nothing did. */
function answer(message: ToIndexThread): string | null {
  try {
    switch (message.kind) {
      case "forget":
        opened().forget(message.entries);
        return null;
      case "forget-archived":
        opened().forgetArchived();
        return null;
      case "declare":
        options = { ...options, declarations: message.declarations };
        declared = false;
        nextAt = 0;
        closeIndexer();
        return null;
      case "position":
        position = lease === undefined ? readPosition(options) : opened().advance(0);
        return null;
      case "close":
        closeIndexer();
        drain.close();
        lease?.release();
        return null;
    }
  } catch (error) {
    if (!isBusy(error)) fail(error);
    return storeFailure(error).message;
  }
}

/** After an error the connection is never used again; a damaged file is made anew, once: a second time it is not the file. */
function fail(error: unknown): void {
  closeIndexer();
  failures++;
  if (failures === 1) {
    if (isDamaged(error)) removeIndex(options.index);
    port?.postMessage({ kind: "failed", message: failureText(error) } satisfies FromIndexThread);
  }
}

/** Without what a store's failure means: calls go on. */
function failureText(error: unknown): string {
  const failure = storeFailure(error);
  if (!(failure instanceof SafeRunError)) return failure.message;
  if (failure.code === "record.full") return "its disk is full";
  return failure.code === "record.corrupt" ? "it is damaged, and is made again from the log" : failure.message;
}

function reopenAfter(ms: number): number {
  closeIndexer();
  return ms;
}

function closeIndexer(): void {
  const open = indexer?.work;
  indexer = undefined;
  try {
    open?.close();
  } catch {
    // What counts is the error before it.
  }
}
