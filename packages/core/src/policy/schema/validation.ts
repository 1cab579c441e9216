/** What one run of a compiled schema carries along. */

import { LIMITS } from "../../limits.ts";
import type { Json } from "../../value/json.ts";
import type { ArgumentIssue, Schema } from "./types.ts";

/**
 * Does the value fit? `seen` collects the properties that some part of the schema has judged, for the question which ones
 * nobody knows; null where nobody asks. `path` is kept up only while issues are collected.
 */
export type Check = (value: Json, path: string, run: Validation, seen: Set<string> | null) => boolean;

/** Makes the parts of a schema into checks. */
export interface Compiler {
  /** A schema that is all that is said of a value: unknown properties are refused. */
  at(schema: Schema): Check;
  /** One of several schemas for the same value: which properties are unknown is judged outside of it. */
  shared(schema: Schema): Check;
}

export class Validation {
  /** Null: only the answer is wanted, and the first miss ends it. */
  issues: ArgumentIssue[] | null;
  #steps: number = LIMITS.schemaSteps;

  constructor(issues: ArgumentIssue[] | null) {
    this.issues = issues;
  }

  /** False when the work is used up: then nothing fits any more. */
  spend(steps: number): boolean {
    this.#steps -= steps;
    return this.#steps >= 0;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Always false, so that a check can end with it. */
  miss(path: string, message: string): false {
    if (this.issues !== null && this.issues.length < MOST_ISSUES) this.issues.push({ path, message });
    return false;
  }

  /** Runs a check whose misses are no news: an alternative that does not apply. */
  silently(check: Check, value: Json, seen: Set<string> | null): boolean {
    const { issues } = this;
    this.issues = null;
    const fits = check(value, "", this, seen);
    this.issues = issues;
    return fits;
  }
}

const MOST_ISSUES = 8;

/** `customer` and `id` → `customer.id`; a key that is no plain name is quoted, cut and without control characters. */
export function below(path: string, key: string): string {
  if (PLAIN.test(key)) return path === "" ? key : `${path}.${key}`;
  const shown = key.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "�").slice(0, 64);
  return `${path}["${shown.toWellFormed()}"]`;
}

const PLAIN = /^[A-Za-z_$][A-Za-z0-9_$-]{0,63}$/;
