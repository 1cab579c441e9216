/**
 * Errors for what failed. A denial is not an error: it is a value (see `decision.ts`).
 *
 * The list of codes is closed; each has a section of the same name in `docs/errors.md`, and a test holds both lists equal.
 */
export const ERROR_CODES = [
  "agent.unsupported",
  "approval.conflict",
  "approval.expired",
  "approval.invalid",
  "approval.missing",
  "breaker.open",
  "budget.exhausted",
  "call.conflict",
  "call.malformed",
  "call.mismatch",
  "channel.unconfigured",
  "channel.undelivered",
  "log.malformed",
  "option.invalid",
  "policy.invalid",
  "policy.missing",
  "policy.syntax",
  "query.invalid",
  "record.busy",
  "record.corrupt",
  "record.full",
  "record.newer",
  "record.quota",
  "record.restored",
  "record.unavailable",
  "record.untrusted",
  "replay.diverged",
  "seal.missing",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface SafeRunErrorOptions {
  /** True where the same request may succeed later without a change. Default false. */
  readonly retryable?: boolean;
  /** Facts for a program; never secrets, never argument values. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** What failed, why, and what to do, on one line in lower case, the user's own text in backticks. */
export class SafeRunError extends Error {
  override readonly name = "SafeRunError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: SafeRunErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/** A bug in SafeRun itself. The gate's outer boundary turns it into a denial. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** The end of an exhaustive `switch`: a value that gets here is a bug, and nothing is allowed by it. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable value: ${String(value)}`);
}
