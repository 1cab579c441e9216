/** The run that was looked at last stays in memory: a page that steps through it asks for one step after another. */
import { type RunTree, readableHeader, type Store, type StoredEntry } from "@saferun/core";
import { type FindErasures, type LoadedRun, loadRun } from "../../replay/load.ts";

interface Kept {
  readonly loaded: LoadedRun;
  /** It, and the runs that were started within it. */
  readonly runs: ReadonlySet<string>;
  /** The log was looked through so far. */
  size: number;
}

/** Entries that are looked through for one that changes the run; where more came since, it is read again. */
const MOST_NEW = 1_000;

/** Reads a run, or finds it as the log has it now. One at a time: two that ask for the same run read it once. */
export function loadedRuns(store: Store, erasures?: FindErasures): (run: string) => Promise<LoadedRun | undefined> {
  let kept: Kept | undefined;
  let before: Promise<unknown> = Promise.resolve();

  async function find(run: string): Promise<LoadedRun | undefined> {
    const { size } = await store.head();
    if (kept?.loaded.summary.id === run && (await stillHolds(kept, size))) return kept.loaded;
    kept = undefined;
    const summary = await store.run(run);
    if (summary === undefined) return undefined;
    const loaded = await loadRun(store, summary, erasures);
    kept = { loaded, runs: runsIn(loaded.tree), size };
    return loaded;
  }

  async function stillHolds(of: Kept, size: number): Promise<boolean> {
    if (size < of.size || size - of.size > MOST_NEW) return false;
    const since = size === of.size ? [] : await store.entries({ from: of.size, limit: size - of.size });
    if (of.size + since.length !== size || since.some((entry) => mayChange(entry, of.runs))) return false;
    of.size = size;
    return true;
  }

  return (run) => {
    const found = before.then(() => find(run));
    before = found.catch(() => undefined);
    return found;
  };
}

/** Its own entries; a run that may have been started within it; what takes content out of the log or puts it back. */
function mayChange(entry: StoredEntry, runs: ReadonlySet<string>): boolean {
  const header = readableHeader(entry);
  if (header === undefined) return true;
  const { type, run } = header;
  return type === "run.started" || (type.startsWith("log.") && type !== "log.exported") || runs.has(run?.id ?? "");
}

function runsIn(tree: RunTree): ReadonlySet<string> {
  const ids = new Set<string>();
  const add = ({ run, steps, runs }: Pick<RunTree, "run" | "steps" | "runs">): void => {
    ids.add(run);
    for (const step of steps) if (step.kind === "call") add({ run, ...step });
    for (const inner of runs) add(inner);
  };
  add(tree);
  return ids;
}
