/** What is wrong with a condition before it runs, and what went wrong while it ran. */

export type CelIssueCode =
  | "syntax"
  | "limit"
  | "unknown-variable"
  | "unknown-field"
  | "unknown-function"
  | "wrong-type"
  | "not-available"
  | "invalid-pattern";

/** `offset` and `length` are UTF-16 code units of the source. `suggestion` is the nearest valid word. */
export interface CelIssue {
  readonly offset: number;
  readonly length: number;
  readonly code: CelIssueCode;
  readonly message: string;
  readonly suggestion?: string;
}

/** A condition that could not be evaluated. The message names paths and kinds, never values. */
export class CelError extends Error {
  override readonly name = "CelError";
  /** UTF-16 offset into the condition's source. */
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * An error as a value, inside an evaluation: `||` and `&&` absorb errors, and a throw for each would cost microseconds on a
 * path that has two. It becomes a `CelError` at the program's edge.
 */
export class Fault {
  readonly message: string;
  readonly offset: number;
  constructor(message: string, offset: number) {
    this.message = message;
    this.offset = offset;
  }
}

/** The nearest of `words` to what was written, or undefined when none is near enough to be what was meant. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.floor(word.length / 3) + 1;
  const folded = word.toLowerCase();
  if (word.length > 64) return undefined;
  for (const candidate of words) {
    if (candidate.length > 64) continue;
    const distance = editDistance(folded, candidate.toLowerCase());
    if (distance < least || (distance === least && best === undefined)) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Optimal string alignment: insertions, deletions, substitutions and swapped neighbours count one each. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let value = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        value = Math.min(value, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(value);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
