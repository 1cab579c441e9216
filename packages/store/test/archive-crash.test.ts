import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodePart, type Verification } from "@saferun/core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import {
  archiveFolder,
  createCheckpointer,
  createFileSigner,
  nodeRandom,
  openReadOnlySqliteStore,
  openSqliteStore,
  verifyArchive,
  verifyStoreAndTables,
} from "../src/index.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const base = mkdtempSync(join(tmpdir(), "saferun-archive-crash-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const original = join(base, "original");
let pinned = "";
let log = "";
let size = 0;

beforeAll(async () => {
  const below = openSqliteStore({ directory: original, clock: { now: () => 1_000 } });
  const signer = createFileSigner(join(original, "log.key"));
  const store = createCheckpointer(below, signer);
  const part = () => ({ name: "result", salt: nodeRandom.bytes(32), bytes: encodePart("x".repeat(200)) });
  for (let run = 0; run < 10; run++) {
    const one = { run: `run${run}`, agent: "bot", environment: "dev" } as const;
    await store.commit({
      entries: [1, 2, 3].map(() => ({ type: "model.requested" as const, ...one, parts: [part()] })),
    });
  }
  pinned = signer.vkey;
  log = store.logId;
  ({ size } = await store.head());
  await store.close();
});

function archive(directory: string, to: string, point: string): void {
  const script = new URL("./archiving-process.ts", import.meta.url).pathname;
  const flags = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];
  const { signal, status } = spawnSync(process.execPath, [...flags, script, directory, to, point]);
  expect([signal, status]).toEqual(point === "" ? [null, 0] : ["SIGKILL", null]);
}

async function verified(directory: string): Promise<Verification> {
  const store = openReadOnlySqliteStore({ directory });
  try {
    return await verifyStoreAndTables(store, { pinned });
  } finally {
    await store.close();
  }
}

it.each(["after the checkpoint", "while the file is written", "before the commit", "after the commit"])(
  "killed %s, the store is as it was or the archive is whole, and the next run goes on [L7~]",
  async (point) => {
    const directory = join(base, point.replaceAll(" ", "-"));
    const to = `${directory}-archive`;
    cpSync(original, directory, { recursive: true });
    archive(directory, to, point);
    const after = await verified(directory);
    expect(after).toMatchObject({ status: "verified", faults: [], archivedTo: point === "after the commit" ? 20 : 0 });
    if (after.archivedTo > 0) {
      const whole = { log, to: after.archivedTo, named: after.archived, pinned };
      expect(await verifyArchive(archiveFolder(to, log), whole)).toMatchObject({ segments: 1, faults: [] });
    }
    archive(directory, to, "");
    const done = await verified(directory);
    expect(done).toMatchObject({ status: "verified", faults: [] });
    expect(done.archivedTo).toBeGreaterThanOrEqual(size);
    const folder = archiveFolder(to, log);
    const whole = { log, to: done.archivedTo, named: done.archived, pinned };
    expect(await verifyArchive(folder, whole)).toMatchObject({ to: done.archivedTo, faults: [] });
    // One file for each stretch: what a killed run had finished and nobody named is gone.
    const begins = readdirSync(folder).flatMap((name) => /^(\d+)-.*gz$/.exec(name)?.[1] ?? []);
    expect(new Set(begins).size).toBe(begins.length);
  },
);
