/** The core's ports on Node: hashing, randomness, time. */
import { hash, randomBytes } from "node:crypto";
import { uptime } from "node:os";
import type { Clock, Hash, Random, RuntimeStamp } from "@saferun/core";

/** As text, because a small string costs Node a third of what a small buffer does: most of the time of a short hash. */
const AS_TEXT = { outputEncoding: "binary" } as const;

/** SHA-256 in one shot, without a stream object. */
export const nodeHash: Hash = {
  sha256(bytes) {
    const digest = hash("sha256", bytes, AS_TEXT);
    const result = new Uint8Array(32);
    for (let index = 0; index < 32; index++) result[index] = digest.charCodeAt(index);
    return result;
  },
};

/** Random bytes that nobody has got yet: asking the system for each salt alone costs more than all else about it. */
const POOL_BYTES = 8_192;
let pool = new Uint8Array(0);
let taken = 0;

export const nodeRandom: Random = {
  bytes(count) {
    if (count > POOL_BYTES) return new Uint8Array(randomBytes(count));
    if (taken + count > pool.length) {
      pool = new Uint8Array(randomBytes(POOL_BYTES));
      taken = 0;
    }
    const fresh = pool.slice(taken, taken + count);
    // What was given out is not kept here.
    pool.fill(0, taken, taken + count);
    taken += count;
    return fresh;
  },
};

export const nodeClock: Clock = {
  now: () => Date.now(),
  elapsed: sinceBoot,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", finish);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      signal?.addEventListener("abort", finish, { once: true });
    }),
};

/** The machine's sleep is in it, and no setting of the clock. */
function sinceBoot(): number {
  try {
    return uptime() * 1_000;
  } catch {
    // A sandbox that does not tell: then a machine that has slept looks like a clock that was set.
    return performance.now();
  }
}

const { tz = "", icu = "", unicode = "" } = process.versions;

/** Tables that this runtime brings along; a system's own may stand in for them (`--icu-data-dir`). */
export const nodeStamp: RuntimeStamp = Object.freeze({ calendar: tz, icu, unicode });
