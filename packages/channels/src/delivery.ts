/**
 * Sends until it went out, from the process that waits: the row of an outbox does not exist yet, so that a message is lost
 * when the process ends before it was sent (docs/limits.md).
 */
import { type Clock, SafeRunError } from "@saferun/core";
import { nextAttempt } from "./schedule.ts";

/** What a vendor's failure means. */
export interface Failure {
  /** False: the same message would be refused again. */
  readonly retry: boolean;
  /** How long the vendor wants to be left alone. */
  readonly afterMs?: number;
  /** For the operator, one line. */
  readonly message: string;
}

export interface Delivery<Message> {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  send(): Promise<Message>;
  failure(error: unknown): Failure;
  /** Asked before each further attempt. */
  wanted(attempts: number): Promise<boolean>;
}

/**
 * What the vendor answered; undefined when it is no longer wanted.
 * @throws SafeRunError `channel.undelivered` when the vendor refuses for good.
 */
export async function deliver<Message>(delivery: Delivery<Message>): Promise<Message | undefined> {
  const { clock, signal } = delivery;
  for (let attempts = 1; ; attempts++) {
    try {
      return await delivery.send();
    } catch (error) {
      const { retry, afterMs = 0, message } = delivery.failure(error);
      if (!retry) throw new SafeRunError("channel.undelivered", message, { cause: error });
      const now = clock.now();
      await clock.sleep(nextAttempt(attempts, now, now + afterMs) - now, signal);
      if (signal.aborted || !(await delivery.wanted(attempts))) return undefined;
    }
  }
}
