/**
 * One tool server as a process of its own: `node main.ts NAME LEDGER`. Every request is first written to its ledger and
 * synced to disk, so that the ledgers say what really reached a tool, whatever the agent or the gate believe.
 * It tells its port over IPC and ends with the process that started it.
 */
import { fsyncSync, openSync, writeSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { type Operation, SERVERS, Unavailable } from "./operations.ts";

const BODY_BYTES = 1_000_000;

const [name = "", ledgerPath = ""] = process.argv.slice(2);
const operations = new Map<string, Operation>(Object.entries(SERVERS[name] ?? {}));
const ledger = openSync(ledgerPath, "a", 0o600);

const server = createServer(async (request, response) => {
  const answer = (status: number, body: unknown) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const tool = (request.url ?? "").slice(1);
  const operation = operations.get(tool);
  if (request.method !== "POST" || operation === undefined) return answer(404, { error: "no such operation" });
  try {
    const args = JSON.parse(await bodyOf(request)) as Record<string, unknown>;
    const key = request.headers["idempotency-key"] ?? null;
    writeSync(ledger, `${JSON.stringify({ server: name, tool, args, key, at: new Date().toISOString() })}\n`);
    fsyncSync(ledger);
    return answer(200, operation(args));
  } catch (error) {
    return answer(error instanceof Unavailable ? 503 : 400, { error: String(error) });
  }
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" ? address?.port : undefined });
});

// Ctrl-C reaches the whole group: the demo decides when its servers end, also by dying itself.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES) throw new Error("the request is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
