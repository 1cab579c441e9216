/** The command as a process of its own, as people run it. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../bin/saferun.mjs", import.meta.url));

export interface Place {
  /** The working directory of the command. */
  readonly cwd: string;
  readonly store: string;
  readonly state: string;
  remove(): void;
}

/** A directory of its own, with a state directory outside of it. */
export function makePlace(): Place {
  const root = mkdtempSync(join(tmpdir(), "saferun-cli-"));
  const cwd = mkdtempSync(join(root, "project-"));
  return {
    cwd,
    store: join(cwd, "store"),
    state: join(root, "state"),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  json(): Record<string, unknown>;
}

export async function saferun(
  place: Place,
  args: readonly string[],
  input: string | Uint8Array = "",
  variables: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const child = start(place, args, variables);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return {
    code,
    stdout: stdout(),
    stderr: stderr(),
    json: () => JSON.parse(stdout()) as Record<string, unknown>,
  };
}

export function start(
  place: Place,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  const { NODE_COMPILE_CACHE, PATH } = process.env;
  const env = { NODE_COMPILE_CACHE, ...variables, PATH, HOME: place.cwd, SAFERUN_STATE_DIR: place.state };
  return spawn(process.execPath, [BIN, ...args], { cwd: place.cwd, env });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString();
}
