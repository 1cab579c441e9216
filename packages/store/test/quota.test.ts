/** Bytes of a run and of an agent's day, counted where they are written: exact, whoever writes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteQuota, EntryDraft, Store } from "@saferun/core";
import { afterAll, describe, expect, it, vi } from "vitest";
import { createMemoryStore, nodeRandom, openSqliteStore } from "../src/index.ts";

vi.setConfig({ testTimeout: 60_000 });

const base = mkdtempSync(join(tmpdir(), "saferun-quota-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const WIDE: ByteQuota = { runBytes: 1e9, agentBytesPerDay: 1e9 };

function entry(type: EntryDraft["type"], run: string): EntryDraft {
  return { type, run, parts: [{ name: "result", salt: nodeRandom.bytes(32), bytes: new Uint8Array(10_000) }] };
}

const commit = (store: Store, quota: Partial<ByteQuota>, type: EntryDraft["type"] = "call.proposed", run = "r") =>
  store.commit({ entries: [entry(type, run)], counted: { root: run, agent: "bot", quota: { ...WIDE, ...quota } } });

const places: [string, (clock: { now(): number }) => Store][] = [
  ["memory", (clock) => createMemoryStore({ clock })],
  ["sqlite", (clock) => openSqliteStore({ directory: mkdtempSync(join(base, "store-")), clock })],
];

describe.each(places)("the quota in %s", (_name, open) => {
  it("is told once at four fifths and denies what begins beyond it; what runs can be ended", async () => {
    const store = open({ now: () => 1_000 });
    const quota = { runBytes: 55_000 };
    const marks = [];
    for (let written = 0; written < 5; written++) {
      const done = await commit(store, quota);
      marks.push(done.ok ? (done.reached ?? []) : "refused");
    }
    const mark = { scope: "run", name: "r", percent: 80, limit: 55_000 };
    expect(marks).toEqual([[], [], [], [], [mark]]);
    const { size } = await store.head();
    await expect(commit(store, quota)).rejects.toMatchObject({ code: "record.quota", retryable: false });
    expect((await store.head()).size).toBe(size);
    expect((await commit(store, quota, "call.finished")).ok).toBe(true);
    await expect(commit(store, quota)).rejects.toMatchObject({ code: "record.quota" });
    // Another run has its own.
    expect((await commit(store, quota, "call.proposed", "other")).ok).toBe(true);
    await store.close();
  });

  it("of an agent is over all its runs, and begins anew with the day", async () => {
    let now = 1_000;
    const store = open({ now: () => now });
    const quota = { agentBytesPerDay: 25_000 };
    expect((await commit(store, quota, "call.proposed", "a")).ok).toBe(true);
    expect((await commit(store, quota, "call.proposed", "b")).ok).toBe(true);
    await expect(commit(store, quota, "call.proposed", "c")).rejects.toMatchObject({ code: "record.quota" });
    now += 86_400_000;
    expect((await commit(store, quota, "call.proposed", "c")).ok).toBe(true);
    await store.close();
  });
});

it("several openings that write at once fill it to the byte, and no further", async () => {
  const directory = mkdtempSync(join(base, "shared-"));
  const stores = [1, 2, 3].map(() => openSqliteStore({ directory }));
  const all = await Promise.allSettled(
    Array.from({ length: 60 }, (_, index) => commit(stores[index % 3] ?? (stores[0] as Store), { runBytes: 255_000 })),
  );
  const written = all.filter(({ status }) => status === "fulfilled").length;
  const [first] = stores;
  const entries = (await first?.entries({ from: 0, limit: 100 })) ?? [];
  const bytes = entries.reduce((sum, { header, parts }) => sum + header.length + (parts[0]?.bytes?.length ?? 0), 0);
  expect(entries).toHaveLength(written);
  expect(bytes).toBeLessThanOrEqual(255_000);
  expect(bytes + bytes / written).toBeGreaterThan(255_000);
  expect(await first?.row("quota", JSON.stringify(["run", "r"]))).toMatchObject({ value: bytes });
  const refused = all.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
  expect(new Set(refused)).toEqual(new Set(["record.quota"]));
  for (const store of stores) await store.close();
});
