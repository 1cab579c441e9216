/** A client of the Language Server Protocol over the server's standard streams: what an editor does, without the editor. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

export interface LanguageClient {
  request(method: string, params: unknown): Promise<unknown>;
  notify(method: string, params: unknown): void;
  /** Resolves with the parameters of the next notification of this kind that `fits`. */
  next(method: string, fits: (params: unknown) => boolean): Promise<unknown>;
  close(): void;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

export function startLanguageServer(file: string): LanguageClient {
  const server = spawn(process.execPath, [file, "--stdio"], { stdio: ["pipe", "pipe", "pipe"] });
  const answers = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  const waiting = new Set<{ method: string; fits(params: unknown): boolean; resolve(params: unknown): void }>();
  let id = 0;

  receive(server, (message) => {
    if (message.method !== undefined && message.id !== undefined) {
      // The server asks its editor: it has no settings and registers nothing.
      send(server, {
        id: message.id,
        result: message.method === "workspace/configuration" ? [{}, {}, {}, {}, {}] : null,
      });
    } else if (message.id !== undefined) {
      const answer = answers.get(message.id);
      if (message.error === undefined) answer?.resolve(message.result);
      else answer?.reject(new Error(JSON.stringify(message.error)));
    } else {
      for (const one of waiting) {
        if (one.method !== message.method || !one.fits(message.params)) continue;
        waiting.delete(one);
        one.resolve(message.params);
      }
    }
  });

  return {
    request(method, params) {
      const number = ++id;
      send(server, { id: number, method, params });
      return new Promise((resolve, reject) => answers.set(number, { resolve, reject }));
    },
    notify: (method, params) => send(server, { method, params }),
    next: (method, fits) => new Promise((resolve) => waiting.add({ method, fits, resolve })),
    close: () => void server.kill(),
  };
}

function send(server: ChildProcessWithoutNullStreams, message: Message): void {
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
  server.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
  server.stdin.write(body);
}

function receive(server: ChildProcessWithoutNullStreams, take: (message: Message) => void): void {
  let bytes = Buffer.alloc(0);
  server.stdout.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const end = bytes.indexOf("\r\n\r\n");
      const length = /Content-Length: (\d+)/i.exec(bytes.subarray(0, Math.max(0, end)).toString())?.[1];
      if (end < 0 || length === undefined || bytes.length < end + 4 + Number(length)) return;
      take(JSON.parse(bytes.subarray(end + 4, end + 4 + Number(length)).toString()) as Message);
      bytes = bytes.subarray(end + 4 + Number(length));
    }
  });
}
