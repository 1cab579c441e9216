/** `saferun dev`, from the store that is opened to the last thing that is closed. */
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { recover, type Store, toLookAt } from "@saferun/core";
import { type CheckpointedStore, installation, nodeClock, nodeHash, nodeRandom } from "@saferun/store";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { DEFAULT_STORE, openUnsealedStore, requireStore } from "../store.ts";
import { type Access, createAccess } from "./access.ts";
import { createDevApi } from "./api.ts";
import { createDevApp } from "./app.ts";
import { openBrowser } from "./browser.ts";
import { runErrands } from "./errands.ts";
import { type Listening, listenOnLoopback } from "./listen.ts";
import { readPage } from "./page.ts";
import { writePrivateFile } from "./private-file.ts";

export interface DevOptions {
  readonly store: string;
  /** A store that was named by hand may be made. */
  readonly new?: boolean;
  readonly port: number;
  readonly json?: boolean;
  /** Undefined: on a terminal. */
  readonly open?: boolean;
  readonly policies?: readonly string[];
}

/** Until the process is told to end. */
export async function serveDev(io: Io, options: DevOptions): Promise<ExitCode> {
  // A mistyped name would be a page that stays empty, while the agent asks elsewhere.
  if (options.store !== DEFAULT_STORE && options.new !== true)
    requireStore(io, options.store, "compare the spelling, run your agent first, or make one there with `--new`");
  const { store, sealed } = openUnsealedStore(io, options.store);
  try {
    const repaired = await recover(store, nodeClock);
    for (const line of toLookAt(repaired)) io.warn(line);
    return await serve(io, options, { store, sealed });
  } finally {
    await store.close();
  }
}

interface Stores {
  readonly store: Store;
  readonly sealed: CheckpointedStore;
}

async function serve(io: Io, options: DevOptions, { store, sealed }: Stores): Promise<ExitCode> {
  const stopped = stopSignal();
  const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom };
  const page = readPage();
  const directory = resolve(io.cwd, options.store);
  const api = createDevApi({ io, store, sealed, directory, policies: options.policies ?? [] });
  let access: Access | undefined;
  const listening = await listenOnLoopback(options.port, (port) => {
    access = createAccess(port, nodeClock.now);
    return createDevApp({ port, access, page, api: api.app }).fetch;
  });
  const errands = runErrands(ports, io.warn);
  const state = installation().directory;
  const tokenFile = join(state, `dev-${listening.port}.json`);
  const linkFile = join(state, `dev-${listening.port}.html`);
  try {
    if (access !== undefined) await announce(io, options, { access, listening, tokenFile, linkFile, stopped });
    return EXIT.fine;
  } finally {
    await listening.close();
    await errands.end();
    await api.close();
    for (const file of [tokenFile, linkFile]) rmSync(file, { force: true });
  }
}

interface Served {
  readonly access: Access;
  readonly listening: Listening;
  readonly tokenFile: string;
  readonly linkFile: string;
  readonly stopped: Promise<void>;
}

/** Says where the page is, hands out new links on Enter, and ends with Ctrl+C. */
async function announce(io: Io, options: DevOptions, served: Served): Promise<void> {
  const { access, listening, tokenFile, linkFile } = served;
  const { bold, dim } = io.style;
  const url = `http://127.0.0.1:${listening.port}`;
  const link = () => `${url}/#${access.issueLink()}`;
  writePrivateFile(tokenFile, `${JSON.stringify({ url, token: access.token, pid: process.pid })}\n`);
  const first = link();
  if (options.json) io.print(JSON.stringify({ url, link: first, token_file: tokenFile, store: options.store }));
  else {
    io.print(`${bold("SafeRun")} on ${printable(options.store)}`);
    io.print(`  open   ${bold(first)}`);
    io.print(dim(`  token  in ${tokenFile}, for programs`));
    const more = io.interactive ? "Enter prints a new link (each opens one browser, once); " : "";
    io.print(dim(`  ${more}Ctrl+C stops`));
  }
  const opens = options.open ?? (io.interactive && !options.json);
  if (opens) openBrowser(link(), linkFile);
  const lines = io.interactive ? createInterface({ input: io.stdin }) : undefined;
  lines?.on("line", () => io.print(`  open   ${bold(link())}`));
  await served.stopped;
  lines?.close();
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}
