/** Tells the people whom the policies' routes name, where they name channels: `to: ["slack:#fin"]`. */
import type { Channels } from "@saferun/channels";
import { SafeRunError } from "@saferun/core";
import type { PausedCall } from "./paused-call.ts";

let loaded: Promise<Channels> | undefined;

/** @throws SafeRunError `channel.unconfigured`, `channel.undelivered`: the call waits all the same. */
export async function tellRoutes(places: readonly string[], paused: PausedCall): Promise<void> {
  const targets = places.filter(isChannel);
  const [first] = targets;
  if (first === undefined) return;
  loaded ??= load(first);
  loaded.catch(() => {
    loaded = undefined;
  });
  await (await loaded).notify(targets, paused);
}

export async function closeRoutes(): Promise<void> {
  const open = loaded;
  loaded = undefined;
  await (await open?.catch(() => undefined))?.close();
}

/** The others look at the store by themselves. */
function isChannel(target: string): boolean {
  return target !== "dashboard" && target !== "cli";
}

/** The vendors' packages are large: only who names a channel needs them. */
async function load(target: string): Promise<Channels> {
  try {
    return (await import("@saferun/channels")).channels;
  } catch (cause) {
    const message = `a route names \`${target}\`, which needs the package \`@saferun/channels\`; add it to the project`;
    throw new SafeRunError("channel.unconfigured", message, { cause });
  }
}
