/** Whether recorded calls were decided on a runtime whose tables say something else than the ones here. */

import {
  type Json,
  otherTables,
  type PolicyModel,
  parseHeaderText,
  parseStamp,
  type RuntimeStamp,
  type RuntimeTable,
  runtimeTables,
} from "@saferun/core";
import { unwrappedJson } from "@saferun/server/wire";
import { nodeStamp, type ReadOnlyStore } from "@saferun/store";
import { printable } from "../output/printable.ts";

/** Entries that are judged again: those since a moment, ms, or one of them. */
export type Judged = { readonly since: number } | { readonly seq: number };

/**
 * In words, one for each table that these policies read and that was another then; none where the log names no runtime.
 * The log is asked only where the policies read any.
 */
export async function otherRuntime(
  store: ReadOnlyStore,
  model: PolicyModel,
  judged: Judged,
): Promise<readonly string[]> {
  const read = runtimeTables(model);
  if (read.length === 0) return [];
  const told = new Map<RuntimeTable, string>();
  for (const stamp of await stampsOf(store, judged)) {
    for (const table of otherTables(stamp, nodeStamp)) {
      if (read.includes(table) && !told.has(table)) told.set(table, words(table, stamp));
    }
  }
  return [...told.values()];
}

async function stampsOf(store: ReadOnlyStore, judged: Judged): Promise<readonly RuntimeStamp[]> {
  const all = (await store.activations()).map(({ seq, header, runtime }) => ({
    seq,
    time: parseHeaderText(header).time,
    stamp: runtime === null ? undefined : parseStamp(unwrappedJson(JSON.parse(runtime) as Json)),
  }));
  const before = ({ seq, time }: { readonly seq: number; readonly time: number }) =>
    "seq" in judged ? seq < judged.seq : time < judged.since;
  const last = all.findLastIndex(before);
  // What was in force at its beginning counts as well.
  const counted = "seq" in judged ? all.filter((_, index) => index === last) : all.slice(Math.max(0, last));
  return counted.flatMap(({ stamp }) => stamp ?? []);
}

function words(table: RuntimeTable, stamp: RuntimeStamp): string {
  const what = table === "calendar" ? "time zones" : "characters and host names";
  const version = ({ calendar, icu, unicode }: RuntimeStamp) =>
    printable(table === "calendar" ? `calendar ${calendar}` : `Unicode ${unicode}, ICU ${icu}`);
  return `these policies read ${what}, and calls were decided on a runtime with ${version(stamp)}; here it is ${version(nodeStamp)}, so that some may come out otherwise`;
}
