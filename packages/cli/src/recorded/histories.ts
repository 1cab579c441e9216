/** Histories of recorded runs as they were when a call was decided. */
import { type CallEntry, type PastCalls, parseHeaderText, RunBook, type Store, treeOf } from "@saferun/core";

const PAGE = 1_000;

/** Run of a sub-agent → the root whose calls its own are counted with. */
export async function rootsOf(store: Pick<Store, "rows">): Promise<ReadonlyMap<string, string>> {
  const roots = new Map<string, string>();
  for (let after = ""; ; ) {
    const rows = await store.rows({ kind: "tree", after, limit: PAGE });
    for (const { id, value } of rows) for (const run of treeOf(value)) roots.set(run, id);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return roots;
    after = last.id;
  }
}

/** Takes entries in the order of the log. */
export class Histories {
  readonly #roots: ReadonlyMap<string, string>;
  readonly #books = new Map<string, RunBook>();

  constructor(roots: ReadonlyMap<string, string>) {
    this.#roots = roots;
  }

  see(entry: CallEntry): void {
    const run = parseHeaderText(entry.header).run?.id;
    if (run !== undefined) this.#book(run).see(entry);
  }

  before(run: string, call: string): PastCalls {
    return this.#book(run).before(call);
  }

  #book(run: string): RunBook {
    const root = this.#roots.get(run) ?? run;
    const book = this.#books.get(root) ?? new RunBook();
    this.#books.set(root, book);
    return book;
  }
}
