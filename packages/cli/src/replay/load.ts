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
} from "@saferun/core";
import { runEntries } from "../runs/steps.ts";

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
  const started = (await store.runs({ limit: NEWEST })).filter(
    ({ id, startedAt }) => id !== summary.id && startedAt >= summary.startedAt && startedAt <= summary.lastAt,
  );
  const inner = await startedWithin(store, started);
  return { summary, entries, tree: await treeOf({ store, erasures }, summary.id, entries, inner, DEPTH) };
}

/** Run → the runs that it started itself. */
async function startedWithin(store: LogStore, runs: readonly RunSummary[]): Promise<ReadonlyMap<string, string[]>> {
  const inner = new Map<string, string[]>();
  for (const { id } of runs) {
    const [first] = await store.entries({ from: 0, limit: 1, run: id });
    // A run of its own names nobody around it; reading its tree from one entry is enough to know.
    const outer =
      first === undefined || parseHeader(first.header).type !== "run.started" ? [] : runTree(id, [first]).around;
    const [parent] = outer;
    if (parent !== undefined) inner.set(parent, [...(inner.get(parent) ?? []), id]);
  }
  return inner;
}

async function treeOf(
  from: { readonly store: LogStore; readonly erasures: FindErasures },
  run: string,
  entries: readonly StoredEntry[],
  inner: ReadonlyMap<string, readonly string[]>,
  depth: number,
): Promise<RunTree> {
  const nested: RunTree[] = [];
  for (const id of depth === 0 ? [] : (inner.get(run) ?? [])) {
    nested.push(await treeOf(from, id, await runEntries(from.store, id), inner, depth - 1));
  }
  return runTree(run, entries, nested, await from.erasures(entries));
}
