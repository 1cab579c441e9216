import { hash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { EntryDraft } from "@saferun/core";
import { afterAll, describe, expect, it, vi } from "vitest";
import { nodeRandom } from "../node/ports.ts";
import { createPackedReader } from "./packed.ts";
import { openSqliteStore } from "./sqlite-store.ts";

vi.setConfig({ testTimeout: 60_000 });

const directory = mkdtempSync(join(tmpdir(), "saferun-packed-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Every byte value, nothing, more than a group takes along, and what would end a text. */
const CONTENTS = [
  Uint8Array.from({ length: 256 }, (_, byte) => byte),
  new Uint8Array(0),
  nodeRandom.bytes(70_000),
  new Uint8Array([0, 0, 0]),
  new Uint8Array([0xff, 0xfe, 0xc2]),
];

async function made(): Promise<DatabaseSync> {
  const store = openSqliteStore({ directory });
  const entries = Array.from({ length: 150 }, (_, number): EntryDraft => {
    const parts = CONTENTS.slice(0, number % 6).map((bytes, index) => ({
      name: `part/${index}`,
      salt: nodeRandom.bytes(32),
      bytes,
    }));
    return { type: "call.lost", ...(number % 3 === 0 ? {} : { run: `"run",${number % 7}` }), parts };
  });
  await store.commit({ entries });
  await store.commit({ entries: [{ type: "call.lost" }], erase: [{ seq: 3, names: ["part/0", "part/2"] }] });
  await store.close();
  return new DatabaseSync(join(directory, "log.db"), { defensive: false });
}

/** The same read row by row. */
function rowByRow(db: DatabaseSync, from: number, limit: number, run?: string) {
  const parts = db.prepare("SELECT name, salt, bytes FROM parts WHERE id >= ? AND id < ? ORDER BY id");
  const rows = db.prepare(
    "SELECT seq, run, leaf, header FROM entries WHERE (? IS NULL OR run = ?) AND seq >= ? ORDER BY seq LIMIT ?",
  );
  const wanted = run ?? null;
  return rows.all(wanted, wanted, from, limit).map(({ seq, run, leaf, header }) => {
    const found = parts.all(Number(seq) * 1_024, (Number(seq) + 1) * 1_024).map((part) => ({ ...part }));
    return { seq, header, leaf, parts: found, columns: { run, parts: found.length } };
  });
}

/** Bytes as their digests: what differs is said shorter, and sooner. */
function plain(entries: readonly object[]): unknown {
  return JSON.parse(
    JSON.stringify(entries, (_, value: unknown) => (value instanceof Uint8Array ? hash("sha256", value) : value)),
  );
}

describe("entries read many in one row", () => {
  it("are what they are row by row, wherever a page begins, and also where entries are gone", async () => {
    const db = await made();
    const read = createPackedReader(db);
    const same = (from: number, limit: number) =>
      expect(plain(read(from, limit))).toEqual(plain(rowByRow(db, from, limit)));
    for (const [from, limit] of [
      [0, 151],
      [0, 1],
      [63, 2],
      [64, 64],
      [100, 500],
      [151, 10],
      [Number.MAX_SAFE_INTEGER, 3],
    ] as const) {
      same(from, limit);
    }
    for (const [from, limit, run] of [
      [0, 150, '"run",4'],
      [50, 3, '"run",4'],
      [0, 150, "none"],
    ] as const) {
      expect(plain(read(from, limit, run))).toEqual(plain(rowByRow(db, from, limit, run)));
    }
    expect(read(0, 150, '"run",4').length).toBeGreaterThan(10);
    expect(read(3, 1)[0]?.parts.map(({ salt, bytes }) => salt === null && bytes === null)).toEqual([true, false, true]);
    db.exec("DELETE FROM entries WHERE seq IN (5, 70, 71, 140)");
    same(0, 151);
    same(65, 20);
    // Large ones end a page, and the next goes on where it ended.
    db.exec("UPDATE parts SET bytes = zeroblob(200000)");
    const page = read(0, 151);
    expect(page.length).toBeGreaterThanOrEqual(64);
    expect(page.length).toBeLessThan(147);
    const all = [...page, ...read((page.at(-1)?.seq ?? 0) + 1, 151 - page.length)];
    expect(plain(all.slice(0, 100))).toEqual(plain(rowByRow(db, 0, 100)));
    db.close();
  });

  it("are refused where a column holds another type", () => {
    const db = new DatabaseSync(":memory:");
    db.exec(
      "CREATE TABLE entries (seq, run, leaf, header); CREATE TABLE parts (id INTEGER PRIMARY KEY, name, salt, bytes)",
    );
    const read = createPackedReader(db);
    db.exec("INSERT INTO entries VALUES (0, NULL, x'00', x'01'); INSERT INTO parts VALUES (0, 'a', x'00', 'text')");
    expect(() => read(0, 1)).toThrow(expect.objectContaining({ code: "record.corrupt" }));
    db.exec("DELETE FROM parts; UPDATE entries SET header = '{}'");
    expect(() => read(0, 1)).toThrow(expect.objectContaining({ code: "record.corrupt" }));
    db.exec("UPDATE entries SET header = x'01', run = 7");
    expect(() => read(0, 1)).toThrow(expect.objectContaining({ code: "record.corrupt" }));
    db.close();
  });
});
