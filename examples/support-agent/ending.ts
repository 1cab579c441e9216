/** One way out: by itself, by an error, by a signal or by the clock, the demo takes along all that it has started. */

const CLEANUP_MS = 5_000;
const SIGNALS = [
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const;

const cleanups: (() => unknown)[] = [];
let ending = false;

/** Called at the end, the last one first. */
export function onEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** Runs `body` to its exit code; never longer than `limitMs`. */
export async function runToEnd(limitMs: number, body: () => Promise<number>): Promise<void> {
  setTimeout(() => void end(1, "the demo took too long and was ended"), limitMs).unref();
  for (const [signal, code] of SIGNALS) process.once(signal, () => void end(code));
  // Nobody reads any more, as behind `| head`.
  process.stdout.on("error", () => void end(1));
  try {
    await end(await body());
  } catch (error) {
    await end(1, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

/** The first reason to end is the one that counts: what is torn down fails in its own ways. */
async function end(code: number, message?: string): Promise<void> {
  if (ending) return;
  ending = true;
  if (message !== undefined) process.stderr.write(`${message}\n`);
  setTimeout(() => process.exit(code), CLEANUP_MS);
  for (const cleanup of cleanups.toReversed()) {
    try {
      await cleanup();
    } catch {
      // It was going away anyway.
    }
  }
  process.exit(code);
}
