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

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8_000;

/** Until `signal` aborts. Whatever an event speaks of is read again: the stream says that something changed, not what is. */
export async function followLog(
  queries: QueryClient,
  signal: AbortSignal,
  onState: (state: LiveState) => void,
): Promise<void> {
  let lastId = "";
  let waitMs = FIRST_RETRY_MS;
  const parser = createParser({
    onEvent({ id, data }) {
      lastId = id ?? lastId;
      waitMs = FIRST_RETRY_MS;
      onState("live");
      refresh(queries, JSON.parse(data) as { more: boolean; entries: readonly LiveEntry[] });
    },
  });
  while (!signal.aborted) {
    onState(lastId === "" ? "connecting" : "lost");
    try {
      const headers = lastId === "" ? {} : { "last-event-id": lastId };
      const { body } = await gateFetch("/v1/events", { headers, signal });
      if (body !== null) {
        parser.reset();
        for await (const text of body.pipeThrough(new TextDecoderStream())) parser.feed(text);
      }
    } catch (error) {
      if (signal.aborted) return;
      onState("lost");
      // Without the session no stream will ever open: the pages say what to do.
      if (error instanceof RequestProblem && error.status === 401) return;
    }
    await sleep(waitMs, signal);
    waitMs = Math.min(waitMs * 2, LAST_RETRY_MS);
  }
}

/** Which queries an event makes stale, by the first word of their keys. */
function refresh(queries: QueryClient, { more, entries }: { more: boolean; entries: readonly LiveEntry[] }): void {
  if (more) return void queries.invalidateQueries();
  if (entries.length === 0) return;
  const stale = new Set<string>(["health", "runs", "agents", "log"]);
  for (const { type, approval } of entries) {
    if (approval !== null) stale.add("approvals");
    if (/^(stop|breaker|budget|operator)\.|^call\.(finished|reconciled|lost|executing)$/.test(type))
      stale.add("protections");
    if (type.startsWith("policy.")) stale.add("policies");
  }
  const runs = new Set(entries.map(({ run }) => run));
  void queries.invalidateQueries({
    predicate: ({ queryKey: [word, id] }) =>
      typeof word === "string" && (word === "run" ? runs.has(typeof id === "string" ? id : null) : stale.has(word)),
  });
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
