/** Where calls stand: in which run, at which of its steps. */
import { type RunTree, runTree, type Store } from "@saferun/core";
import { runEntries } from "../../runs/entries.ts";

export interface CallPlace {
  readonly run: string;
  /** Null where the run's tree does not hold it. */
  readonly step: number | null;
}

/** Runs that are read for it; calls of more runs have their run and no step. */
const MOST_RUNS = 50;

export async function placesOfCalls(store: Store, calls: readonly string[]): Promise<ReadonlyMap<string, CallPlace>> {
  const places = new Map<string, CallPlace>();
  const steps = new Map<string, ReadonlyMap<string, number>>();
  for (const id of calls) {
    const run = (await store.call(id))?.run;
    if (run === undefined) continue;
    if (!steps.has(run) && steps.size < MOST_RUNS) steps.set(run, stepsOf(runTree(run, await runEntries(store, run))));
    places.set(id, { run, step: steps.get(run)?.get(id) ?? null });
  }
  return places;
}

function stepsOf(tree: RunTree): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  const walk = (steps: RunTree["steps"]): void => {
    for (const step of steps) {
      if (step.kind !== "call") continue;
      numbers.set(step.call, step.number);
      walk(step.steps);
    }
  };
  walk(tree.steps);
  return numbers;
}
