/** What other settings of the detectors would have done, counted while the calls go by. */
import { DETECTOR_NAMES, type JsonObject, type Reaction } from "@saferun/core";
import type { Heard } from "./replay.ts";

/** A call with which something else happens. */
interface Change {
  readonly where: string;
  readonly tool: string;
  readonly from: string;
  readonly to: string;
  /** Detectors that are enforced and fire now. */
  readonly by: readonly string[];
}

interface Counts {
  enforced: number;
  observed: number;
}

export interface BreakerResult {
  readonly judged: number;
  readonly changed: number;
  readonly missing: Readonly<Record<string, number>>;
  /** By detector, in the order of their definition: findings before and after. */
  readonly detectors: readonly {
    readonly name: string;
    readonly before: Readonly<Counts>;
    readonly after: Readonly<Counts>;
  }[];
  /** The first ones, up to the limit. */
  readonly changes: readonly Change[];
}

const RUNS = "run";

export function createBreakerTally(limit: number) {
  const names = DETECTOR_NAMES;
  const counts = new Map<string, { before: Counts; after: Counts }>(
    names.map((name) => [name, { before: { enforced: 0, observed: 0 }, after: { enforced: 0, observed: 0 } }]),
  );
  const missing = new Map<string, number>();
  const changes: Change[] = [];
  let judged = 0;
  let changed = 0;

  function count({ findings }: Heard, side: "before" | "after"): void {
    for (const { detector, mode } of findings) {
      const known = counts.get(detector);
      if (known !== undefined) known[side][mode === "enforce" ? "enforced" : "observed"]++;
    }
  }

  return {
    call(): void {
      judged++;
    },
    /** Two settings, the same call. */
    compare(of: { readonly where: string; readonly tool: string }, before: Heard, after: Heard): void {
      count(before, "before");
      count(after, "after");
      const [from, to] = [wordOf(before.reaction), wordOf(after.reaction)];
      if (from === to) return;
      changed++;
      const by = [...new Set(after.findings.filter(({ mode }) => mode === "enforce").map(({ detector }) => detector))];
      if (changes.length < limit) changes.push({ ...of, from, to, by: by.sort() });
    },
    miss(reason: string): void {
      missing.set(reason, (missing.get(reason) ?? 0) + 1);
    },
    result: (): BreakerResult => ({
      judged,
      changed,
      missing: Object.fromEntries(missing),
      detectors: [...counts].map(([name, one]) => ({ name, ...one })),
      changes,
    }),
  };
}

export type BreakerTally = ReturnType<typeof createBreakerTally>;

/** `run`: nothing stops it. */
function wordOf(reaction: Reaction | undefined): string {
  return reaction === undefined || reaction === "annotate" ? RUNS : reaction;
}

export function breakerJson(
  { judged, changed, missing, detectors, changes }: BreakerResult,
  revisions: { readonly from: string | null; readonly to: string },
): JsonObject {
  return {
    revision: revisions.to,
    against: revisions.from,
    judged,
    changed,
    not_reproducible: missing,
    detectors: Object.fromEntries(
      detectors.map(({ name, before, after }) => [name, { before: { ...before }, after: { ...after } }]),
    ),
    changes: changes.map((change) => ({ ...change })),
    changes_left_out: changed - changes.length,
  };
}
