/** The local page of `saferun dev` over the demo's store, as a process of its own that ends with the demo. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SAFERUN = fileURLToPath(new URL("../../packages/cli/bin/saferun.mjs", import.meta.url));
const START_MS = 10_000;

let page: ChildProcess | undefined;

/** The link that opens the page once; undefined where it cannot be started: then the terminal is enough. */
export async function startPage(store: string): Promise<string | undefined> {
  const args = ["dev", "--store", store, "--port", "0", "--no-open", "--json"];
  page = spawn(process.execPath, [SAFERUN, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  const { stdout } = page;
  if (stdout === null) return undefined;
  try {
    const [line] = await once(createInterface({ input: stdout }), "line", { signal: AbortSignal.timeout(START_MS) });
    const { link } = JSON.parse(String(line)) as { readonly link: string };
    return link;
  } catch {
    stopPage();
    return undefined;
  }
}

export function stopPage(): void {
  page?.kill("SIGTERM");
}
