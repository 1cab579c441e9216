/** A server on loopback that keeps what it gets, and answers what a test wants. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json } from "@saferun/core";

export interface Got {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Json;
}

export interface Answering {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Standing {
  readonly url: string;
  readonly got: Got[];
  /** What the next requests get, in order; then 200. */
  readonly answers: Answering[];
  close(): Promise<void>;
}

export async function standUp(otherwise: Answering = { status: 200 }): Promise<Standing> {
  const got: Got[] = [];
  const answers: Answering[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += String(piece);
    got.push({ path: request.url ?? "", headers: request.headers, text, json: text === "" ? null : JSON.parse(text) });
    const { status, headers = {}, body = "" } = answers.shift() ?? otherwise;
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    got,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
