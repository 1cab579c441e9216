/**
 * What `saferun dev` does for the store beside its page, also when the agent's process is gone: silence denies, later
 * levels are asked, and what stands in the outbox is sent where channels are set up here.
 */
import type { Channels, Dispatcher } from "@saferun/channels";
import { createSweeper, type DecisionPorts, toHex, toLookAt } from "@saferun/core";

const EVERY_MS = 1_000;

/** Until `end`, which waits for what was begun. */
export function runErrands(ports: DecisionPorts, warn: (message: string) => void): { end(): Promise<void> } {
  const { store, clock, random } = ports;
  const sweeper = createSweeper(ports);
  const owner = toHex(random.bytes(8));
  let said = "";
  const onError = (error: unknown): void => {
    const text = error instanceof Error ? error.message : String(error);
    // The same again each second would hide everything else.
    if (text !== said) warn(text);
    said = text;
  };
  const stop = new AbortController();
  let channels: Channels | undefined;
  let dispatcher: Dispatcher | undefined;

  async function tell(): Promise<void> {
    const [due] = await store.dueRows({ kind: "outbox", by: clock.now(), limit: 1 });
    if (due === undefined) return;
    if (dispatcher === undefined) {
      // Loaded here: the vendors' packages are large, and most stores have nothing to send.
      const { channelsFromEnvironment } = await import("@saferun/channels");
      channels = channelsFromEnvironment(process.env, { ports, onError });
      dispatcher = channels.dispatcher(ports, { owner, attends: () => true });
    }
    await dispatcher.tick();
  }

  async function repeat(step: () => Promise<unknown>): Promise<void> {
    while (!stop.signal.aborted) {
      // A store that is full or busy: the next step looks again.
      await step().catch(onError);
      await clock.sleep(EVERY_MS, stop.signal);
    }
  }

  const told = new Set<string>();
  async function sweep(): Promise<void> {
    // What is damaged is found again with every step.
    for (const line of toLookAt(await sweeper.step())) {
      if (!told.has(line)) warn(line);
      told.add(line);
    }
  }

  const loops = [repeat(sweep), repeat(tell)];
  return {
    async end() {
      stop.abort();
      await Promise.all(loops);
      await channels?.close();
    },
  };
}
