/** The local page of `saferun dev` over the demo's store, as a process of its own that ends with the demo. */
import { fork } from "node:child_process";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onEnd } from "./ending.ts";

const SAFERUN = fileURLToPath(new URL("../../packages/cli/bin/saferun.mjs", import.meta.url));
/** Also when the demo is killed: then its end of the channel closes. */
const ENDS_WITH_US = 'data:text/javascript,process.on("disconnect",()=>process.kill(process.pid,"SIGTERM"))';
const START_MS = 10_000;

/** The link that opens the page once; undefined where it cannot be started: then the terminal is enough. */
export async function startPage(store: string): Promise<string | undefined> {
  const args = ["dev", "--store", store, "--new", "--port", "0", "--no-open", "--json"];
  const page = fork(SAFERUN, args, {
    execArgv: ["--import", ENDS_WITH_US],
    stdio: ["ignore", "pipe", "ignore", "ipc"],
  });
  onEnd(() => page.kill("SIGTERM"));
  const late = setTimeout(() => page.kill("SIGTERM"), START_MS);
  try {
    // Without a first line the page has ended: it could not start, or was too slow.
    for await (const line of createInterface({ input: page.stdout ?? Readable.from([]) })) {
      return (JSON.parse(line) as { readonly link: string }).link;
    }
    return undefined;
  } finally {
    clearTimeout(late);
  }
}
