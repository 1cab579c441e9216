/** Socket mode: Slack's answers over a connection that we open, for machines without a public address. */
import type { Json, JsonObject } from "@saferun/core";
import { clientOptions } from "./client.ts";

export interface SlackSocket {
  close(): Promise<void>;
}

/** What the socket client says of one interaction; the app's token has proved that it is Slack. */
interface Envelope {
  readonly envelope_id: string;
  readonly body: Json;
  ack(body?: JsonObject): Promise<void>;
}

/** The package is loaded only where it is used. An answer is acknowledged after it was recorded, never before. */
export async function openSocket(
  appToken: string,
  apiUrl: string | undefined,
  said: (key: string, payload: Json) => Promise<{ readonly status: number; readonly body?: JsonObject }>,
  onError: (error: unknown) => void,
): Promise<SlackSocket> {
  const { SocketModeClient } = await import("@slack/socket-mode");
  const { logger, ...others } = clientOptions(apiUrl);
  const client = new SocketModeClient({
    appToken,
    clientOptions: others,
    ...(logger === undefined ? {} : { logger }),
  });
  client.on("error", onError);
  client.on("interactive", ({ envelope_id, body, ack }: Envelope) => {
    said(envelope_id, body)
      .then((reply) => (reply.status === 200 ? ack(reply.body) : undefined))
      .catch(onError);
  });
  await client.start();
  return { close: () => client.disconnect() };
}
