/** A loopback server in front of a vendor's emulator: it notes what passes, and fails where a test wants it to. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Passed {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly authorization: string;
}

/** Instead of what the emulator answers, or after it has answered. */
export type Fault = (passed: Passed, answer: () => Promise<Response>) => Promise<Response> | undefined;

export interface Front {
  readonly url: string;
  readonly passed: Passed[];
  /** Asked for each request; the first that answers wins. */
  readonly faults: Fault[];
  readonly server: Server;
  close(): Promise<void>;
}

export async function openFront(behind: string): Promise<Front> {
  const passed: Passed[] = [];
  const faults: Fault[] = [];
  const server = createServer((request, response) => {
    pass(request, response).catch((error: unknown) => {
      response.writeHead(502).end(String(error));
    });
  });
  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces).toString();
    const authorization = request.headers.authorization ?? "";
    const seen = { method: request.method ?? "", path: request.url ?? "", body, authorization };
    passed.push(seen);
    const answer = () => {
      const headers = new Headers();
      for (const name of ["authorization", "content-type"]) {
        const value = request.headers[name];
        if (typeof value === "string") headers.set(name, value);
      }
      return fetch(`${behind}${seen.path}`, { method: seen.method, headers, ...(body === "" ? {} : { body }) });
    };
    const fault = faults.map((make) => make(seen, answer)).find((made) => made !== undefined);
    const result = await (fault ?? answer());
    const text = await result.text();
    const headers: Record<string, string> = { "content-type": result.headers.get("content-type") ?? "text/plain" };
    const after = result.headers.get("retry-after");
    if (after !== null) headers["retry-after"] = after;
    response.writeHead(result.status, headers).end(text);
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    passed,
    faults,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
