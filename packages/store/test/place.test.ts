/** Where a store cannot be: an error, at once. In a process of its own, since what hangs there hangs for good. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const PROGRAM = `
import { openSqliteStore } from "@saferun/store";
try {
  await openSqliteStore({ directory: process.argv[1] }).close();
  console.log("opened");
} catch (error) {
  console.log(error.code + ": " + error.message);
}`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "saferun-place-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function opened(directory: string): string {
  const options = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning", "--input-type=module"];
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const { stdout } = spawnSync(process.execPath, [...options, "-e", PROGRAM, directory], {
    cwd,
    encoding: "utf8",
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  return stdout.trim();
}

it("below what is no disk, a file, or a link to nowhere there is none", () => {
  expect(opened("/proc/saferun/store")).toMatch(/^record\.unavailable: /);
  writeFileSync(join(root, "file"), "");
  expect(opened(join(root, "file", "store"))).toMatch(/^record\./);
  symlinkSync(join(root, "nowhere"), join(root, "link"));
  expect(opened(join(root, "link"))).toMatch(/^record\./);
  expect(existsSync(join(root, "nowhere"))).toBe(false);
});

it("a path of which nothing is there is made, each part of it for this account alone", () => {
  mkdirSync(join(root, "there"));
  expect(opened(join(root, "there", "one", "two"))).toBe("opened");
  for (const part of ["there/one", "there/one/two"]) expect(statSync(join(root, part)).mode & 0o777).toBe(0o700);
  expect(opened(join(root, "there", "one", "two"))).toBe("opened");
});
