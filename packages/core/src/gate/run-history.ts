/** What a run has done so far, from the store, and how to make sure that it was all. */
import { treeOf } from "../breaker/protect/rows.ts";
import { LIMITS } from "../limits.ts";
import type { PastCalls } from "../past-calls.ts";
import type { Store, Unmoved } from "../ports.ts";
import { RunBook } from "./run-book.ts";

export interface ReadHistory {
  readonly history: PastCalls;
  /** A transaction with it is written only where this is still the whole history. */
  readonly unmoved: Unmoved;
}

const PAGE = 500;

/**
 * The calls of a root run and its sub-agents but `call`, other processes' among them. Positions are read before the entries:
 * what comes in between is in the history, and the transaction is refused and made anew. `until`: as it was before the
 * entry at this position.
 * @throws SafeRunError when the store cannot be read.
 */
export async function readHistory(
  store: Pick<Store, "row" | "run" | "callEntries">,
  root: string,
  call: string,
  until: number = Number.POSITIVE_INFINITY,
): Promise<ReadHistory> {
  const tree = await store.row("tree", root);
  const ids = [root, ...treeOf(tree?.value).filter((id) => id !== root)];
  const runs: { readonly id: string; readonly entries: number }[] = [];
  for (const id of ids) runs.push({ id, entries: (await store.run(id))?.entries ?? 0 });
  const unmoved = { root, tree: tree?.version ?? null, runs };
  if (ids.length > LIMITS.historyRuns) {
    return { unmoved, history: { unreadable: `more than ${LIMITS.historyRuns} runs of sub-agents` } };
  }
  const book = new RunBook();
  for (const { id } of runs) await readRun(store, id, book, until);
  return { unmoved, history: book.before(call) };
}

async function readRun(store: Pick<Store, "callEntries">, run: string, book: RunBook, until: number): Promise<void> {
  for (let from = 0; ; ) {
    const page = await store.callEntries({ run, from, limit: PAGE });
    if (!page.every((entry) => entry.seq < until && book.see(entry))) return;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    from = last.seq + 1;
  }
}
