/**
 * What is known by the key of something, in buckets: each is a row of its own, so that a call writes the few that it touches
 * however much is known. Plain JSON and bounded.
 */

/** The latest come last. */
export type Bucket<Value> = readonly (readonly [key: string, value: Value])[];

/** By number. One that is not there is empty, or was not asked for. */
export type Buckets<Value> = Readonly<Record<number, Bucket<Value>>>;

/** Keys begin with hex digits of a digest, so that they are spread evenly. `count`: at most 256. */
export function bucketOf(key: string, count: number): number {
  const bucket = Number.parseInt(key.slice(0, 2), 16);
  return Number.isNaN(bucket) ? 0 : bucket % count;
}

/** Undefined: it was never there, or is forgotten. */
export function valueIn<Value>(bucket: Bucket<Value> | undefined, key: string): Value | undefined {
  return bucket?.find(([known]) => known === key)?.[1];
}

/** Of more than `most` the one that was written longest ago is forgotten. */
export function withValue<Value>(bucket: Bucket<Value> = [], key: string, value: Value, most: number): Bucket<Value> {
  const others = bucket.filter(([known]) => known !== key);
  return [...others, [key, value] as const].slice(-most);
}
