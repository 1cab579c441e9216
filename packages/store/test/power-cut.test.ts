import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { parseHeader } from "@saferun/core";
import { afterAll, describe, expect, it, vi } from "vitest";
import { openSqliteStore, verifyStore } from "../src/index.ts";
import { afterCut, type DiskEvent, HAS_STRACE, recordDisk, restore } from "./power-cut.ts";
import { randomOf } from "./tamper-program.ts";

vi.setConfig({ testTimeout: 1_800_000 });

/** Each cut is tried with nothing of the unsynced writes, and with some of them. */
const CUTS = Number(process.env.SAFERUN_POWER_CUTS ?? 4);
const base = mkdtempSync(join(tmpdir(), "saferun-power-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let count = 0;
const fresh = (): string => join(base, String(count++));

function recorded(script: URL, rows: number): DiskEvent[] {
  const flags = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];
  const directory = fresh();
  return recordDisk(directory, fresh(), [...flags, fileURLToPath(script), directory, String(rows)]);
}

/** So many places from the first acknowledgement to the last, evenly. */
function cutsIn(events: readonly DiskEvent[]): number[] {
  const first = events.findIndex(({ kind }) => kind === "said") + 1;
  const last = events.findLastIndex(({ kind }) => kind === "said") + 1;
  return Array.from({ length: CUTS }, (_, at) => Math.round(first + ((last - first) * at) / (CUTS - 1)));
}

const lines = (said: string): string[] => said.split("\n").slice(0, -1);

async function callsAfter(files: ReadonlyMap<string, Buffer>): Promise<{ calls: Set<string>; status: string }> {
  const directory = fresh();
  restore(directory, files);
  const store = openSqliteStore({ directory });
  const { size } = await store.head();
  const entries = await store.entries({ from: 0, limit: size });
  const { status } = await verifyStore(store);
  await store.close();
  return { calls: new Set(entries.flatMap(({ header }) => parseHeader(header).call ?? [])), status };
}

function rowsAfter(files: ReadonlyMap<string, Buffer>): Set<string> {
  const directory = fresh();
  restore(directory, files);
  const db = new DatabaseSync(join(directory, "log.db"));
  try {
    return new Set(
      db
        .prepare("SELECT id FROM rows")
        .all()
        .map(({ id }) => String(id)),
    );
  } catch {
    // Not even the table was synced.
    return new Set();
  } finally {
    db.close();
  }
}

describe.runIf(HAS_STRACE)("a power cut [L1~]", () => {
  it(`loses no acknowledged entry and leaves a log that verifies, at ${CUTS} places of a process that writes`, async () => {
    const events = recorded(new URL("./appending-process.ts", import.meta.url), 40);
    expect(events.filter(({ kind }) => kind === "sync").length).toBeGreaterThanOrEqual(10);
    const random = randomOf(17);
    for (const cut of cutsIn(events)) {
      for (const survives of [() => false, () => random() < 0.5]) {
        const { files, said } = afterCut(events, cut, survives);
        const { calls, status } = await callsAfter(files);
        expect([cut, status, lines(said).filter((call) => !calls.has(call))]).toEqual([cut, "self-consistent", []]);
      }
    }
  });

  it("is one that a WAL which nobody syncs does not survive: the harness can lose", () => {
    const events = recorded(new URL("./careless-process.ts", import.meta.url), 40);
    const { files, said } = afterCut(events, cutsIn(events).at(-1) ?? 0, () => false);
    const rows = rowsAfter(files);
    expect(lines(said)).toHaveLength(40);
    expect(lines(said).filter((id) => !rows.has(id)).length).toBeGreaterThanOrEqual(30);
    // Not synced is not lost: as long as the power stays, everything is there.
    expect(rowsAfter(afterCut(events, cutsIn(events).at(-1) ?? 0, () => true).files).size).toBe(40);
  });
});
