/** How the content of a tool's calls is kept in the record: declared by its owner, carried by the rows of its calls. */

import { unreachable } from "./errors.ts";
import { canonicalJson, type Json } from "./value/json.ts";

/** `shape`: names and types instead of values. `digest`: a SHA-256 alone. The later, the less is kept. */
export const RECORDS = ["full", "shape", "digest"] as const;
export type RecordMode = (typeof RECORDS)[number];

/** For whom the key is made that content is sealed with at rest. A subject's reaches less at once. */
export const SEALS = ["run", "subject"] as const;
export type Seal = (typeof SEALS)[number];

/** Paths as in policies, without `args.`: `customer.id`, `lines[].sku`. */
export interface Keeping {
  readonly record: RecordMode;
  /** Arguments that search does not find; `$` is all that the call holds, its result too. */
  readonly unsearched: readonly string[];
  /** The argument that says whose data the call holds; null: the run's principal's. */
  readonly subject: string | null;
  /** Absent: in the clear. */
  readonly seal?: Seal;
  /** Of one call, or of one run's prompts and answers, that are sealed: what the key is found by (`sealScope`). */
  readonly scope?: string;
  /** What else goes with a key: whose data a call holds is repeated by the prompts and answers of its run. */
  readonly ties?: readonly SealTie[];
}

/** Whoever destroys the key of `scope` destroys that of `tied`, too. */
export interface SealTie {
  readonly scope: string;
  readonly tied: string;
}

/** All of it, found by search, the principal's. */
export const KEPT_WHOLE: Keeping = Object.freeze({ record: "full", unsearched: Object.freeze([]), subject: null });

export function stricterSeal(one: Seal | null, other: Seal | null): Seal | null {
  return one === "subject" || other === "subject" ? "subject" : (one ?? other);
}

export function stricterRecord(one: RecordMode, other: RecordMode): RecordMode {
  return RECORDS.indexOf(one) > RECORDS.indexOf(other) ? one : other;
}

/** What stands in the place of a value in a row that decides nothing any more, and of a shape in the log. */
export function keptValue(value: Json, record: RecordMode): Json {
  switch (record) {
    case "full":
      return value;
    case "shape":
      return { encoding: "shape", shape: shapeOf(value) };
    case "digest":
      // The row beside it has the digest already.
      return { encoding: "digest" };
    default:
      return unreachable(record);
  }
}

/** True where a row may keep the arguments of a call that is over. */
export function keepsRows({ record, seal }: Keeping): boolean {
  return record === "full" && seal === undefined;
}

/** What such a row keeps of them otherwise: rows are not sealed, the log's own entries hold the content. */
export function keptInRow(value: Json, { record, seal }: Keeping): Json {
  return seal === undefined ? keptValue(value, record) : { encoding: "sealed" };
}

/** Shapes of one list. */
const MOST_SHAPES = 16;

/** `{"amount":"number","lines":[{"sku":"string"}]}`: names of members, and of each list every shape of its items once. */
function shapeOf(value: Json): Json {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  if (!isList(value)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
  const shapes = new Map<string, Json>();
  for (const item of value) {
    const shape = shapeOf(item);
    if (shapes.size < MOST_SHAPES) shapes.set(canonicalJson(shape), shape);
  }
  return [...shapes.values()];
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
