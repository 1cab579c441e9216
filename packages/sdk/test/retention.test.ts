/** Old content leaves the record by itself, beside calls; how long it stays is set, and two wraps cannot want two things. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkInclusion, encodePart, parseNoteKey, proveInclusion, verifySegment } from "@saferun/core";
import {
  archiveFolder,
  createCheckpointer,
  createFileSigner,
  installation,
  linesOfSegment,
  nodeHash,
  nodeRandom,
  nodeVerifier,
  openArchive,
  openReadOnlySqliteStore,
  openSqliteStore,
  signingKeyPath,
  verifyArchive,
  verifyStoreAndTables,
} from "@saferun/store";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { shutdown } from "../src/embedded.ts";
import { saferun } from "../src/index.ts";
import { checkOptions, DEFAULT_RETENTION, type RetentionSetting } from "../src/options.ts";

// Stores of threads of their own on a machine that may be busy: a bound against a hang.
vi.setConfig({ testTimeout: 60_000 });

const check = (retention: unknown, store?: unknown) =>
  checkOptions({ policies: ["p.yaml"], retention, store } as Parameters<typeof checkOptions>[0], { policies: true })
    .retention;

it("keeps content for 30 days unless set, and refuses what it does not understand", () => {
  expect(DEFAULT_RETENTION).toEqual({ keepMs: 30 * 86_400_000, archive: undefined });
  expect(check(undefined)).toBeUndefined();
  expect(check({})).toEqual(DEFAULT_RETENTION);
  expect(check({ keep: "90d" })).toEqual({ keepMs: 90 * 86_400_000, archive: undefined });
  expect(check({ keep: "forever" })).toEqual({ keepMs: null, archive: undefined });
  expect(check({ keep: "1h", archive: "/mnt/archive" })).toEqual({ keepMs: 3_600_000, archive: "/mnt/archive" });
  for (const wrong of [
    null,
    30,
    "30d",
    { keep: 30 },
    { keep: "soon" },
    { keep: "" },
    { archive: "" },
    { archve: "x" },
  ]) {
    expect(() => check(wrong), JSON.stringify(wrong)).toThrow(/`retention/);
  }
});

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "saferun-retention-"));
  writeFileSync(join(root, "policies.yaml"), POLICY);
});
afterEach(async () => {
  await shutdown();
  rmSync(root, { recursive: true, force: true });
});

const POLICY = `saferun: policy/v1
environments: { prod: { unmatched: allow } }
tools: { look: { kind: read } }
rules: []
`;
const YEAR = 365 * 86_400_000;

/** A store with an entry of a year ago. */
async function oldStore(): Promise<string> {
  const directory = join(root, "store");
  const store = openSqliteStore({ directory, clock: { now: () => Date.now() - YEAR } });
  const signed = createCheckpointer(store, createFileSigner(signingKeyPath(directory)));
  const part = { name: "result", salt: nodeRandom.bytes(32), bytes: encodePart("lavender") };
  await signed.commit({ entries: [{ type: "model.requested", run: "old", parts: [part] }] });
  await signed.close();
  return directory;
}

function wrap(store: string, retention?: RetentionSetting) {
  const agent = { tools: { look: { description: "", execute: async () => "seen" } } };
  const given = retention === undefined ? {} : { retention };
  return saferun.wrap(agent, { policies: [join(root, "policies.yaml")], store, environment: "prod", ...given });
}

async function contentOf(directory: string): Promise<(string | null)[]> {
  const store = openReadOnlySqliteStore({ directory });
  try {
    const entries = await store.entries({ from: 0, limit: 10, run: "old" });
    return entries.map(({ parts }) => (parts[0]?.bytes ? new TextDecoder().decode(parts[0].bytes) : null));
  } finally {
    await store.close();
  }
}

it("[L7~] content of a year ago goes by itself, and the log verifies", async () => {
  const directory = await oldStore();
  wrap(directory);
  await vi.waitFor(async () => expect(await contentOf(directory)).toEqual([null]), { timeout: 30_000, interval: 200 });
  await shutdown();
  const store = openReadOnlySqliteStore({ directory });
  expect((await verifyStoreAndTables(store)).faults).toEqual([]);
  // Remembered, for a backup that is restored.
  expect(installation().retainedBefore(store.logId)).toBeGreaterThan(0);
  await store.close();
});

it("[L7] with an archive, entries of a year ago go there whole, and archive and store prove them", async () => {
  const directory = await oldStore();
  const archive = join(root, "archive");
  wrap(directory, { archive });
  await vi.waitFor(async () => expect(await contentOf(directory)).toEqual([]), { timeout: 30_000, interval: 200 });
  await shutdown();
  const folder = archiveFolder(archive, readdirSync(archive)[0] ?? "");
  const pinned = createFileSigner(signingKeyPath(directory)).vkey;
  const store = openReadOnlySqliteStore({ directory });
  const verified = await verifyStoreAndTables(store, { pinned });
  expect(verified).toMatchObject({ status: "verified", faults: [], archivedTo: 2 });
  const whole = { log: store.logId, to: 2, named: verified.archived, pinned };
  expect(await verifyArchive(folder, whole)).toEqual({ segments: 1, to: 2, faults: [] });
  const [{ file = "" } = {}] = verified.archived;
  const ports = { hash: nodeHash, verifier: nodeVerifier };
  const alone = await verifySegment(linesOfSegment(join(folder, file)), { ...ports, pinned });
  expect(alone).toMatchObject({ status: "verified", from: 0, to: 2 });
  const proof = await proveInclusion(store, 1, nodeHash, undefined, openArchive(folder));
  expect(checkInclusion(proof, parseNoteKey(pinned, nodeHash), ports).ok).toBe(true);
  expect(new TextDecoder().decode(proof.header)).toContain('"run":{"id":"old"');
  await store.close();
});

it("what is kept for ever stays, and wraps of one store cannot want two things", async () => {
  const directory = await oldStore();
  wrap(directory, { keep: "forever" });
  wrap(directory);
  expect(() => wrap(directory, { keep: "90d" })).toThrow("`retention` differs");
  await shutdown();
  expect(await contentOf(directory)).toEqual(['"lavender"']);
});
