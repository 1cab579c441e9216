/** The log for the page to download, in the same lines as `saferun log export`. */
import { archiveBase, parseQuery, type Store } from "@saferun/core";
import type { ExportDesk } from "@saferun/server";
import { nodeClock, type Search } from "@saferun/store";
import { claimedKey } from "../../log/claimed-key.ts";
import { type ExportPlan, NEW } from "../../log/export-file.ts";
import { exportText } from "../../log/export-text.ts";
import { everyPage } from "../../log/search.ts";

/** `index`: at the log's end. */
export function exportDesk(store: Store, index: () => Promise<Search>): ExportDesk {
  async function found(query: string, now: number): Promise<number[]> {
    const numbers: number[] = [];
    for (const { items } of everyPage(await index(), query, now)) {
      for (const { entries } of items) for (const { seq } of entries) numbers.push(seq);
      // Others are answered between two pages.
      await nodeClock.sleep(0);
    }
    return numbers;
  }
  return {
    async begin(format, query) {
      // Before the first byte is sent: a mistake in it is still an answer of its own.
      if (query !== null) parseQuery(query, nodeClock.now());
      const { size, root } = await store.head();
      const key = (await claimedKey(store)) ?? null;
      const base = await archiveBase(store);
      const plan: ExportPlan = {
        format,
        now: nodeClock.now(),
        head: { log: store.logId, size, root, query, key, base },
      };
      return { entries: size, chunks: texts(plan) };
    },
  };

  async function* texts(plan: ExportPlan): AsyncGenerator<string> {
    // An archive proves the entries that are in it; the export begins behind them.
    for await (const { text } of exportText(store, plan, NEW, (query) => found(query, plan.now))) yield text;
  }
}
