/** Runs the sweeper for each store of this process: silence denies, and later levels are asked, whoever waited before. */
import { createSweeper, type DecisionPorts, type Store } from "@saferun/core";
import { pausedCall } from "./paused-call.ts";
import { tellRoutes } from "./routes.ts";

const EVERY_MS = 1_000;

const timers = new Map<Store, NodeJS.Timeout>();

/** Once a store, however often it is asked. It keeps no process alive, and is tried again after a failure. */
export function sweepStore(ports: DecisionPorts, warn: (message: string) => void): void {
  const { store } = ports;
  if (timers.has(store)) return;
  const sweeper = createSweeper({
    ...ports,
    escalations: {
      escalated: (approval, to) => tellRoutes(to, pausedCall(approval, ports, to)),
      failed: (approval, error) =>
        warn(
          `the next people could not be asked about ${approval.id}: ${error instanceof Error ? error.message : error}`,
        ),
    },
  });
  let running = false;
  const timer = setInterval(async () => {
    if (running) return;
    running = true;
    try {
      await sweeper.step();
    } catch {
      // The store is closed, full or busy. Nothing runs by it; the next step looks again.
    } finally {
      running = false;
    }
  }, EVERY_MS);
  timers.set(store, timer.unref());
}

export function stopSweeping(): void {
  for (const timer of timers.values()) clearInterval(timer);
  timers.clear();
}
