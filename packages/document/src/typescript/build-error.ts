/** Why a callback gives no condition. */

/** What is wrong with a condition under construction. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

export class BuildError extends Error {
  override readonly name = "BuildError";
  readonly problem: Problem;
  constructor(code: string, message: string) {
    super(message);
    this.problem = { code, message };
  }
}

/** An expression was used as a plain value, as in `c.args.amount > 5`. */
export class PlainUse extends Error {
  override readonly name = "PlainUse";
}
