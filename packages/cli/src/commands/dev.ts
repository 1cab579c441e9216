/** `saferun dev`: the local page over the store of this project. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type DecisionPorts, recover, type Store, toLookAt } from "@saferun/core";
import { installation, nodeClock, nodeHash, nodeRandom } from "@saferun/store";
import { type Command, InvalidArgumentError } from "commander";
import { foreseeing } from "../approvals/foresee.ts";
import { type CommandSetup, describe, type Shared } from "../command.ts";
import { type Access, createAccess } from "../dev/access.ts";
import { createDevApp } from "../dev/app.ts";
import { openBrowser } from "../dev/browser.ts";
import { runErrands } from "../dev/errands.ts";
import { type Listening, listenOnLoopback } from "../dev/listen.ts";
import { readPage } from "../dev/page.ts";
import { writePrivateFile } from "../dev/private-file.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";
import { printable } from "../output/printable.ts";
import { openStore, storeOption } from "../store.ts";

interface Options extends Shared {
  readonly store: string;
  readonly port: number;
  readonly open?: boolean;
}

export function registerDev(parent: Command, { io, run }: CommandSetup): void {
  const command = parent
    .command("dev")
    .summary("open the local page: approvals and runs")
    .description(
      "Serves a page over the store of this project, to this machine and this account only, until Ctrl+C.\n" +
        "The printed link opens it once; its token for programs stands in a file that only you can read.",
    )
    .addOption(storeOption())
    .option("--port <number>", "the port; 0 takes any free one", portOf, 4242)
    .option("--open", "open the browser (default: on a terminal)")
    .option("--no-open", "do not open the browser")
    .action(run((options: Options) => dev(io, options)));
  describe(command, ["saferun dev", "saferun dev --port 5000 --no-open"]);
}

async function dev(io: Io, options: Options): Promise<ExitCode> {
  const store = openStore(io, options.store);
  try {
    const repaired = await recover(store, nodeClock);
    for (const line of toLookAt(repaired)) io.warn(line);
    return await serve(io, options, store);
  } finally {
    await store.close();
  }
}

async function serve(io: Io, options: Options, store: Store): Promise<ExitCode> {
  const stopped = stopSignal();
  const foresee = foreseeing(io, { store, clock: nodeClock });
  const ports: DecisionPorts = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom, foresee };
  const page = readPage();
  let access: Access | undefined;
  const listening = await listenOnLoopback(options.port, (port) => {
    access = createAccess(port, nodeClock.now);
    return createDevApp({ ports, port, access, page, user: io.user }).fetch;
  });
  const errands = runErrands(ports, io.warn);
  const directory = installation().directory;
  const tokenFile = join(directory, `dev-${listening.port}.json`);
  const linkFile = join(directory, `dev-${listening.port}.html`);
  try {
    if (access !== undefined) await announce(io, options, { access, listening, tokenFile, linkFile, stopped });
    return EXIT.fine;
  } finally {
    await listening.close();
    await errands.end();
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
async function announce(io: Io, options: Options, served: Served): Promise<void> {
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

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError("it is a number from 0 to 65535");
  return port;
}
