/** A full disk: what runs is ended and recorded, nothing starts, and it goes on by itself when there is room. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EntryDraft, Store } from "@saferun/core";
import { afterAll, expect, it, vi } from "vitest";
import { nodeRandom, openSqliteStore, verifyStore } from "../src/index.ts";

vi.setConfig({ testTimeout: 60_000 });

const base = mkdtempSync(join(tmpdir(), "saferun-ballast-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const MOST = 240;
const write = (store: Store, type: EntryDraft["type"], bytes = 100) =>
  store.commit({
    entries: [{ type, parts: [{ name: "result", salt: nodeRandom.bytes(32), bytes: new Uint8Array(bytes) }] }],
  });

async function fill(store: Store): Promise<number> {
  for (let started = 0; started < 1_000; started++) {
    const done = await write(store, "call.executing", 8_000).catch((error: { code?: unknown }) => error.code);
    if (done === "record.full") return started;
  }
  return Number.NaN;
}

it("lets the outcome of what runs be recorded when nothing can start any more, in every process [L1~]", async () => {
  const directory = mkdtempSync(join(base, "store-"));
  const told: string[] = [];
  const store = openSqliteStore({ directory, maxPages: MOST, onAlarm: (message) => told.push(message) });
  expect((await write(store, "call.proposed")).ok).toBe(true);
  expect(existsSync(join(directory, "ballast"))).toBe(true);
  const started = await fill(store);
  expect(started).toBeGreaterThan(10);
  expect(existsSync(join(directory, "ballast"))).toBe(false);
  expect(told).toEqual([expect.stringContaining("the store's disk is full")]);

  // One transaction each, in one group: the ends go through, the starts do not.
  const [end, start, stop] = await Promise.allSettled([
    write(store, "call.finished", 8_000),
    write(store, "call.executing"),
    write(store, "stop.placed"),
  ]);
  expect([end?.status, start?.status, stop?.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(start).toMatchObject({ reason: { code: "record.full" } });

  // Small enough for the room that was freed, and not for another process to take.
  const other = openSqliteStore({ directory, maxPages: MOST, onAlarm: () => undefined });
  await expect(write(other, "call.executing")).rejects.toMatchObject({ code: "record.full" });
  await expect(write(other, "approval.requested")).rejects.toMatchObject({ code: "record.full" });
  expect((await write(other, "call.finished")).ok).toBe(true);
  await other.close();

  expect((await store.head()).size).toBe(1 + started + 3);
  expect(await verifyStore(store)).toMatchObject({ status: "self-consistent", faults: [] });
  expect(told).toHaveLength(1);
  await store.close();
});

it("goes on by itself when there is room, and keeps it again", async () => {
  const directory = mkdtempSync(join(base, "store-"));
  const told: string[] = [];
  const store = openSqliteStore({ directory, maxPages: MOST, onAlarm: (message) => told.push(message) });
  const started = await fill(store);
  const first = Array.from({ length: started }, (_, seq) => ({ seq, names: ["result"] }));
  expect((await store.commit({ entries: [{ type: "log.erased" }], erase: first })).ok).toBe(true);
  // It is looked for once a second.
  let done: unknown = "record.full";
  while (done === "record.full") {
    await new Promise((resolve) => setTimeout(resolve, 100));
    done = await write(store, "call.executing").then(
      ({ ok }) => ok,
      (error: { code?: unknown }) => error.code,
    );
  }
  expect(done).toBe(true);
  expect(existsSync(join(directory, "ballast"))).toBe(true);
  expect(told).toEqual([
    expect.stringContaining("disk is full"),
    expect.stringContaining("room on the store's disk again"),
  ]);
  await store.close();
});
