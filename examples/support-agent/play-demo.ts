/** Plays the demo as a process of its own, as `npm start` does: for the tests and for the picture. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Played {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PlayOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Done once, as soon as standard output holds `when`. */
  readonly once?: { readonly when: string; readonly act: (demo: ChildProcess) => void };
}

const DEMO = fileURLToPath(new URL("demo.ts", import.meta.url));
const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const FLAGS = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];
/** Starting Node's modules is most of the time: the second start finds them compiled. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/node", import.meta.url));
const LIMIT_MS = 90_000;

/**
 * Resolves when the demo and all that shares its standard error, its servers among it, have ended. Never rejects;
 * standard input is no terminal.
 */
export function playDemo(args: readonly string[], { env = {}, once }: PlayOptions = {}): Promise<Played> {
  const child = spawn(process.execPath, [...FLAGS, DEMO, ...args], {
    cwd: REPOSITORY,
    env: { ...process.env, NODE_COMPILE_CACHE: CACHE, NO_COLOR: "1", FORCE_COLOR: undefined, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  let [stdout, stderr, done] = ["", "", false];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (once === undefined || done || !stdout.includes(once.when)) return;
    done = true;
    once.act(child);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ code: null, signal: null, stdout, stderr: `${stderr}${error.message}` }));
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
