/** When a delivery that failed is tried again. Pure, so that an outbox row can be driven by it as well. */

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/**
 * After `attempts` failures (1 or more): 1 s, 2 s, 4 s … at most a minute later. Never sooner than the vendor asked for.
 * Both times in ms since 1970.
 */
export function nextAttempt(attempts: number, now: number, notBefore = 0): number {
  const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(Math.max(attempts, 1) - 1, 16));
  return Math.max(now + wait, notBefore);
}
