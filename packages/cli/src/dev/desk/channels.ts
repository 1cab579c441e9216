/** Channels for the page: which are set up here, and a message that asks nothing. */
import { SafeRunError } from "@saferun/core";
import type { ChannelDesk } from "@saferun/server";
import { openTrial } from "../../channels/trial.ts";

type Listed = Awaited<ReturnType<ChannelDesk["list"]>>["channels"];

export function channelDesk(): ChannelDesk {
  return {
    async list() {
      // Loaded here: the vendors' packages are large, and most pages never ask.
      const { channelsFromEnvironment, targetsIn } = await import("@saferun/channels");
      const channels = channelsFromEnvironment(process.env, { onError: () => {} });
      try {
        const listed: Listed = targetsIn(process.env).map((target) => {
          try {
            channels.resolve(target);
            return { name: target, ready: true, detail: "its variables are set" };
          } catch (error) {
            return { name: target, ready: false, detail: messageOf(error) };
          }
        });
        return { channels: listed, people: null };
      } finally {
        await channels.close();
      }
    },
    async test(target) {
      const { channelsFromEnvironment } = await import("@saferun/channels");
      const channels = channelsFromEnvironment(process.env, { onError: () => {} });
      const trial = await openTrial();
      try {
        const sent = await channels.notify([target], trial.paused);
        const detail =
          sent.length === 0 ? "nothing is sent there: it looks at the store by itself" : "the message was sent";
        return { ok: sent.length > 0, detail };
      } catch (error) {
        return { ok: false, detail: messageOf(error) };
      } finally {
        await trial.end();
        await channels.close();
      }
    },
  };
}

function messageOf(error: unknown): string {
  if (error instanceof SafeRunError) return error.message;
  return error instanceof Error ? `the vendor could not be asked: ${error.message}` : "the vendor could not be asked";
}
