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
