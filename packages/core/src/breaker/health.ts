/** Evidence about one tool, bounded: a streak, and counts in slices of time that together cover the window. */

export const HEALTH = Object.freeze({
  /** Failures in a row. */
  streak: 5,
  /** Or half of at least so many calls in the window. */
  least: 10,
  windowMs: 60_000,
  sliceMs: 5_000,
  /** First wait; doubled with every failed probe. */
  openMs: 30_000,
  mostMs: 600_000,
  mostDoublings: 16,
});

export interface Slice {
  readonly start: number;
  readonly calls: number;
  readonly failed: number;
}

export interface Evidence {
  readonly streak: number;
  /** Oldest first; at most `windowMs / sliceMs + 1`. */
  readonly slices: readonly Slice[];
}

export const NO_EVIDENCE: Evidence = Object.freeze({ streak: 0, slices: Object.freeze([]) });

export function addEvidence(evidence: Evidence, healthy: boolean, now: number): Evidence {
  const start = now - (((now % HEALTH.sliceMs) + HEALTH.sliceMs) % HEALTH.sliceMs);
  const kept = evidence.slices.filter((slice) => slice.start > now - HEALTH.windowMs && slice.start <= start);
  const last = kept.at(-1);
  const current = last?.start === start ? last : { start, calls: 0, failed: 0 };
  const counted = { start, calls: current.calls + 1, failed: current.failed + (healthy ? 0 : 1) };
  const before = last?.start === start ? kept.slice(0, -1) : kept;
  return { streak: healthy ? 0 : evidence.streak + 1, slices: [...before, counted] };
}

export function isIll(evidence: Evidence, now: number): boolean {
  if (evidence.streak >= HEALTH.streak) return true;
  const slices = evidence.slices.filter((slice) => slice.start > now - HEALTH.windowMs);
  const calls = slices.reduce((total, slice) => total + slice.calls, 0);
  const failed = slices.reduce((total, slice) => total + slice.failed, 0);
  return calls >= HEALTH.least && failed * 2 >= calls;
}

/** 30 s × 2^(times − 1), up to a quarter more by `jitter` in [0, 1), never over 10 minutes. */
export function openMs(times: number, jitter: number): number {
  const spread = Number.isFinite(jitter) ? Math.min(Math.max(jitter, 0), 1) : 0;
  const wait = HEALTH.openMs * 2 ** Math.min(Math.max(times - 1, 0), HEALTH.mostDoublings);
  return Math.min(HEALTH.mostMs, Math.floor(wait * (1 + spread / 4)));
}
