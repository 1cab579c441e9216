/** Listening on the loopback addresses only, on both or not at all where both exist. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { failed } from "../exit.ts";

export interface Listening {
  readonly port: number;
  /** Stops accepting, cuts what is open. */
  close(): Promise<void>;
}

type Fetch = (request: Request) => Response | Promise<Response>;

/**
 * A port that is taken on either address is an error: whoever holds it on the other one would get requests meant for us.
 * `port` 0 takes any free one. `app` is asked for once the port is known.
 */
export async function listenOnLoopback(port: number, app: (port: number) => Fetch): Promise<Listening> {
  let fetch: Fetch = () => new Response(null, { status: 503 });
  const listener = getRequestListener((request) => fetch(request), { overrideGlobalObjects: false });
  const first = createServer(listener);
  await listen(first, port, "127.0.0.1");
  const { port: taken } = first.address() as AddressInfo;
  const servers = [first];
  const second = createServer(listener);
  try {
    await listen(second, taken, "::1");
    servers.push(second);
  } catch (error) {
    if (!hasNoIpv6(error)) {
      await close(first);
      throw error;
    }
  }
  fetch = app(taken);
  return { port: taken, close: async () => void (await Promise.all(servers.map(close))) };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      const message = `port ${port} is taken on ${host}: stop the other program, or choose another one with --port`;
      reject(taken ? failed("port.taken", message) : error);
    });
    server.listen({ port, host, ipv6Only: true }, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function hasNoIpv6(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT");
}
