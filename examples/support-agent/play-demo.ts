/** Plays the demo as a process of its own, as `npm start` does: for the tests and for the picture. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Played {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PlayOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Sent once standard output holds `when`. */
  readonly send?: { readonly signal: NodeJS.Signals; readonly when: string };
}

const DEMO = fileURLToPath(new URL("demo.ts", import.meta.url));
const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const FLAGS = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];
const LIMIT_MS = 90_000;

/** Never rejects, and never takes longer than the limit; standard input is no terminal. */
export function playDemo(args: readonly string[], { env = {}, send }: PlayOptions = {}): Promise<Played> {
  const child = spawn(process.execPath, [...FLAGS, DEMO, ...args], {
    cwd: REPOSITORY,
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  let [stdout, stderr, sent] = ["", "", false];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (send === undefined || sent || !stdout.includes(send.when)) return;
    sent = true;
    child.kill(send.signal);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ code: null, signal: null, stdout, stderr: `${stderr}${error.message}` }));
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
