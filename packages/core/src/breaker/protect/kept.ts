/** How long rows are kept that nothing happens to. */

const HOUR_MS = 3_600_000;
/** An act that the agent's other runs know, and a health breaker. */
export const DAY_MS = 24 * HOUR_MS;
/** An act that its own run knows, a run, an agent. */
export const KEPT_MS = 30 * DAY_MS;

/** To the hour: a row that is written with every call keeps its place among those that are due. */
export function keptUntil(now: number, ms: number): number {
  return Math.ceil((now + ms) / HOUR_MS) * HOUR_MS;
}
