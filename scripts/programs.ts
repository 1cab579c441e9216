/**
 * Programs of the system that tests drive: a browser for the pages, strace for what disks do. Run as a program it installs
 * Debian's where one is missing and it may; prints nothing when all is well.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

interface Program {
  /** Any of them will do. */
  readonly names: readonly string[];
  /** A variable that names one of another place. */
  readonly variable?: string;
  readonly debian: string;
  readonly for: string;
}

const CHROMIUM: Program = {
  names: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
  variable: "CHROMIUM_PATH",
  debian: "chromium",
  for: "the tests of the pages",
};
const STRACE: Program = {
  names: ["strace"],
  debian: "strace",
  for: "the tests of power cuts and failing disks",
};

/** Undefined where there is none. */
export function findChromium(): string | undefined {
  return find(CHROMIUM);
}

function find({ names, variable }: Program): string | undefined {
  const named = variable === undefined ? "" : (process.env[variable] ?? "");
  if (named !== "") return named;
  const places = [...(process.env.PATH ?? "").split(path.delimiter), "/usr/bin", "/usr/local/bin"];
  return places.flatMap((place) => names.map((name) => path.join(place, name))).find((file) => existsSync(file));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const missing = [CHROMIUM, STRACE].filter((program) => find(program) === undefined);
  if (missing.length > 0 && process.getuid?.() === 0) installFromDebian(missing.map(({ debian }) => debian));
  for (const program of missing.filter((one) => find(one) === undefined)) {
    const named = program.variable === undefined ? "" : `, or name it in ${program.variable}`;
    process.stderr.write(`${program.for} need ${program.debian}: install it${named}\n`);
    process.exitCode = 1;
  }
}

function installFromDebian(names: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", ...names],
  ]) {
    process.stderr.write(`programs: apt-get ${args.join(" ")}\n`);
    spawnSync("apt-get", args, { env, stdio: ["ignore", process.stderr.fd, "inherit"] });
  }
}
