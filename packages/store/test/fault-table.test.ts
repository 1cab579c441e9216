/**
 * Faults of the disk, the machine and the clock, each against a real process with a real gate: what was acknowledged is there,
 * the log verifies, and no tool has run of which the log does not know. Makes the table in docs/faults.md.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseHeader } from "@saferun/core";
import { afterAll, describe, expect, it, vi } from "vitest";
import { openSqliteStore, verifyStore } from "../src/index.ts";
import { afterCut, HAS_STRACE, recordDisk, restore } from "./power-cut.ts";

vi.setConfig({ testTimeout: 600_000 });

const base = mkdtempSync(join(tmpdir(), "saferun-fault-table-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let count = 0;
const fresh = (): string => join(base, String(count++));
const CALLS = 30;
const script = fileURLToPath(new URL("./gated-process.ts", import.meta.url));
const words = (directory: string, mode = "") => [
  "--conditions=@saferun/source",
  "--disable-warning=ExperimentalWarning",
  script,
  directory,
  String(CALLS),
  mode,
];

/** Runs it; `seen` is told what it has said so far, and may end it. */
function run(
  directory: string,
  { inject, mode, seen }: { inject?: string; mode?: string; seen?: (said: string, kill: () => void) => void },
): Promise<string> {
  const node = [process.execPath, ...words(directory, mode)];
  const strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `inject=${inject}`];
  const [command = "", ...rest] = inject === undefined ? node : [...strace, ...node];
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    seen?.(said, () => child.kill("SIGKILL"));
  });
  return new Promise((resolve) => child.on("close", () => resolve(said)));
}

interface Outcome {
  readonly ran: number;
  readonly lost: readonly string[];
  readonly withoutEntry: readonly string[];
  readonly status: string;
  readonly faults: readonly unknown[];
}

/** The store is opened again, which is what a person does next. */
async function outcomeOf(directory: string, said: string): Promise<Outcome> {
  const store = openSqliteStore({ directory });
  const { size } = await store.head();
  const headers = (await store.entries({ from: 0, limit: size })).map(({ header }) => parseHeader(header));
  const { status, faults } = await verifyStore(store);
  await store.close();
  const withType = (type: string) =>
    new Set(headers.flatMap((header) => (header.type === type ? (header.call ?? []) : [])));
  const [claimed, finished] = [withType("call.executing"), withType("call.finished")];
  // The last line may be half.
  const lines = said.split("\n").slice(0, -1);
  const ids = (word: string) =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? line.slice(word.length + 1) : []));
  return {
    ran: ids("ran").length,
    lost: ids("done").filter((id) => !finished.has(id)),
    withoutEntry: ids("ran").filter((id) => !claimed.has(id)),
    status,
    faults,
  };
}

const table: string[] = [];

function holds(fault: string, then: string, outcome: Outcome): void {
  const { lost, withoutEntry, status, faults } = outcome;
  const clean = { lost: [], withoutEntry: [], status: "self-consistent", faults: [] };
  expect({ lost, withoutEntry, status, faults }, fault).toEqual(clean);
  table.push(`| ${fault} | 0 | yes | 0 | ${then} |`);
}

