/** What a run did, by the key of the act. */
import type { Outcome } from "../../lifecycle.ts";
import { type Bucket, type Buckets, bucketOf, valueIn, withValue } from "./buckets.ts";
import type { CallKeys } from "./fingerprint.ts";

export interface Act {
  readonly callId: string;
  readonly at: number;
  /** `unknown`: it may have happened. */
  readonly outcome: Exclude<Outcome, "failed">;
}

/** A run's own acts by `actBucket`. */
export type Acts = Buckets<Act>;

/**
 * 512 acts of one run. One that a full bucket forgets is still found through the agent's acts of 24 hours, which the store
 * keeps.
 */
const BUCKETS = 32;
const ACTS = 16;

/** The business act of a call: its identity where one is declared, else the exact call. */
export function actKey(print: Pick<CallKeys, "identityKey" | "callKey">): string {
  return print.identityKey ?? print.callKey;
}

export function actBucket(key: string): number {
  return bucketOf(key, BUCKETS);
}

/** What the run did before under the key of an act. */
export function actIn(acts: Acts, key: string): Act | undefined {
  return valueIn(acts[actBucket(key)], key);
}

export function withAct(acts: Acts, key: string, act: Act): Acts {
  const bucket = actBucket(key);
  return { ...acts, [bucket]: withValue(acts[bucket], key, act, ACTS) };
}

/** As they were kept before there were buckets. */
export function fromEarlierActs(earlier: Bucket<Act>): Acts {
  return earlier
    .toSorted(([, one], [, other]) => one.at - other.at)
    .reduce<Acts>((acts, [key, act]) => withAct(acts, key, act), {});
}
