/** The list of runs, page by page below a run that stays where it is: what is newer moves none of them. */
import { api, ask } from "../../api/client.ts";
import type { RunFilter } from "./filter.ts";

export const PAGE = 50;

export type RunAnswer = Awaited<ReturnType<typeof readRuns>>;

/** `from` undefined: from the newest on. */
export function readRuns(filter: RunFilter, from: string | undefined, page: number, signal?: AbortSignal) {
  const place = { skip: String(page * PAGE), limit: String(PAGE), ...(from === undefined ? {} : { from }) };
  return ask(api.runs.$get({ query: { ...filter, ...place } }, signal === undefined ? {} : { init: { signal } }));
}
