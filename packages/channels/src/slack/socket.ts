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

/** The package is loaded only where it is used; the connection is made in the background. An answer is acknowledged after it was recorded, never before. */
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
  let closed = false;
  client.on("error", onError);
  // The client goes on with a start that was under way when it was told to stop.
  client.on("connecting", () => {
    if (closed) setImmediate(() => client.disconnect().catch(onError));
  });
  client.on("interactive", ({ envelope_id, body, ack }: Envelope) => {
    said(envelope_id, body)
      .then((reply) => (reply.status === 200 ? ack(reply.body) : undefined))
      .catch(onError);
  });
  client.start().catch((error: unknown) => {
    if (!closed) onError(error ?? new Error("slack closed the socket before it was ready"));
  });
  return {
    async close() {
      closed = true;
      if (client.websocket !== undefined) await client.disconnect();
    },
  };
}
