/** Reading the log page by page; a cursor goes on where an answer ended, however the log has grown since. */
import { api, ask } from "../../api/client.ts";

export type LogAnswer = Awaited<ReturnType<typeof searchLog>>;
export type LogItem = LogAnswer["items"][number];
export type Entry = Awaited<ReturnType<typeof readEntries>>["entries"][number];

const PAGE = 50;

/** A search that nobody waits for any more is given up. */
export function searchLog(q: string, cursor: string | undefined, signal: AbortSignal) {
  const query = { q, limit: String(PAGE), ...(cursor === undefined ? {} : { cursor }) };
  return ask(api.log.$get({ query }, { init: { signal } }));
}

export function readEntries(seq: number) {
  return ask(api.log[":seq"].$get({ param: { seq: String(seq) } }));
}
