/** The command line of the demo, and where it keeps its files. */
import { chmodSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export const USAGE = `usage: npm start -- [--once] [--json] [--data DIR]
  --once      play it without a person: the demo answers the approval itself
  --json      print only what ran, was decided and tripped, and whether the log verifies (implies --once)
  --data DIR  go on in the data directory of an earlier start, for example after a crash`;

export interface DemoOptions {
  readonly once: boolean;
  readonly json: boolean;
  /** A directory of an earlier start. */
  readonly data?: string;
}

/** @throws TypeError for anything it does not know. */
export function readOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { once: { type: "boolean" }, json: { type: "boolean" }, data: { type: "string" } },
  });
  const json = values.json === true;
  return { once: json || values.once === true, json, ...(values.data === undefined ? {} : { data: values.data }) };
}

/** A fresh directory for this start alone, readable by its owner only; or the one of an earlier start. */
export function openDataDirectory(earlier: string | undefined): string {
  if (earlier !== undefined) {
    const directory = resolve(earlier);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
    return directory;
  }
  const home = fileURLToPath(new URL(".saferun-demo/", import.meta.url));
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    return mkdtempSync(join(home, "start-"));
  } catch {
    return mkdtempSync(join(tmpdir(), "saferun-demo-"));
  }
}

/** As short as it can be typed from here. */
export function shortPath(path: string): string {
  const here = relative(process.cwd(), path);
  return here.startsWith("..") ? path : here;
}
