import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextAttempt } from "./schedule.ts";

describe("nextAttempt", () => {
  it("doubles from a second to a minute", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((attempts) => nextAttempt(attempts, 5_000) - 5_000);
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it("lies ahead, never decreases, and leaves a vendor alone for as long as it asks", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(), fc.nat(10_000_000), (attempts, now, after) => {
        const next = nextAttempt(attempts, now, now + after);
        expect(next).toBeGreaterThanOrEqual(now + Math.max(after, 1_000));
        expect(next).toBeLessThanOrEqual(now + Math.max(after, 60_000));
        expect(nextAttempt(attempts + 1, now, now + after)).toBeGreaterThanOrEqual(next);
      }),
    );
  });
});
