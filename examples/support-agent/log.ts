/** Reads the gate's log from the store, beside the gate and without writing to it. */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { potsOf } from "@saferun/core";
import { createFileSigner, openReadOnlySqliteStore, signingKeyPath, verifyStore } from "@saferun/store";
import { readLedgers } from "./servers/start.ts";
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
  /** All calls so far; `key` is what their tools sent along as idempotency key, where one was contacted. */
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

/**
 * A call's key holds a digest of its principal and the framework's id of the call. The demo's tools send the latter along,
 * so that what they have executed can be found again by it.
 */
function keyOf(principal: string, toolCallId: string): string {
  const text = `saferun/tool-call/v1\u0000${JSON.stringify([principal, toolCallId])}`;
  return `tool-call/${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}

/** More than the demo ever writes. */
const ALL = { from: 0, limit: 10_000 };

/**
 * @param directory of a store that exists, below the demo's data directory
 * @param unsent the framework's ids of calls that may have reached no server, to be found as well
 */
export function openLog(directory: string, unsent: readonly string[] = []): OpenLog {
  const store = openReadOnlySqliteStore({ directory });
  // Kept from before the story, as an operator keeps what `saferun log key` prints: the log is not asked who may sign it.
  const pinned = createFileSigner(signingKeyPath(directory)).vkey;
  async function calls(): Promise<StoryCall[]> {
    const found = callsOf(await store.entries(ALL));
    const sent = readLedgers(dirname(directory)).flatMap(({ key }) => (key === null ? [] : [key]));
    const people = [...principalsOf(await store.entries(ALL))];
    const known = new Map(people.flatMap((who) => [...sent, ...unsent].map((id) => [keyOf(who, id), id] as const)));
    return Promise.all(
      found.map(async (call) => ({ ...call, key: known.get((await store.call(call.id))?.key ?? "") ?? null })),
    );
  }
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
