/** Which runs a list shows: of all that the store reaches back to, those that somebody asked for, and how many are how. */
import { breakersOf, type RunSummary, type Store, stopsInForce } from "@saferun/core";
import type { Activity } from "./activity.ts";
import type { RunSeen } from "./run-activity.ts";

/** A run with what is known of it now. */
export interface RunFacts {
  readonly run: RunSummary;
  /** Undefined where it is older than what was counted. */
  readonly seen: RunSeen | undefined;
  /** Questions that wait for a person now. */
  readonly waiting: number;
  /** A breaker or a person stopped this very run, and nobody has let it go on. */
  readonly stopped: boolean;
  /** The process that ran it has surely ended. */
  readonly ended: boolean;
}

/** What may have happened in a run, by the word of the address. */
export const HAPPENED = ["live", "waiting", "stopped", "denied", "failed", "unknown", "paused"] as const;
export type Happened = (typeof HAPPENED)[number];

export interface RunFilter {
  readonly agent?: string | undefined;
  readonly environment?: string | undefined;
  readonly tool?: string | undefined;
  readonly principal?: string | undefined;
  readonly happened?: Happened | undefined;
}

const MOST_WAITING = 1_000;
const MOST_BREAKERS = 10_000;
/** What did something a moment ago is taken to go on, as long as its process is not known to have ended. */
const MOMENT_MS = 15_000;

/** Reads what stands in the store beside the runs, once for all of them. */
export async function factsOf(
  store: Store,
  activity: Pick<Activity, "run">,
  runs: readonly RunSummary[],
): Promise<readonly RunFacts[]> {
  const waiting = new Map<string, number>();
  for (const { run } of await store.approvals({ state: "pending", limit: MOST_WAITING }))
    waiting.set(run, (waiting.get(run) ?? 0) + 1);
  const stopped = new Set<string>();
  for (const { scope, name, breaker } of await breakersOf(store, MOST_BREAKERS))
    if (scope === "run" && breaker.state === "stopped") stopped.add(name);
  for (const { scope } of await stopsInForce(store)) if (scope.run !== null) stopped.add(scope.run);
  const gone = new Set(await store.deadWriters());
  return runs.map((run) => {
    const seen = activity.run(run.id);
    return {
      run,
      seen,
      waiting: waiting.get(run.id) ?? 0,
      stopped: stopped.has(run.id),
      ended: seen !== undefined && gone.has(seen.writer),
    };
  });
}

/** Something of it goes on: a fact, however long it lasts. */
export function goingOn({ seen, waiting, ended }: RunFacts): number {
  return ended ? 0 : waiting + (seen?.open.size ?? 0);
}

const TESTS: Readonly<Record<Happened, (facts: RunFacts, now: number) => boolean>> = {
  live: (facts, now) => goingOn(facts) > 0 || (!facts.ended && now - facts.run.lastAt < MOMENT_MS),
  waiting: ({ waiting }) => waiting > 0,
  stopped: ({ stopped }) => stopped,
  denied: ({ seen }) => (seen?.counts.denied ?? 0) > 0,
  failed: ({ seen }) => (seen?.counts.failed ?? 0) > 0,
  unknown: ({ seen }) => (seen?.counts.unknown ?? 0) > 0,
  paused: ({ seen }) => (seen?.counts.paused ?? 0) > 0,
};

/** A run that is older than what was counted is found by its own row only: agent, environment, what waits, what is stopped. */
export function fitsFilter(facts: RunFacts, filter: RunFilter, now: number): boolean {
  const { agent, environment, tool, principal, happened } = filter;
  const { run, seen } = facts;
  return (
    (agent === undefined || run.agent === agent) &&
    (environment === undefined || run.environment === environment) &&
    (tool === undefined || seen?.tools.has(tool) === true) &&
    (principal === undefined || seen?.principal === principal) &&
    (happened === undefined || TESTS[happened](facts, now))
  );
}

/** How many runs are how, under everything that is asked for but that. */
export function tallyOf(all: readonly RunFacts[], filter: RunFilter, now: number): Record<Happened, number> {
  const { happened: _, ...others } = filter;
  const tally = Object.fromEntries(HAPPENED.map((one) => [one, 0])) as Record<Happened, number>;
  for (const facts of all) {
    if (!fitsFilter(facts, others, now)) continue;
    for (const one of HAPPENED) if (TESTS[one](facts, now)) tally[one]++;
  }
  return tally;
}

/** Of each part of the filter: how many runs there would be without it. */
export function withoutEach(all: readonly RunFacts[], filter: RunFilter, now: number): Record<string, number> {
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    asked.map(([name]) => {
      const less: RunFilter = { ...filter, [name]: undefined };
      return [name, all.reduce((sum, facts) => sum + (fitsFilter(facts, less, now) ? 1 : 0), 0)];
    }),
  );
}

export interface RunPage {
  readonly facts: readonly RunFacts[];
  /** Of those that fit, from `from` on; and those that are newer. */
  readonly total: number;
  readonly newer: number;
}

/** @param from Id of a run in `all`: only it and older ones are counted. Pages of the same `from` never shift. */
export function pageOf(
  all: readonly RunFacts[],
  { filter, from, skip, limit, now }: RunPageOptions,
): RunPage | undefined {
  const start = from === undefined ? 0 : all.findIndex(({ run }) => run.id === from);
  if (start === -1) return undefined;
  const fits = (facts: RunFacts) => fitsFilter(facts, filter, now);
  const found = all.slice(start).filter(fits);
  const newer = all.slice(0, start).reduce((sum, facts) => sum + (fits(facts) ? 1 : 0), 0);
  return { facts: found.slice(skip, skip + limit), total: found.length, newer };
}

export interface RunPageOptions {
  readonly filter: RunFilter;
  readonly from: string | undefined;
  readonly skip: number;
  readonly limit: number;
  readonly now: number;
}

export interface Neighbours {
  readonly newer: string | null;
  readonly older: string | null;
  /** From 1, the newest first; null where it does not fit itself. */
  readonly place: number | null;
  readonly total: number;
}

/** The runs before and behind one among those that fit. */
export function neighboursOf(all: readonly RunFacts[], id: string, filter: RunFilter, now: number): Neighbours {
  const at = all.findIndex(({ run }) => run.id === id);
  const fits = (facts: RunFacts) => fitsFilter(facts, filter, now);
  if (at === -1) return { newer: null, older: null, place: null, total: all.filter(fits).length };
  const [newer, older] = [all.slice(0, at).filter(fits), all.slice(at + 1).filter(fits)];
  const own = all.slice(at, at + 1).some(fits);
  return {
    newer: newer.at(-1)?.run.id ?? null,
    older: older[0]?.run.id ?? null,
    place: own ? newer.length + 1 : null,
    total: newer.length + older.length + (own ? 1 : 0),
  };
}
