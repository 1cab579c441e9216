/** Asks an MCP server that talks over its standard streams for its tools, and ends it. One line of JSON-RPC a message. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import type { Json, JsonObject } from "@saferun/core";
import { lineBatches } from "../eval/lines.ts";
import { failed } from "../exit.ts";
import { printable, short } from "../output/printable.ts";
import { listOf, mapOf } from "./argument-schema.ts";

/** Long enough for a package runner that fetches the server first. */
const DEADLINE_MS = 60_000;
const ENDING_MS = 2_000;
const MOST_PAGES = 100;
const MESSAGE_BYTES = 8 * 1_048_576;
const PROTOCOL = "2025-06-18";

/** All tools, page by page. @throws CommandError when the server does not start, does not answer in time, or answers with an error. */
export async function listServerTools(command: readonly string[], cwd: string): Promise<Json> {
  const [file = "", ...args] = command;
  const server = spawn(file, args, { cwd, stdio: ["pipe", "pipe", "pipe"] });
  const said = lastWords(server);
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  try {
    const gone = ended(server);
    return await Promise.race([conversation(server, gone), gone, once(deadline, "abort").then(tooLate)]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const words = said();
    const more = words === "" ? "" : `; it said: ${words}`;
    throw failed("init.server", `the MCP server \`${printable(command.join(" "))}\` ${printable(why)}${more}`);
  } finally {
    await end(server);
  }
}

async function conversation(server: ChildProcessWithoutNullStreams, gone: Promise<never>): Promise<Json> {
  const messages = incoming(server);
  const ask = async (id: number, method: string, params: JsonObject): Promise<JsonObject> => {
    send(server, { jsonrpc: "2.0", id, method, params });
    for (;;) {
      const { value: message, done } = await messages.next();
      if (done === true) return gone;
      if (message.id === id && message.method === undefined) {
        if (message.error === undefined) return mapOf(message.result);
        throw new Error(`answered \`${method}\` with an error: ${String(mapOf(message.error).message)}`);
      }
      // A question of the server's own. It is told nothing of this machine.
      if (message.id !== undefined && message.method === "ping")
        send(server, { jsonrpc: "2.0", id: message.id, result: {} });
      else if (message.id !== undefined && message.method !== undefined) {
        const error = { code: -32_601, message: "not supported" };
        send(server, { jsonrpc: "2.0", id: message.id, error });
      }
    }
  };
  const clientInfo = { name: "saferun", version: "0" };
  await ask(1, "initialize", { protocolVersion: PROTOCOL, capabilities: {}, clientInfo });
  send(server, { jsonrpc: "2.0", method: "notifications/initialized" });
  const tools: Json[] = [];
  let cursor: Json | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await ask(2 + page, "tools/list", cursor === undefined ? {} : { cursor });
    tools.push(...listOf(answer.tools));
    cursor = answer.nextCursor;
    if (typeof cursor !== "string") return { tools };
  }
  throw new Error(`has more than ${MOST_PAGES} pages of tools`);
}

/** What is no JSON object is a log line of a careless server. */
async function* incoming(server: ChildProcessWithoutNullStreams): AsyncGenerator<JsonObject, undefined> {
  for await (const batch of lineBatches(server.stdout, MESSAGE_BYTES)) {
    for (const line of batch) {
      if ("problem" in line) throw new Error(`sent ${line.problem}`);
      const message = mapOf(parsed(line.text));
      if (message.jsonrpc === "2.0") yield message;
    }
  }
  return undefined;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

function send(server: ChildProcessWithoutNullStreams, message: JsonObject): void {
  server.stdin.write(`${JSON.stringify(message)}\n`);
}

async function ended(server: ChildProcessWithoutNullStreams): Promise<never> {
  // A server that is gone is told of by its end; writing to it is no error of its own.
  server.stdin.on("error", () => undefined);
  const [code] = await once(server, "exit").catch((error: Error) =>
    Promise.reject(new Error(`did not start: ${error.message}`)),
  );
  throw new Error(`ended with code ${String(code)} before it answered`);
}

function tooLate(): never {
  throw new Error(`did not answer within ${DEADLINE_MS / 1_000} s`);
}

/** The end of what it wrote to standard error. */
function lastWords(server: ChildProcessWithoutNullStreams): () => string {
  let words = "";
  server.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-400);
  });
  return () => short(words.trim(), 400);
}

async function end(server: ChildProcessWithoutNullStreams): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const gone = once(server, "exit").catch(() => undefined);
  server.stdin.end();
  server.kill("SIGTERM");
  const late = setTimeout(() => server.kill("SIGKILL"), ENDING_MS);
  await gone;
  clearTimeout(late);
}
