import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Checkpoint, type EntryDraft, parseCheckpoint, parseHeader, parseNote, type Store } from "@saferun/core";
import { afterAll, describe, expect, it, vi } from "vitest";
import {
  createCheckpointer,
  createFileSigner,
  createMemoryStore,
  installation,
  openSqliteStore,
  verifyStore,
} from "../src/index.ts";

vi.setConfig({ testTimeout: 120_000 });

const base = mkdtempSync(join(tmpdir(), "saferun-checkpointer-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let count = 0;
const fresh = (): string => join(base, String(count++));
const signer = createFileSigner(join(base, "log.key"));
const lost: EntryDraft = { type: "call.lost" };

async function signed(store: Store): Promise<number[]> {
  return (await store.checkpoints()).map((checkpoint) => checkpoint.size);
}

/** What the note kept beside the installation says. */
function keptIn(note: string | undefined): Checkpoint | undefined {
  return note === undefined ? undefined : parseCheckpoint(parseNote(note)?.text ?? "");
}

describe("createCheckpointer", () => {
  it("opens an empty log with its public key, and signs what is left when it closes", async () => {
    const below = createMemoryStore();
    const store = createCheckpointer(below, signer, { everyMs: 60_000 });
    await store.commit({ entries: [lost, lost] });
    expect(await signed(store)).toEqual([]);
    await store.close();
    expect(await signed(below)).toEqual([3]);
    const [first] = await below.entries({ from: 0, limit: 1 });
    expect(first === undefined ? "" : parseHeader(first.header).type).toBe("log.opened");
    expect(new TextDecoder().decode(first?.parts[0]?.bytes ?? new Uint8Array(0))).toBe(JSON.stringify(signer.vkey));
    expect(await verifyStore(below, { pinned: signer.vkey })).toMatchObject({ status: "verified", unsigned: 0 });
  });

  it("signs by count, without holding up the commit", async () => {
    const below = createMemoryStore();
    const sizes: number[] = [];
    const done = new Promise<void>((resolve) => {
      const watched: Store = {
        ...below,
        addCheckpoint: async (size, note) => {
          sizes.push(size);
          await below.addCheckpoint(size, note);
          resolve();
        },
      };
      const store = createCheckpointer(watched, signer, { everyEntries: 3, everyMs: 60_000 });
      void store.commit({ entries: [lost, lost, lost] });
    });
    await done;
    expect(sizes).toEqual([4]);
  });

  it("signs by time, once for all entries that came meanwhile", async () => {
    const below = createMemoryStore();
    const done = new Promise<number>((resolve) => {
      const watched: Store = {
        ...below,
        addCheckpoint: async (size, note) => {
          await below.addCheckpoint(size, note);
          resolve(size);
        },
      };
      const store = createCheckpointer(watched, signer, { everyMs: 20 });
      void store.commit({ entries: [lost] }).then(() => store.commit({ entries: [lost] }));
    });
    // The timer does not keep a process alive; this one waits for it.
    const alive = setInterval(() => {}, 1_000);
    expect(await done).toBe(3);
    clearInterval(alive);
    expect(await signed(below)).toEqual([3]);
  });

  it("writes nothing when it was only read from", async () => {
    const below = createMemoryStore();
    const store = createCheckpointer(below, signer);
    await store.runs({ limit: 1 });
    await store.close();
    expect(await below.head()).toMatchObject({ size: 0 });
  });

  it("keeps the last signed head, and takes no commit on a log that is behind it (trap 22)", async () => {
    const home = installation({ directory: fresh() });
    const [directory, backup] = [fresh(), fresh()];
    const first = createCheckpointer(openSqliteStore({ directory }), signer, { installation: home });
    await first.commit({ entries: [lost] });
    await first.close();
    cpSync(directory, backup, { recursive: true });
    const second = createCheckpointer(openSqliteStore({ directory }), signer, { installation: home });
    await second.commit({ entries: [lost] });
    await second.close();
    expect(keptIn(home.lastNote(second.logId))).toMatchObject({ size: 3, origin: signer.name });

    const restored = createCheckpointer(openSqliteStore({ directory: backup }), signer, { installation: home });
    await expect(restored.commit({ entries: [lost] })).rejects.toMatchObject({ code: "record.restored" });
    await expect(restored.checkpoint()).rejects.toMatchObject({ code: "record.restored" });
    await restored.close();
  });

  it("is not led past the last signed head by another name of the log (trap 22)", async () => {
    const home = installation({ directory: fresh() });
    const directory = fresh();
    const first = createCheckpointer(openSqliteStore({ directory }), signer, { installation: home });
    await first.commit({ entries: [lost, lost] });
    await first.close();
    const db = new DatabaseSync(join(directory, "log.db"));
    const [leaf] = db.prepare("SELECT leaf FROM entries WHERE seq = 0").all();
    db.prepare("UPDATE log SET log = ?, size = 1, peaks = ?").run("0".repeat(32), leaf?.leaf as Uint8Array);
    db.exec("DELETE FROM entries WHERE seq > 0; DELETE FROM checkpoints");
    db.close();
    const cut = createCheckpointer(openSqliteStore({ directory }), signer, { installation: home });
    await expect(cut.commit({ entries: [lost] })).rejects.toMatchObject({ code: "record.corrupt" });
    await cut.close();
  });

  it("does not sign a history that was changed since it signed it (trap 22)", async () => {
    const directory = fresh();
    // The same name of the log for both.
    const random = { bytes: (count: number) => new Uint8Array(count).fill(7) };
    const first = createCheckpointer(openSqliteStore({ directory, random }), signer);
    await first.commit({ entries: [lost, lost, lost] });
    await first.close();
    // All of it made anew with the same number of entries, head included; only the key was not at hand.
    const other = fresh();
    const forger = openSqliteStore({ directory: other, random });
    await forger.commit({ entries: [lost, lost, lost, lost] });
    await forger.close();
    const db = new DatabaseSync(join(directory, "log.db"));
    db.exec(`ATTACH '${join(other, "log.db")}' AS other;
      DELETE FROM entries; INSERT INTO entries SELECT * FROM other.entries;
      DELETE FROM parts; INSERT INTO parts SELECT * FROM other.parts;
      UPDATE log SET peaks = (SELECT peaks FROM other.log)`);
    db.close();
    const errors: unknown[] = [];
    const below = openSqliteStore({ directory });
    const store = createCheckpointer(below, signer, { onError: (error) => errors.push(error) });
    await store.commit({ entries: [lost] });
    await expect(store.checkpoint()).rejects.toMatchObject({ code: "record.corrupt" });
    await expect(store.commit({ entries: [lost] })).rejects.toMatchObject({ code: "record.corrupt" });
    expect(await signed(below)).toEqual([4]);
    await store.close();
    expect(errors).toHaveLength(1);
  });

  it("does not take another key's checkpoint for its own", async () => {
    const below = createMemoryStore();
    const store = createCheckpointer(below, createFileSigner(join(base, "other.key")));
    await store.commit({ entries: [lost] });
    await store.checkpoint();
    const mine = createCheckpointer(below, signer);
    await expect(mine.commit({ entries: [lost] })).rejects.toMatchObject({ code: "record.corrupt" });
  });
});

describe("createFileSigner", () => {
  it("keeps its key and name", () => {
    const path = join(base, "kept.key");
    const made = createFileSigner(path, "example.com/log");
    expect(createFileSigner(path).vkey).toBe(made.vkey);
    expect(made.vkey.startsWith("example.com/log+")).toBe(true);
  });

  it.each([0o644, 0o640, 0o602])("takes no key that others could have read or written (mode %o)", (mode) => {
    const path = join(base, `open-${mode}.key`);
    createFileSigner(path);
    chmodSync(path, mode);
    expect(() => createFileSigner(path)).toThrow(expect.objectContaining({ code: "record.untrusted" }));
    chmodSync(path, 0o600);
    expect(createFileSigner(path).publicKey).toHaveLength(32);
  });
});
