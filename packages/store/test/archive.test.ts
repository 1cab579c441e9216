import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync, gzipSync } from "node:zlib";
import {
  archiveBase,
  checkInclusion,
  type EntryDraft,
  encodePart,
  erase,
  parseNoteKey,
  proveConsistency,
  proveInclusion,
  type Store,
  verifySegment,
} from "@saferun/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  archiveFolder,
  archiveStore,
  createCheckpointer,
  createFileSigner,
  createMemoryStore,
  linesOfSegment,
  nodeHash,
  nodeRandom,
  nodeVerifier,
  openArchive,
  openReadOnlySqliteStore,
  openSqliteStore,
  rotateKey,
  verifyArchive,
  verifyStore,
  verifyStoreAndTables,
} from "../src/index.ts";

vi.setConfig({ testTimeout: 60_000 });
const base = mkdtempSync(join(tmpdir(), "saferun-archive-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const ports = { hash: nodeHash, verifier: nodeVerifier };
let count = 0;

function directory(): string {
  return join(base, String(count++));
}

function open(at: string, now: () => number) {
  const below = openSqliteStore({ directory: at, clock: { now } });
  const signer = createFileSigner(join(at, "log.key"));
  const store = createCheckpointer(below, signer);
  return { store, signer };
}

const ARGUMENTS = { name: "arguments", salt: nodeRandom.bytes(32), bytes: encodePart({}) };
const CALL = {
  version: 1,
  state: "pending",
  key: null,
  tool: "t",
  agent: "bot",
  environment: "dev",
  proposed: "",
  digest: "",
  bytes: "{}",
  revision: "",
  approval: null,
  owner: null,
  fence: 0,
  leaseUntil: null,
  createdAt: 1_000,
  updatedAt: 1_000,
} as const;

const draft = (type: EntryDraft["type"], more: Partial<EntryDraft> = {}): EntryDraft => ({
  type,
  parts: [{ name: "result", salt: nodeRandom.bytes(32), bytes: encodePart({ secret: "s3cr3t" }) }],
  ...more,
});

/** Runs of three entries each, 10 ms apart; and one, `long`, that goes on through all of them. */
async function fill(store: Store, runs: number, tick: () => void): Promise<void> {
  for (let index = 0; index < runs; index++) {
    tick();
    const named = { agent: "bot", environment: "dev" };
    const types = ["run.started", "model.requested", "model.responded"] as const;
    const own = types.map((type) => draft(type, { run: `run${index}`, ...named }));
    await store.commit({ entries: [...own, draft("model.requested", { run: "long", ...named })] });
  }
}

async function world(runs = 12) {
  const at = directory();
  const to = directory();
  let time = 1_000;
  const opened = open(at, () => time);
  await fill(opened.store, runs, () => {
    time += 10;
  });
  const archive = (more: { before?: number; segmentEntries?: number; segments?: number } = {}) =>
    archiveStore(opened.store, {
      to,
      before: 1_000_000,
      by: "local:test",
      signer: opened.signer,
      segmentEntries: 20,
      ...more,
    });
  return { at, to, ...opened, archive, later: () => (time += 1_000) };
}

async function verified(at: string, pinned: string) {
  const store = openReadOnlySqliteStore({ directory: at });
  try {
    return await verifyStoreAndTables(store, { pinned });
  } finally {
    await store.close();
  }
}

/** Entries and leaves that a store hands out while a log of so many runs is archived, twenty entries a file. */
async function archivingWork(runs: number): Promise<{ readonly segments: number; readonly read: number }> {
  const at = directory();
  let time = 1_000;
  let read = 0;
  const below = openSqliteStore({ directory: at, clock: { now: () => time } });
  const signer = createFileSigner(join(at, "log.key"));
  const counted = <Item>(items: readonly Item[]): readonly Item[] => {
    read += items.length;
    return items;
  };
  const store = createCheckpointer(
    {
      ...below,
      entries: async (range) => counted(await below.entries(range)),
      leaves: async (range) => counted(await below.leaves(range)),
      checkpoints: async () => counted(await below.checkpoints()),
    },
    signer,
  );
  await fill(store, runs, () => {
    time += 10;
  });
  read = 0;
  const options = { to: directory(), before: 1_000_000, by: "local:test", signer, segmentEntries: 20 };
  const { segments } = await archiveStore(store, options);
  const work = { segments: segments.length, read };
  await store.close();
  return work;
}

describe("an archive [L7~]", () => {
  it("costs a large log twice what it costs one of half its size", async () => {
    const [half, whole] = [await archivingWork(60), await archivingWork(120)];
    expect(half.segments).toBeGreaterThan(10);
    expect(whole.segments / half.segments).toBeCloseTo(2, 0);
    // A tree built for each file again made it 3.8. On a slow machine there are more checkpoints of a second, which are read.
    expect(whole.read / half.read).toBeLessThan(3);
  });

  it("takes entries out of the store, which stays verified and names what is archived", async () => {
    const { at, to, store, signer, archive } = await world();
    const { size } = await store.head();
    const done = await archive();
    // `log.archived` entries are younger than what was there: the last round stops before them.
    expect(done.segments.map((one) => [one.from, one.to])).toEqual([
      [0, 20],
      [20, 40],
      [40, size],
    ]);
    const [first] = await store.entries({ from: 0, limit: 1 });
    expect(first?.seq).toBe(size);
    expect(await store.run("run0")).toBeUndefined();
    await store.close();
    const result = await verified(at, signer.vkey);
    expect(result).toMatchObject({ status: "verified", faults: [], archivedTo: size });
    expect(result.archived.map((one) => one.to)).toEqual([20, 40, size]);
    expect(readFileSync(join(at, "log.db")).includes("s3cr3t")).toBe(false);
    const folder = archiveFolder(to, store.logId);
    const whole = { log: store.logId, to: size, named: result.archived, pinned: signer.vkey };
    expect(await verifyArchive(folder, whole)).toEqual({ segments: 3, to: size, faults: [] });
  });

  it("a segment verifies alone, and every change to it is found", async () => {
    const { to, store, signer, archive } = await world();
    await archive();
    const folder = archiveFolder(to, store.logId);
    await store.close();
    const file = join(folder, readdirSync(folder).toSorted()[1] ?? "");
    const good = await verifySegment(linesOfSegment(file), { ...ports, pinned: signer.vkey });
    expect(good).toMatchObject({ status: "verified", from: 20, to: 40, faults: [], erased: 0 });
    expect((await verifySegment(linesOfSegment(file), ports)).status).toBe("self-consistent");
    const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split("\n");
    const altered = join(base, "altered.jsonl");
    for (let at = 0; at < lines.length; at++) {
      const changes = [lines.toSpliced(at, 1), lines.toSpliced(at, 0, lines[at] ?? "")];
      const digit = (lines[at] ?? "").replace(/\d(?=\D*$)/, (found) => String((Number(found) + 1) % 10));
      if (digit !== lines[at]) changes.push(lines.with(at, digit));
      if (at > 0) changes.push(lines.with(at, lines[at - 1] ?? "").with(at - 1, lines[at] ?? ""));
      for (const changed of changes) {
        writeFileSync(altered, changed.join("\n"));
        const status = await verifySegment(linesOfSegment(altered), { ...ports, pinned: signer.vkey }).then(
          (found) => found.status,
          (error: { code?: string }) => error.code,
        );
        expect(["faulty", "log.malformed"], `line ${at}`).toContain(status);
      }
    }
    // Content that is only said to be erased was not when it was sealed.
    const erased = lines.map((line) => line.replace(/"salt":"[^"]+","bytes":"(?:[^"\\]|\\.)*"/, '"erased":true'));
    writeFileSync(altered, erased.join("\n"));
    expect((await verifySegment(linesOfSegment(altered), { ...ports, pinned: signer.vkey })).status).toBe("faulty");
    const other = createFileSigner(join(base, "other.key"));
    expect((await verifySegment(linesOfSegment(file), { ...ports, pinned: other.vkey })).status).toBe("faulty");
  });

  it("names a file that is missing, another one, damaged, or of another log", async () => {
    const { to, store, signer, archive, at } = await world();
    await archive();
    await store.close();
    const folder = archiveFolder(to, store.logId);
    const { archived, archivedTo } = await verified(at, signer.vkey);
    const whole = { log: store.logId, to: archivedTo, named: archived, pinned: signer.vkey };
    const [first = "", second = "", third = ""] = readdirSync(folder).toSorted();
    const kept = join(base, "kept");
    cpSync(folder, kept, { recursive: true });
    const faultsIn = async (change: () => void) => {
      change();
      const { faults } = await verifyArchive(folder, whole);
      rmSync(folder, { recursive: true });
      cpSync(kept, folder, { recursive: true });
      return faults.map(({ file, fault }) => `${file} ${fault}`);
    };
    expect(await faultsIn(() => rmSync(join(folder, second)))).toEqual([`${second} missing`]);
    expect(await faultsIn(() => rmSync(join(folder, third)))).toEqual([`${third} missing`]);
    expect(await faultsIn(() => renameSync(join(folder, second), join(folder, first)))).toContain(`${first} changed`);
    expect(await faultsIn(() => writeFileSync(join(folder, first), "no gzip"))).toContain(`${first} changed`);
    const cut = gunzipSync(readFileSync(join(folder, first))).subarray(0, -200);
    expect(await faultsIn(() => writeFileSync(join(folder, first), gzipSync(cut)))).toContain(`${first} changed`);
    const foreign = await world();
    await foreign.archive();
    await foreign.store.close();
    const theirs = archiveFolder(foreign.to, foreign.store.logId);
    const stranger = readdirSync(theirs).toSorted()[0] ?? "";
    const found = await faultsIn(() => cpSync(join(theirs, stranger), join(folder, first)));
    expect(found).toEqual(expect.arrayContaining([`${first} unlisted-tree`, `${first} bad-signature`]));
  });

  it("proves an archived entry from archive and store, and later ones and growth from the store alone", async () => {
    const { to, store, signer, archive } = await world();
    await store.checkpoint();
    const old = (await store.head()).size;
    await archive({ segments: 2 });
    await store.commit({ entries: [draft("run.started", { run: "new" })] });
    await store.checkpoint();
    const key = parseNoteKey(signer.vkey, nodeHash);
    const archived = openArchive(archiveFolder(to, store.logId));
    const { size } = await store.head();
    for (let index = 0; index < size; index++) {
      const proof = await proveInclusion(store, index, nodeHash, undefined, index < 40 ? archived : undefined);
      expect(checkInclusion(proof, key, ports), String(index)).toMatchObject({ ok: true });
    }
    await expect(proveInclusion(store, 7, nodeHash)).rejects.toMatchObject({ code: "option.invalid" });
    expect((await proveConsistency(store, old, nodeHash)).path.length).toBeGreaterThan(0);
    await store.close();
  });

  it("leaves calls that are not over, and goes no further than their first entry", async () => {
    const { store, archive } = await world(3);
    const { size } = await store.head();
    const call = { ...CALL, id: "call_open", run: "open", root: "open" };
    await store.commit({
      calls: [{ row: call, expect: null }],
      entries: [draft("call.proposed", { run: "open", call: call.id, tool: "t", parts: [ARGUMENTS] })],
    });
    await fill(store, 3, () => undefined);
    const held = await archive();
    expect(held.heldBy).toBe("call `call_open` is pending");
    expect((await archiveBase(store)).size).toBe(size);
    expect(await store.call(call.id)).toEqual(call);
    await store.commit({
      calls: [{ row: { ...call, version: 2, state: "expired", bytes: null }, expect: 1 }],
      entries: [{ type: "call.decided", verdict: "deny", run: "open", call: call.id }],
    });
    const done = await archive();
    expect(done.heldBy).toBeUndefined();
    expect(await store.call(call.id)).toBeUndefined();
    await store.close();
  });

  it("a run that goes on is carried: its row stays, is compared, and its chain goes on", async () => {
    const { at, store, signer, archive } = await world();
    await archive({ segments: 1 });
    await store.commit({ entries: [draft("model.requested", { run: "long", agent: "bot", environment: "dev" })] });
    expect(await store.run("long")).toMatchObject({ entries: 13, startedAt: 1_010 });
    await store.close();
    expect(await verified(at, signer.vkey)).toMatchObject({ status: "verified", faults: [] });
    const db = new DatabaseSync(join(at, "log.db"));
    db.exec("UPDATE runs SET started = 1 WHERE id = 'long'");
    db.close();
    expect((await verified(at, signer.vkey)).faults).toMatchObject([{ where: "runs/long", fault: "changed" }]);
  });

  it("an erasure between file and commit makes it begin again: no erased content gets into an archive", async () => {
    const { to, store, signer } = await world();
    let erasures = 0;
    const racing = {
      ...store,
      checkpoint: async () => {
        if (erasures++ === 0)
          await erase(
            store,
            { target: { run: "run1" }, reason: "r", by: "local:x" },
            { hash: nodeHash, random: nodeRandom },
          );
        await store.checkpoint();
      },
    };
    const options = { to, before: 1_000_000, by: "local:test", signer, segmentEntries: 20, segments: 1 };
    const { segments } = await archiveStore(racing, options);
    const folder = archiveFolder(to, store.logId);
    expect(readdirSync(folder)).toEqual(segments.map(({ file }) => file));
    const found = await verifySegment(linesOfSegment(join(folder, segments[0]?.file ?? "")), ports);
    expect(found.erased).toBe(3);
    await store.close();
  });

  it("follows a changed key across the archive, from either key", async () => {
    const { at, to, store, signer, archive, later } = await world(4);
    await store.close();
    const below = openSqliteStore({ directory: at });
    const rotated = await rotateKey(below);
    await below.close();
    const again = open(at, later);
    await fill(again.store, 4, later);
    const options = { to, before: 1_000_000, by: "local:test", signer: again.signer, segmentEntries: 20 };
    await archiveStore(again.store, options);
    await fill(again.store, 1, later);
    await again.store.close();
    for (const pinned of [signer.vkey, rotated.to]) {
      const result = await verified(at, pinned);
      expect(result).toMatchObject({ status: "verified", faults: [] });
      const whole = { log: store.logId, to: result.archivedTo, named: result.archived, pinned };
      expect((await verifyArchive(archiveFolder(to, store.logId), whole)).faults).toEqual([]);
    }
    expect(archive).toBeDefined();
  });
});

describe("a store whose archive was tampered with [L3~]", () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      "the base's size",
      "UPDATE state SET value = json_set(value, '$.size', 24) WHERE kind = 'archive' AND id = 'base'",
    ],
    ["a peak", `UPDATE state SET value = json_set(value, '$.peaks[0]', '${"A".repeat(43)}=') WHERE id = 'base'`],
    ["the base's key", "UPDATE state SET value = json_set(value, '$.key', null) WHERE id = 'base'"],
    ["a carried run", "UPDATE state SET value = json_set(value, '$.runs[0].agent', 'x') WHERE id = 'base'"],
    ["the base is gone", "DELETE FROM state WHERE kind = 'archive' AND id = 'base'"],
    ["more entries are gone", "DELETE FROM parts WHERE id < 45 * 1024; DELETE FROM entries WHERE seq < 45"],
    ["an archived entry is back", "INSERT INTO entries SELECT 3, run, leaf, header FROM entries WHERE seq = 45"],
  ];
  const original = directory();
  let vkey = "";
  beforeAll(async () => {
    const { at, store, signer, archive } = await world();
    await archive({ segments: 2 });
    await store.close();
    vkey = signer.vkey;
    cpSync(at, original, { recursive: true });
  });

  it.each(cases)("%s", async (_, sql) => {
    const at = directory();
    cpSync(original, at, { recursive: true });
    expect((await verified(at, vkey)).status).toBe("verified");
    const db = new DatabaseSync(join(at, "log.db"), { defensive: false });
    db.exec(sql);
    db.close();
    const result = await verified(at, vkey).catch((error: { code?: string }) => ({ status: error.code }));
    expect(["faulty", "record.corrupt"]).toContain(result.status);
  });
});

it("the memory store archives alike", async () => {
  const below = createMemoryStore();
  const signer = createFileSigner(join(base, "memory.key"));
  const store = createCheckpointer(below, signer);
  await fill(store, 12, () => undefined);
  const to = directory();
  const options = { to, before: Number.POSITIVE_INFINITY, by: "local:test", signer, segmentEntries: 20 };
  expect((await archiveStore(store, options)).segments).toHaveLength(3);
  await store.commit({ entries: [draft("run.started", { run: "new" })] });
  await store.checkpoint();
  expect(await verifyStore(store, { pinned: signer.vkey })).toMatchObject({ status: "verified", archivedTo: 49 });
  expect(await store.run("run0")).toBeUndefined();
});
