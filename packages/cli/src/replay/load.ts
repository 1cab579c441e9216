/** The tree of a recorded run, with the runs that were started within it. */
import {
  type ErasureNote,
  type LogStore,
  parseHeader,
  type RunSummary,
  type RunTree,
  runTree,
  type Store,
  type StoredEntry,
  treeOf,
} from "@saferun/core";
import { runEntries } from "../runs/entries.ts";

export interface LoadedRun {
  readonly summary: RunSummary;
  readonly entries: readonly StoredEntry[];
  readonly tree: RunTree;
}

/** Runs that are looked at for having been started within another: the newest. */
const NEWEST = 10_000;
/** Deeper runs stand beside the run, not in it. */
const DEPTH = 5;

/** Who took something out of these entries, by their positions, as far as that can be found. */
export type FindErasures = (entries: readonly StoredEntry[]) => Promise<ReadonlyMap<number, ErasureNote>>;

const NOT_ASKED: FindErasures = async () => new Map();

export async function loadRun(
  store: Store,
  summary: RunSummary,
  erasures: FindErasures = NOT_ASKED,
): Promise<LoadedRun> {
  const entries = await runEntries(store, summary.id);
  const meanwhile = (await store.runs({ limit: NEWEST })).flatMap(({ id, startedAt }) =>
    startedAt >= summary.startedAt && startedAt <= summary.lastAt ? [id] : [],
  );
  const started = new Set([...meanwhile, ...(await followed(store, summary.id, entries))]);
  started.delete(summary.id);
  const inner = await startedWithin(store, started);
  return { summary, entries, tree: await wholeTree({ store, erasures }, summary.id, entries, inner, DEPTH) };
}

/** Runs that count with this one: also those that began after the last that it has said itself, while a call of it goes on. */
async function followed(store: Store, run: string, entries: readonly StoredEntry[]): Promise<readonly string[]> {
  const root = runTree(run, entries.slice(0, 1)).around.at(-1) ?? run;
  return treeOf((await store.row("tree", root))?.value);
}

/** Run → the runs that it started itself. */
async function startedWithin(store: LogStore, runs: ReadonlySet<string>): Promise<ReadonlyMap<string, string[]>> {
  const inner = new Map<string, string[]>();
  for (const id of runs) {
    const [first] = await store.entries({ from: 0, limit: 1, run: id });
    // A run of its own names nobody around it; reading its tree from one entry is enough to know.
    const outer =
      first === undefined || parseHeader(first.header).type !== "run.started" ? [] : runTree(id, [first]).around;
    const [parent] = outer;
    if (parent !== undefined) inner.set(parent, [...(inner.get(parent) ?? []), id]);
  }
  return inner;
}

async function wholeTree(
  from: { readonly store: LogStore; readonly erasures: FindErasures },
  run: string,
  entries: readonly StoredEntry[],
  inner: ReadonlyMap<string, readonly string[]>,
  depth: number,
): Promise<RunTree> {
  const nested: RunTree[] = [];
  for (const id of depth === 0 ? [] : (inner.get(run) ?? [])) {
    nested.push(await wholeTree(from, id, await runEntries(from.store, id), inner, depth - 1));
  }
  return runTree(run, entries, nested, await from.erasures(entries));
}
