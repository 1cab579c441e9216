import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { encodePart, type LogFault, type Verification } from "@saferun/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  createCheckpointer,
  createFileSigner,
  nodeRandom,
  openReadOnlySqliteStore,
  openSqliteStore,
  verifyStore,
} from "../src/index.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const base = mkdtempSync(join(tmpdir(), "saferun-tamper-"));
const original = join(base, "original");
let vkey = "";
let note = "";
let count = 0;

beforeAll(async () => {
  const below = openSqliteStore({ directory: original });
  const signer = createFileSigner(join(original, "log.key"));
  const kept = {
    lastNote: () => undefined,
    keepNote: (_: string, text: string) => {
      note = text;
    },
  };
  const store = createCheckpointer(below, signer, { installation: kept });
  for (let index = 0; index < 12; index++) {
    const parts = ["arguments", "result"].map((name) => ({
      name,
      salt: nodeRandom.bytes(32),
      bytes: encodePart({ index }),
    }));
    const run = index % 3 === 2 ? {} : { run: `run${index % 2}` };
    await store.commit({ entries: [{ type: "call.finished", outcome: "succeeded", ...run, parts }] });
    if (index === 5) await store.checkpoint();
  }
  vkey = signer.vkey;
  await store.close();
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Verifies a copy of the store after `change` was made to its file by somebody who can write it. */
async function after(change: (db: DatabaseSync) => void, kept: readonly string[] = []): Promise<Verification> {
  const directory = join(base, String(count++));
  cpSync(original, directory, { recursive: true });
  const db = new DatabaseSync(join(directory, "log.db"), { defensive: false });
  change(db);
  db.close();
  const store = openReadOnlySqliteStore({ directory });
  try {
    return await verifyStore(store, { pinned: vkey, kept });
  } finally {
    await store.close();
  }
}

const kinds = (faults: readonly LogFault[]): string[] =>
  faults.map(({ seq, fault, where }) => `${seq} ${fault} ${where}`);

describe("one thing changed in the file [L3~]", () => {
  it("nothing changed: verified", async () => {
    const result = await after(() => {});
    // `log.opened` and the twelve.
    expect(result).toMatchObject({ status: "verified", size: 13, signedUpTo: 13, faults: [] });
  });

  it("any one byte of header, leaf, run, part name, salt or bytes of every entry names that entry", async () => {
    for (const { table, column, key } of [
      { table: "entries", column: "header", key: "seq" },
      { table: "entries", column: "leaf", key: "seq" },
      { table: "entries", column: "run", key: "seq" },
      { table: "parts", column: "name", key: "id" },
      { table: "parts", column: "salt", key: "id" },
      { table: "parts", column: "bytes", key: "id" },
    ]) {
      const source = new DatabaseSync(join(original, "log.db"), { readOnly: true });
      const rows = source
        .prepare(`SELECT ${key} AS id, ${column} AS value FROM ${table} WHERE ${column} IS NOT NULL`)
        .all();
      source.close();
      expect(rows.length).toBeGreaterThanOrEqual(8);
      for (const [index, { id, value }] of rows.entries()) {
        const result = await after((db) => {
          db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`).run(bent(value, index * 7), Number(id));
        });
        const seq = table === "entries" ? Number(id) : Math.floor(Number(id) / 1_024);
        expect([column, seq, result.status]).toEqual([column, seq, "faulty"]);
        expect([...new Set(result.faults.map((fault) => fault.seq))]).toEqual([seq]);
      }
    }
  });

  it("a moved, deleted or added row names the place", async () => {
    const entry = "INSERT INTO entries (seq, run, leaf, header) SELECT";
    const cases: [sql: string, first: string][] = [
      ["UPDATE entries SET seq = 4611686018427387904 WHERE seq = 4", "4 missing seq"],
      ["UPDATE entries SET seq = -1 WHERE seq = 4", "4 missing seq"],
      ["DELETE FROM entries WHERE seq = 4", "4 missing seq"],
      ["UPDATE entries SET run = NULL WHERE seq = 4", "4 changed run"],
      ["UPDATE entries SET run = 'run0' WHERE seq = 3", "3 changed run"],
      [`${entry} 13, run, leaf, header FROM entries WHERE seq = 4`, "13 reordered writer"],
      [`${entry} -7, run, leaf, header FROM entries WHERE seq = 4`, "-7 inserted entry"],
      ["UPDATE parts SET id = 4 * 1024 + 9 WHERE id = 4 * 1024 + 1", "4 changed parts"],
      ["UPDATE parts SET id = 99 * 1024 WHERE id = 4 * 1024", "4 missing arguments"],
      ["UPDATE parts SET id = -5 WHERE id = 4 * 1024", "4 missing arguments"],
      ["DELETE FROM parts WHERE id = 4 * 1024", "4 changed parts"],
      ["UPDATE parts SET salt = NULL WHERE id = 4 * 1024", "4 missing arguments"],
      ["UPDATE parts SET bytes = NULL, salt = NULL WHERE id = 4 * 1024", "4 missing arguments"],
      ["INSERT INTO parts (id, name, salt, bytes) VALUES (4 * 1024 + 2, 'zzz', x'00', x'00')", "4 inserted zzz"],
      [
        "INSERT INTO parts (id, name, salt, bytes) VALUES (0x7fffffffffffffff, 'zzz', x'00', x'00')",
        "9007199254740992 inserted part",
      ],
      ["UPDATE log SET size = size + 1", "13 truncated head"],
      ["UPDATE log SET size = size - 1", "12 inserted head"],
      [`UPDATE log SET log = '${"0".repeat(32)}'`, "0 changed log"],
      ["UPDATE log SET peaks = zeroblob(length(peaks))", "12 changed head"],
      ["UPDATE checkpoints SET size = size + 1 WHERE size = 7", "8 changed checkpoint"],
      ["UPDATE checkpoints SET size = 4611686018427387904 WHERE size = 7", "4611686018427388000 changed checkpoint"],
      ["UPDATE checkpoints SET note = 'x' WHERE size = 7", "7 bad-signature checkpoint"],
    ];
    for (const [sql, first] of cases) {
      const result = await after((db) => db.exec(sql));
      expect([sql, result.status]).toEqual([sql, "faulty"]);
      expect([sql, kinds(result.faults)]).toEqual([sql, expect.arrayContaining([first])]);
    }
  });

  it("tables of another form are no store: they would show or hide what no entry says", async () => {
    const schema = (sql: string) => `PRAGMA writable_schema = ON; ${sql}; PRAGMA writable_schema = OFF`;
    for (const sql of [
      "CREATE TRIGGER hidden AFTER INSERT ON calls BEGIN UPDATE approvals SET state = 'approved'; END",
      "CREATE TABLE more (x)",
      "CREATE INDEX more ON parts (name)",
      "DROP INDEX entries_by_run",
      "ALTER TABLE entries RENAME TO own; CREATE VIEW entries AS SELECT * FROM own",
      // Endless, if anybody read it.
      `ALTER TABLE entries RENAME TO own; CREATE VIEW entries AS WITH RECURSIVE ever (seq) AS
        (SELECT 0 UNION ALL SELECT 0 FROM ever) SELECT seq, NULL AS run, x'' AS leaf, x'' AS header FROM ever WHERE seq > 0`,
      schema("UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'entries'"),
      schema("UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', 'NULL') WHERE name = 'entries_by_run'"),
      "PRAGMA application_id = 1",
    ]) {
      const changed = after((db) => db.exec(sql));
      await expect(changed).rejects.toMatchObject({ code: "record.corrupt" });
      const directory = join(base, String(count - 1));
      expect(() => openSqliteStore({ directory })).toThrow(expect.objectContaining({ code: "record.corrupt" }));
    }
  });

  it("any one byte of a checkpoint names it", async () => {
    const bytes = Buffer.from(note);
    for (let place = 0; place < bytes.length; place += 5) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ 1;
      const result = await after((db) => {
        db.prepare("UPDATE checkpoints SET note = ? WHERE size = 13").run(changed.toString("utf8"));
      });
      expect([place, kinds(result.faults)]).toEqual([place, [expect.stringMatching(/^13 /)]]);
    }
  });

  it("a log cut back with head and checkpoints is found by the note kept elsewhere (trap 22)", async () => {
    const cut = (db: DatabaseSync): void => {
      const [leaf] = db.prepare("SELECT leaf FROM entries WHERE seq = 0").all();
      db.prepare("UPDATE log SET size = 1, peaks = ?").run(leaf?.leaf as Uint8Array);
      db.exec("DELETE FROM entries WHERE seq > 0; DELETE FROM parts WHERE id >= 1024; DELETE FROM checkpoints");
    };
    expect((await after(cut)).status).toBe("self-consistent");
    const result = await after(cut, [note]);
    expect(kinds(result.faults)).toEqual(["1 truncated checkpoint"]);
  });
});

/** The value with one byte changed, still of its type. */
function bent(value: unknown, at: number): string | Uint8Array {
  if (typeof value === "string") return `${value.slice(0, -1)}${value.endsWith("0") ? "1" : "0"}`;
  if (!(value instanceof Uint8Array)) throw new Error("a column that is neither text nor blob");
  return value.map((byte, index) => (index === at % value.length ? byte ^ 0x10 : byte));
}
