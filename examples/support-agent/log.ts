/** Reads the gate's log from the store, beside the gate and without writing to it. */
import { setTimeout } from "node:timers/promises";
import { potsOf } from "@saferun/core";
import { createFileSigner, openReadOnlySqliteStore, signingKeyPath, verifyStore } from "@saferun/store";
import { callsOf, principalsOf, type StoryCall, type StoryTrip, tripsOf } from "./story.ts";

export interface LogReport {
  /** `verified`: signed with the key that the log was opened with; `self-consistent`: not signed yet; `faulty`. */
  readonly status: string;
  readonly entries: number;
}

/** A pot of a budget, in whole units. */
export interface BudgetReport {
  readonly budget: string;
  readonly spent: number;
  /** For calls that are not over, or of which nobody knows how they ended. */
  readonly held: number;
  readonly limit: number;
}

export interface OpenLog {
  /** All calls so far. */
  calls(): Promise<StoryCall[]>;
  /** What has tripped so far. */
  trips(): Promise<StoryTrip[]>;
  budgets(): Promise<BudgetReport[]>;
  /** On whose behalf the agent has run. */
  principals(): Promise<Set<string>>;
  /** Until the gate has marked what an earlier process left in the middle; not longer than two seconds. */
  repaired(): Promise<void>;
  /** Every entry, every hash and every signature again. */
  verify(): Promise<LogReport>;
  close(): Promise<void>;
}

/** More than the demo ever writes. */
const ALL = { from: 0, limit: 10_000 };

/** @param directory of a store that exists */
export function openLog(directory: string): OpenLog {
  const store = openReadOnlySqliteStore({ directory });
  // Kept from before the story, as an operator keeps what `saferun log key` prints: the log is not asked who may sign it.
  const pinned = createFileSigner(signingKeyPath(directory)).vkey;
  const calls = async (): Promise<StoryCall[]> => callsOf(await store.entries(ALL));
  return {
    calls,
    async repaired() {
      for (let tries = 0; tries < 40; tries++) {
        if ((await calls()).every(({ executing, outcome }) => !executing || outcome !== undefined)) return;
        await setTimeout(50);
      }
    },
    trips: async () => tripsOf(await store.entries(ALL)),
    async budgets() {
      const pots = await potsOf(store, ALL.limit);
      return pots.map(({ budget, spent, held, limit, raised }) => {
        return { budget, spent: Number(spent), held: Number(held), limit: Number(limit + raised) };
      });
    },
    principals: async () => principalsOf(await store.entries(ALL)),
    async verify() {
      const { status, size } = await verifyStore(store, { pinned });
      return { status, entries: size };
    },
    close: () => store.close(),
  };
}
