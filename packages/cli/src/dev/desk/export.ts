/** The log for the page to download, in the same lines as `saferun log export`. */
import { parseQuery } from "@saferun/core";
import type { ExportDesk } from "@saferun/server";
import { type CheckpointedStore, nodeClock, type Search } from "@saferun/store";
import { NEW } from "../../log/export-file.ts";
import { type ExportPlan, planExport } from "../../log/export-plan.ts";
import { exportText } from "../../log/export-text.ts";
import { everyPage } from "../../log/search.ts";

/** `index`: at the log's end. */
export function exportDesk(store: CheckpointedStore, index: () => Promise<Search>): ExportDesk {
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
      const plan = await planExport(store, {
        ...{ format, query, unsealed: false, now: nodeClock.now() },
        sign: () => store.checkpoint(),
      });
      return { entries: plan.head.size, chunks: texts(plan) };
    },
  };

  async function* texts(plan: ExportPlan): AsyncGenerator<string> {
    // An archive proves the entries that are in it; the export begins behind them.
    for await (const { text } of exportText(store, plan, NEW, (query) => found(query, plan.now))) yield text;
  }
}
