/** The core's ports on Node: hashing, randomness, time. */
import { hash, randomBytes } from "node:crypto";
import type { Clock, Hash, Random } from "@saferun/core";

/** SHA-256 in one shot, without a stream object. */
export const nodeHash: Hash = {
  sha256: (bytes) => hash("sha256", bytes, { outputEncoding: "buffer" }),
};

export const nodeRandom: Random = {
  bytes: (count) => new Uint8Array(randomBytes(count)),
};

export const nodeClock: Clock = {
  now: () => Date.now(),
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
