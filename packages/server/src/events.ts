/**
 * The log as a stream of events. An event's id is the log's size after it, so that a reader that comes back with
 * `Last-Event-ID` misses nothing, and a reader that was away too long is told to read again.
 */
import { type LogStore, readableHeader, type StateStore, type StoredEntry } from "@saferun/core";
import type { z } from "zod";
import type { LogEvent } from "./schemas/agents.ts";

type Event = z.infer<typeof LogEvent>;

/** Entries that one event names. */
const MOST_ENTRIES = 500;
const LOOK_EVERY_MS = 100;
/** So that a proxy or a sleeping laptop finds out that nobody is there. */
const COMMENT_EVERY_MS = 15_000;

export interface EventStreamOptions {
  readonly store: LogStore & Pick<StateStore, "changeToken">;
  /** The size that the reader has seen; undefined: from now on. */
  readonly after: number | undefined;
  readonly signal: AbortSignal;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Until the reader goes. What fails ends the stream: the reader comes back with what it has seen. */
export async function* logEvents({ store, after, signal, sleep }: EventStreamOptions): AsyncGenerator<string> {
  let seen = after ?? (await store.head()).size;
  yield frame(await eventAfter(store, seen, seen));
  let token = "";
  let quietMs = 0;
  while (!signal.aborted) {
    const now = await store.changeToken();
    if (now === token) {
      await sleep(LOOK_EVERY_MS, signal);
      quietMs += LOOK_EVERY_MS;
      if (quietMs < COMMENT_EVERY_MS) continue;
      quietMs = 0;
      yield ": still here\n\n";
      continue;
    }
    token = now;
    const { size } = await store.head();
    if (size === seen) continue;
    quietMs = 0;
    yield frame(await eventAfter(store, seen, size));
    seen = size;
  }
}

async function eventAfter(store: LogStore, seen: number, size: number): Promise<Event> {
  // A smaller log than the reader saw is another log, or one that was put back: everything is read again.
  if (size < seen || size - seen > MOST_ENTRIES) return { size, more: true, entries: [] };
  const entries = size === seen ? [] : await store.entries({ from: seen, limit: size - seen });
  return { size, more: false, entries: entries.map(told) };
}

function told(entry: StoredEntry): Event["entries"][number] {
  const header = readableHeader(entry);
  return {
    seq: entry.seq,
    type: header?.type ?? "(damaged)",
    run: header?.run?.id ?? null,
    call: header?.call ?? null,
    approval: header?.approval ?? null,
    tool: header?.tool ?? null,
    verdict: header?.verdict ?? null,
    outcome: header?.outcome ?? null,
  };
}

function frame(event: Event): string {
  return `id: ${event.size}\nevent: log\ndata: ${JSON.stringify(event)}\n\n`;
}
