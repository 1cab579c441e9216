/**
 * Sends until it went out, from the process that was told to by code of its own (`onPause`): what is sent so is lost when
 * the process ends before (docs/limits.md). What routes name goes through the outbox (`dispatcher.ts`).
 */
import { type Clock, nextAttempt, SafeRunError, type SendFailure } from "@saferun/core";

export interface Delivery<Message> {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  send(): Promise<Message>;
  failure(error: unknown): SendFailure;
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
