/** The log as it grows: one stream for the page, taken up again where it broke off. */
import type { QueryClient } from "@tanstack/react-query";
import { createParser } from "eventsource-parser";
import { gateFetch } from "./client.ts";
import { RequestProblem } from "./problem.ts";

export type LiveState = "connecting" | "live" | "lost";

export interface LiveEntry {
  readonly seq: number;
  readonly type: string;
  readonly run: string | null;
  readonly approval: string | null;
}

interface LogEvent {
  /** More than it names: everything is read again. */
  readonly more: boolean;
  readonly entries: readonly LiveEntry[];
}

const EVERYTHING: LogEvent = { more: true, entries: [] };
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8_000;

/** Until `signal` aborts. Whatever an event speaks of is read again: the stream says that something changed, not what is. */
export async function followLog(
  queries: QueryClient,
  signal: AbortSignal,
  onState: (state: LiveState) => void,
): Promise<void> {
  let lastId = "";
  // What failed while nothing was heard is read again, whether or not anything has happened since.
  let away = false;
  let waitMs = FIRST_RETRY_MS;
  const refresh = refresher(queries);
  const parser = createParser({
    onEvent({ id, data }) {
      lastId = id ?? lastId;
      waitMs = FIRST_RETRY_MS;
      onState("live");
      refresh(away ? EVERYTHING : (JSON.parse(data) as LogEvent));
      away = false;
    },
  });
  // Where the network comes or goes, the gate is asked at once whether it is still heard: on the same machine it is.
  let attempt = new AbortController();
  for (const change of ["online", "offline"]) addEventListener(change, () => attempt.abort(), { signal });
  while (!signal.aborted) {
    attempt = new AbortController();
    const either = AbortSignal.any([signal, attempt.signal]);
    if (lastId === "") onState("connecting");
    try {
      const headers = lastId === "" ? {} : { "last-event-id": lastId };
      const { body } = await gateFetch("/v1/events", { headers, signal: either });
      if (body !== null) {
        parser.reset();
        for await (const text of body.pipeThrough(new TextDecoderStream())) parser.feed(text);
      }
    } catch (error) {
      if (signal.aborted) return;
      // Without the session no stream will ever open: the pages say what to do.
      if (error instanceof RequestProblem && error.status === 401) return onState("lost");
    }
    away = true;
    if (attempt.signal.aborted) continue;
    onState("lost");
    await sleep(waitMs, either);
    waitMs = Math.min(waitMs * 2, LAST_RETRY_MS);
  }
}

/** Whatever becomes stale while queries are read again waits for them: a busy log must not keep an answer from arriving. */
function refresher(queries: QueryClient): (event: LogEvent) => void {
  const waiting: LogEvent[] = [];
  let reading = false;
  const readAgain = async () => {
    reading = true;
    for (let events = waiting.splice(0); events.length > 0; events = waiting.splice(0)) {
      const stale = staleBy(events);
      await queries.invalidateQueries({ predicate: ({ queryKey }) => stale(queryKey) });
    }
    reading = false;
  };
  return (event) => {
    waiting.push(event);
    if (!reading) void readAgain();
  };
}

/** Which queries events make stale, by the first word of their keys. */
function staleBy(events: readonly LogEvent[]): (key: readonly unknown[]) => boolean {
  if (events.some(({ more }) => more)) return () => true;
  const entries = events.flatMap((event) => event.entries);
  if (entries.length === 0) return () => false;
  const stale = new Set<unknown>(["health", "runs", "agents", "log"]);
  for (const { type, approval } of entries) {
    if (approval !== null) stale.add("approvals");
    if (/^(stop|breaker|budget|operator)\.|^call\.(finished|reconciled|lost|executing)$/.test(type))
      stale.add("protections");
    // Whether a run is stopped stands on its page, and no entry of it says so.
    if (/^(stop|breaker)\./.test(type)) stale.add("run");
    if (type.startsWith("policy.")) stale.add("policies");
  }
  const runs = new Set<unknown>(entries.map(({ run }) => run));
  return ([word, id]) => stale.has(word) || (word === "run" && runs.has(id));
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
