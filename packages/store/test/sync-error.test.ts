/** After a failed sync the pages may be marked clean that never reached the disk: the descriptor must not be asked again. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it, vi } from "vitest";
import { HAS_STRACE } from "./power-cut.ts";

vi.setConfig({ testTimeout: 120_000 });

const base = mkdtempSync(join(tmpdir(), "saferun-sync-error-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

it.runIf(HAS_STRACE)("a sync that failed is never tried again: the file is closed and opened first [L1~]", () => {
  const trace = join(base, "trace");
  const script = fileURLToPath(new URL("./gated-process.ts", import.meta.url));
  const node = [
    "--conditions=@saferun/source",
    "--disable-warning=ExperimentalWarning",
    script,
    join(base, "store"),
    "30",
  ];
  const inject = ["-e", "trace=fsync,fdatasync,openat,close", "-e", "inject=fsync:error=EIO:when=25"];
  const options = ["-f", "-qq", "-y", "-o", trace, ...inject];
  const { stdout, status } = spawnSync("strace", [...options, process.execPath, ...node], { encoding: "utf8" });
  expect(status).toBe(0);
  // The gate went on.
  expect(stdout.split("\n").filter((line) => line.startsWith("done ")).length).toBeGreaterThan(25);
  const lines = readFileSync(trace, "utf8").split("\n");
  const failed = lines.findIndex((line) => line.includes("(INJECTED)"));
  const [, thread = "", file = ""] = /^(\d+) +fsync\(\d+<([^>]+)>\)/.exec(lines[failed] ?? "") ?? [];
  expect(file).toMatch(/log\.db(-wal)?$/);
  const after = lines.slice(failed + 1).filter((line) => line.startsWith(thread) && line.includes(file));
  const calls = after.map((line) => /^\d+ +(\w+)\(/.exec(line)?.[1]);
  expect(calls.slice(0, 3)).toEqual(["close", "openat", "fsync"]);
});