describe.runIf(HAS_STRACE)("faults under a gate that is at work [L1~]", () => {
  it.each([
    ["the disk is full", "pwrite64:error=ENOSPC:when=120+"],
    ["the file system turns read-only", "pwrite64:error=EROFS:when=120+"],
    ["an I/O error at a write, from then on", "pwrite64:error=EIO:when=120+"],
    ["an I/O error at a sync, from then on", "fsync:error=EIO:when=25+"],
  ])("%s: calls are denied from then on", async (fault, inject) => {
    const directory = fresh();
    const outcome = await outcomeOf(directory, await run(directory, { inject }));
    expect([outcome.ran > 0, outcome.ran < CALLS]).toEqual([true, true]);
    holds(fault, "calls are denied", outcome);
  });

  it.each([
    ["one I/O error at a write", "pwrite64:error=EIO:when=120"],
    ["one I/O error at a sync", "fsync:error=EIO:when=25"],
  ])("%s: what it hit is denied or unknown, what follows goes on", async (fault, inject) => {
    const directory = fresh();
    const outcome = await outcomeOf(directory, await run(directory, { inject }));
    expect(outcome.ran).toBeGreaterThanOrEqual(CALLS - 2);
    holds(fault, "the call that it hit is denied or its outcome unknown; the next ones run", outcome);
  });

  it("the power is cut", async () => {
    const directory = fresh();
    const events = recordDisk(directory, fresh(), words(directory));
    const said = events.flatMap(({ kind }, index) => (kind === "said" ? [index] : []));
    for (const share of [0.1, 0.5, 0.9]) {
      const { files, said: heard } = afterCut(events, (said[Math.floor(said.length * share)] ?? 0) + 1, () => false);
      const cut = fresh();
      restore(cut, files);
      const outcome = await outcomeOf(cut, heard);
      expect(outcome.ran).toBeGreaterThanOrEqual(1);
      if (share === 0.9) holds("the power is cut, and nothing unsynced survives", "the log goes on", outcome);
      else expect(outcome).toMatchObject({ lost: [], withoutEntry: [], status: "self-consistent" });
    }
  });
});

describe("faults under a gate that is at work [L1~]", () => {
  it("the process is killed", async () => {
    const directory = fresh();
    const said = await run(directory, {
      seen: (text, kill) => {
        if (text.split("\n").length > 15) kill();
      },
    });
    holds("the process is killed (`kill -9`)", "the log goes on", await outcomeOf(directory, said));
  });

  it("the clock goes back an hour", async () => {
    const directory = fresh();
    const outcome = await outcomeOf(directory, await run(directory, { mode: "back" }));
    expect(outcome.ran).toBe(CALLS);
    holds("the clock goes back an hour", "store time stands still", outcome);
  });

  it("two processes write at once", async () => {
    const directory = fresh();
    const said = await Promise.all([run(directory, {}), run(directory, {})]);
    const outcome = await outcomeOf(directory, said.join(""));
    expect(outcome.ran).toBe(2 * CALLS);
    holds("two processes write at once", "both get through, one chain", outcome);
  });

  it("the store is copied while it is in use: the copy verifies as far as it goes, or is refused", async () => {
    const directory = fresh();
    const copies: string[] = [];
    const said = await run(directory, {
      seen: (text) => {
        if (copies.length >= 4 || text.split("\n").length < copies.length * 10 + 5) return;
        const copy = fresh();
        copies.push(copy);
        cpSync(directory, copy, { recursive: true });
      },
    });
    expect(copies.length).toBeGreaterThanOrEqual(1);
    for (const copy of copies) {
      const opened = await outcomeOf(copy, "").catch((error: { code?: unknown }) => error.code);
      if (typeof opened === "object") expect(opened).toMatchObject({ status: "self-consistent", faults: [] });
      else expect(opened).toBe("record.corrupt");
    }
    holds(
      "the store is copied while it is in use",
      "the original goes on; a copy verifies or is refused",
      await outcomeOf(directory, said),
    );
  });

  it.runIf(HAS_STRACE)("are as docs/faults.md says", async () => {
    const head =
      "| fault | acknowledged, lost | the log verifies | run without an entry | then |\n| --- | --- | --- | --- | --- |\n";
    await expect(`${PAGE}${head}${table.join("\n")}\n`).toMatchFileSnapshot("../../../docs/faults.md");
  });
});

const PAGE = `# Faults, and what the record does

Made by \`packages/store/test/fault-table.test.ts\`: a process with a real gate and store, whose tool is counted, under each of these. Errors of the disk are put in by strace, at the system calls of the real process. \`vitest run packages/store/test/fault-table -u\` writes this page anew.

`;
