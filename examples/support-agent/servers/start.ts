/** Starts the tool servers, each its own process with its own ledger file, and reads the ledgers back. */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SERVERS } from "./operations.ts";

/** One request that reached a server. `key` is the idempotency key that the tool sent along. */
export interface Executed {
  readonly server: string;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly key: string | null;
  readonly at: string;
}

export interface ToolServers {
  /** Base URL by server name. */
  readonly urls: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const START_MS = 10_000;

export async function startToolServers(directory: string): Promise<ToolServers> {
  const children: ChildProcess[] = [];
  const stop = async () => {
    await Promise.all(children.map(end));
  };
  try {
    const urls = await Promise.all(
      Object.keys(SERVERS).map(async (name) => {
        const child = fork(new URL("./main.ts", import.meta.url), [name, ledgerOf(directory, name)], {
          stdio: ["ignore", "ignore", "inherit", "ipc"],
        });
        children.push(child);
        return [name, `http://127.0.0.1:${await portOf(child, name)}`] as const;
      }),
    );
    return { urls: Object.fromEntries(urls), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What really ran, from the ledger files alone, in the order of each server. */
export function readLedgers(directory: string): Executed[] {
  return Object.keys(SERVERS).flatMap((name) => {
    const path = ledgerOf(directory, name);
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Executed);
  });
}

function ledgerOf(directory: string, name: string): string {
  return join(directory, `${name}.jsonl`);
}

function portOf(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the ${name} server did not start in time`)), START_MS);
    child.once("message", (message: { readonly port: number }) => {
      clearTimeout(timer);
      resolve(message.port);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`the ${name} server ended with code ${code}`));
    });
  });
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}
