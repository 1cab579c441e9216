/** Where the command keeps its compiled form: that is code, so that nobody else may write there. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const BIN = fileURLToPath(new URL("../bin/saferun.mjs", import.meta.url));

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "saferun-home-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function version(variables: Readonly<Record<string, string>> = {}): number | null {
  const env = { PATH: process.env.PATH, HOME: home, ...variables };
  return spawnSync(process.execPath, [BIN, "--version"], { env, cwd: home }).status;
}

it("lies in the account's own cache, where only the account writes", () => {
  expect(version()).toBe(0);
  const directory = join(home, ".cache", "saferun", "compiled");
  expect(statSync(directory).mode & 0o077).toBe(0);
  expect(readdirSync(directory)).not.toEqual([]);
});

it("lies nowhere where others write, or a link leads elsewhere", () => {
  const elsewhere = join(home, "elsewhere");
  mkdirSync(elsewhere);
  const open = join(home, "open", "saferun", "compiled");
  mkdirSync(open, { recursive: true });
  chmodSync(open, 0o777);
  mkdirSync(join(home, "linked", "saferun"), { recursive: true });
  symlinkSync(elsewhere, join(home, "linked", "saferun", "compiled"));
  expect(version({ XDG_CACHE_HOME: join(home, "open") })).toBe(0);
  expect(version({ XDG_CACHE_HOME: join(home, "linked") })).toBe(0);
  expect([...readdirSync(open), ...readdirSync(elsewhere)]).toEqual([]);
});

it("lies nowhere below a directory where others write: they could put another in its place", () => {
  const shared = join(home, "shared");
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  expect(version({ XDG_CACHE_HOME: shared })).toBe(0);
  expect(readdirSync(join(shared, "saferun", "compiled"))).toEqual([]);
});

it("lies never in the project, which may bring code of its own", () => {
  expect(version({ HOME: "" })).toBe(0);
  expect(version({ HOME: "", XDG_CACHE_HOME: ".cache" })).toBe(0);
  expect(readdirSync(home)).toEqual([]);
});

it("is no condition of running", () => {
  expect(version({ XDG_CACHE_HOME: "/dev/null" })).toBe(0);
});
