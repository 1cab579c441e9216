import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EntryDraft, encodePart, type Store } from "@saferun/core";
import { afterAll, describe, expect, it, vi } from "vitest";
import {
  applyRetention,
  createCheckpointer,
  createFileSigner,
  createMemoryStore,
  nodeRandom,
  openReadOnlySqliteStore,
  openSearch,
  openSqliteStore,
  verifyStore,
} from "../src/index.ts";

vi.setConfig({ testTimeout: 60_000 });
const base = mkdtempSync(join(tmpdir(), "saferun-retention-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const draft = (type: EntryDraft["type"], more: Partial<EntryDraft> = {}): EntryDraft => ({
  type,
  agent: "bot",
  environment: "dev",
  parts: [{ name: "result", salt: nodeRandom.bytes(32), bytes: encodePart({ word: "zanzibar" }) }],
  ...more,
});
const CALL = {
  version: 1,
  state: "pending",
  root: "a",
  key: null,
  tool: "t",
  agent: "bot",
  environment: "dev",
  proposed: "digest",
  digest: "digest",
  bytes: "{}",
  revision: "",
  approval: null,
  owner: null,
  fence: 0,
  leaseUntil: null,
  createdAt: 1_000,
  updatedAt: 1_000,
} as const;

/** Which entries still have content. */
async function withContent(store: Store): Promise<number[]> {
  const entries = await store.entries({ from: 0, limit: 1_000 });
  return entries.filter(({ parts }) => parts.some(({ bytes }) => bytes !== null)).map(({ seq }) => seq);
}

const options = { keepMs: 1_000, by: "saferun:retention", pauseMs: 0 };

describe("retention without an archive [L7~]", () => {
  it("deletes old content, keeps what is open and what an erasure needs, and goes on with it later", async () => {
    let time = 1_000;
    const store = createMemoryStore({ clock: { now: () => time } });
    const open = { ...CALL, id: "call_open", run: "a" };
    await store.commit({
      calls: [{ row: open, expect: null }],
      entries: [
        draft("run.started", { run: "a" }),
        draft("run.started", { run: "b" }),
        draft("call.proposed", { run: "a", call: open.id }),
        draft("model.requested", { run: "b" }),
      ],
    });
    time = 3_000;
    await store.commit({ entries: [draft("model.requested", { run: "a" })] });
    const first = await applyRetention(store, { ...options, now: time });
    // The start of the run that goes on, and the open call.
    expect(first).toEqual({ entries: 2, more: false });
    expect((await withContent(store)).slice(0, 3)).toEqual([0, 2, 4]);
    expect((await verifyStore(store)).faults).toEqual([]);
    expect(await applyRetention(store, { ...options, now: time })).toEqual({ entries: 0, more: false });

    await store.commit({
      calls: [{ row: { ...open, version: 2, state: "denied", bytes: null }, expect: 1 }],
      entries: [],
    });
    time = 10_000;
    await applyRetention(store, { ...options, now: time });
    const left = await withContent(store);
    const types = await Promise.all(left.map(async (seq) => (await store.entries({ from: seq, limit: 1 }))[0]));
    expect(types.map((entry) => new TextDecoder().decode(entry?.header).includes("log.erased"))).not.toContain(false);
    expect(await store.call(open.id)).toMatchObject({ state: "denied", digest: "", proposed: "" });
    expect((await verifyStore(store)).faults).toEqual([]);
  });

  it("is bounded: one run takes so many steps, the next goes on", async () => {
    const store = createMemoryStore({ clock: { now: () => 1_000 } });
    const entries = Array.from({ length: 1_100 }, (_, index) => draft("model.requested", { run: `run${index}` }));
    await store.commit({ entries });
    expect(await applyRetention(store, { ...options, now: 9_000, steps: 1 })).toEqual({ entries: 500, more: true });
    // What it writes itself is old too, and holds nothing that could go.
    expect(await applyRetention(store, { ...options, now: 9_000 })).toMatchObject({ entries: 600, more: false });
    expect((await verifyStore(store)).faults).toEqual([]);
  });
});

it.each(["content", "archive"])("the index forgets what went by retention: %s", async (way) => {
  const directory = join(base, way);
  let time = 1_000;
  const store = openSqliteStore({ directory, clock: { now: () => time } });
  const signer = createFileSigner(join(directory, "log.key"));
  const signed = createCheckpointer(store, signer);
  await signed.commit({ entries: [draft("call.finished", { run: "a", call: "old", tool: "refund" })] });
  await signed.commit({ entries: [draft("call.finished", { run: "b", call: "lasting", tool: "refund" })] });
  time = 5_000;
  await signed.commit({ entries: [draft("call.finished", { run: "b", call: "lasting", tool: "mail" })] });
  const find = async (query: string): Promise<number[]> => {
    const search = await openSearch({ directory });
    try {
      return search.search({ query, limit: 10, now: time }).items.map(({ seq }) => seq);
    } finally {
      search.close();
    }
  };
  expect(await find("zanzibar")).toEqual([2, 1]);
  expect(await find("tool:refund")).toEqual([2, 1]);
  const archive = { to: join(base, "archive"), signer, store: signed };
  const done = await applyRetention(signed, {
    ...options,
    now: time,
    directory,
    ...(way === "archive" ? { archive } : {}),
  });
  expect(done.entries).toBeGreaterThan(0);
  expect(await find("zanzibar")).toEqual([2]);
  // Headers stay where only content went.
  expect(await find("tool:refund")).toEqual(way === "archive" ? [] : [2, 1]);
  expect(await find("tool:mail")).toEqual([2]);
  expect(await find("id:lasting").catch(() => find("call:lasting"))).toEqual([2]);
  await signed.close();
  // Made anew, it says the same.
  rmSync(join(directory, "search.db"));
  expect(await find("zanzibar")).toEqual(way === "archive" ? [3] : [2]);
  const reader = openReadOnlySqliteStore({ directory });
  expect((await verifyStore(reader, { pinned: signer.vkey })).status).toBe("verified");
  await reader.close();
  expect(readFileSync(join(directory, "log.db")).toString("latin1").split("zanzibar").length - 1).toBe(1);
});
