import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseHeader, type Store } from "@saferun/core";
import { afterAll, describe, expect, it, vi } from "vitest";
import { createCheckpointer, createFileSigner, openSqliteStore, verifyStore } from "../src/index.ts";

// Processes of their own on a machine that may be busy: a bound against a hang, not an expectation.
vi.setConfig({ testTimeout: 180_000 });

const base = mkdtempSync(join(tmpdir(), "saferun-crash-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const script = fileURLToPath(new URL("./appending-process.ts", import.meta.url));
const flags = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];

/** Runs the appending process; `killAfter` acknowledged entries it is killed. */
function append(directory: string, count: number, killAfter = Number.POSITIVE_INFINITY) {
  const child = spawn(process.execPath, [...flags, script, directory, String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (said.split("\n").length > killAfter) child.kill("SIGKILL");
  });
  return new Promise<{ acknowledged: string[]; signal: string | null; code: number | null }>((resolve) => {
    // The last line may be half: only what ends in a line break was said.
    child.on("close", (code, signal) => resolve({ acknowledged: said.split("\n").slice(0, -1), signal, code }));
  });
}

async function callsIn(store: Store): Promise<string[]> {
  const { size } = await store.head();
  const entries = await store.entries({ from: 0, limit: size });
  return entries.flatMap((entry) => parseHeader(entry.header).call ?? []);
}

describe("kill -9 of the writing process [L1~]", () => {
  it("loses no acknowledged entry, and the log goes on and verifies, three times", async () => {
    const directory = join(base, "killed");
    const acknowledged: string[] = [];
    let recoveries = 0;
    for (let round = 0; round < 3; round++) {
      const ended = await append(directory, 1_000_000, 50 + 60 * round);
      expect(ended.signal).toBe("SIGKILL");
      acknowledged.push(...ended.acknowledged);
      expect(ended.acknowledged.length).toBeGreaterThanOrEqual(50);

      const signer = createFileSigner(join(directory, "log.key"));
      const below = openSqliteStore({ directory });
      const stored = new Set(await callsIn(below));
      expect(acknowledged.filter((call) => !stored.has(call))).toEqual([]);
      expect(await below.deadWriters()).toHaveLength(round * 2 + 1);
      const store = createCheckpointer(below, signer);
      await store.commit({ entries: [{ type: "call.lost" }] });
      await store.checkpoint();
      recoveries++;
      const entries = await store.entries({ from: 0, limit: 10_000 });
      const recovered = entries.filter((entry) => parseHeader(entry.header).type === "log.recovered");
      expect(recovered).toHaveLength(recoveries);
      const result = await verifyStore(store, { pinned: signer.vkey });
      expect(result).toMatchObject({ status: "verified", unsigned: 0, faults: [] });
      await store.close();
    }
  });
});

describe("two processes that write one store (trap 22)", () => {
  it("make one chain, and both get through", async () => {
    const directory = join(base, "shared");
    const ended = await Promise.all([append(directory, 200), append(directory, 200)]);
    expect(ended.map(({ code, acknowledged }) => [code, acknowledged.length])).toEqual([
      [0, 200],
      [0, 200],
    ]);
    const store = openSqliteStore({ directory });
    const stored = await callsIn(store);
    expect([...stored].sort()).toEqual(ended.flatMap(({ acknowledged }) => acknowledged).sort());
    expect(await verifyStore(store)).toMatchObject({ status: "self-consistent", size: 400, faults: [] });
    await store.close();
  });
});
