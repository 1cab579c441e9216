/** Sends what stands in a store's outbox through the channels that policies' routes name: `to: ["slack:#fin"]`. */
import type { Channels, Dispatcher } from "@saferun/channels";
import { type DecisionPorts, toHex } from "@saferun/core";

export interface Teller {
  /** @throws SafeRunError when the store cannot be read. */
  step(): Promise<void>;
  /** Listens for the answer of this question, whoever sends it. */
  asked(approval: string): void;
}

/** Questions beyond these are long over. */
const MOST_ASKED = 10_000;

let loaded: Promise<Channels> | undefined;

export function createTeller(ports: DecisionPorts, warn: (message: string) => void): Teller {
  const { store, clock, random } = ports;
  const owner = toHex(random.bytes(8));
  const asked = new Set<string>();
  const attends = (approval: string): boolean => asked.has(approval);
  const onError = (error: unknown): void => warn(textOf(error));
  let dispatcher: Dispatcher | undefined;
  return {
    asked(approval) {
      if (asked.size >= MOST_ASKED) asked.clear();
      asked.add(approval);
    },
    async step() {
      const [due] = await store.dueRows({ kind: "outbox", by: clock.now(), limit: 1 });
      if (due === undefined) return;
      // The vendors' packages are large: only who names a channel needs them.
      loaded ??= import("@saferun/channels").then(({ channels }) => channels);
      try {
        dispatcher ??= (await loaded).dispatcher(ports, { owner, attends, onError });
      } catch {
        loaded = undefined;
        return warn("a route names a channel, which needs the package `@saferun/channels`; add it to the project");
      }
      await dispatcher.tick();
    },
  };
}

export async function closeChannels(): Promise<void> {
  const open = loaded;
  loaded = undefined;
  await (await open?.catch(() => undefined))?.close();
}

function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return `people could not be told, and what waits goes on waiting (\`npx saferun approvals\` takes an answer): ${text}`;
}
