/** The tree of a pattern. Which alternative and how much a repetition takes does not matter: a pattern is asked whether, not where. */
import type { CharacterSet } from "./character-set.ts";

export type Assertion = "text-start" | "text-end" | "line-start" | "line-end" | "word-boundary" | "no-word-boundary";

export type PatternNode =
  | { readonly kind: "empty" }
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "assertion"; readonly assertion: Assertion }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "alternatives"; readonly parts: readonly PatternNode[] }
  /** `max` is null where there is no upper bound. */
  | { readonly kind: "repeat"; readonly part: PatternNode; readonly min: number; readonly max: number | null };

export interface PatternIssue {
  /** UTF-16 offset into the pattern. */
  readonly offset: number;
  readonly message: string;
}

/** Leaves the descent at the first problem; `compilePattern` turns it into an issue. */
export class PatternProblem extends Error {
  readonly issue: PatternIssue;
  constructor(offset: number, message: string) {
    super(message);
    this.issue = { offset, message };
  }
}
