import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type EntryDraft, encodePart, ROTATION_PART, signCheckpoint, signRotation } from "@saferun/core";
import { afterAll, describe, expect, it, vi } from "vitest";
import {
  createCheckpointer,
  createFileSigner,
  nodeHash,
  nodeRandom,
  openReadOnlySqliteStore,
  openSqliteStore,
  rotateKey,
  signingKeyPath,
  verifyStore,
} from "../src/index.ts";

vi.setConfig({ testTimeout: 120_000 });

const base = mkdtempSync(join(tmpdir(), "saferun-rotate-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const call: EntryDraft = { type: "call.lost", call: "c" };
let count = 0;
const fresh = () => join(base, String(count++));

/** So many entries, and the checkpoint that closing makes. */
async function write(directory: string, entries: number): Promise<void> {
  const below = openSqliteStore({ directory });
  const store = createCheckpointer(below, createFileSigner(signingKeyPath(directory)));
  for (let index = 0; index < entries; index++) await store.commit({ entries: [call] });
  await store.close();
}

async function rotated(directory: string, believedUpTo?: number) {
  const store = openSqliteStore({ directory });
  try {
    return await rotateKey(store, believedUpTo === undefined ? {} : { believedUpTo });
  } finally {
    await store.close();
  }
}

async function verified(directory: string, pinned: string, kept: readonly string[] = []) {
  const store = openReadOnlySqliteStore({ directory });
  try {
    const [entry] = await store.entries({ from: 0, limit: 1 });
    const bytes = entry?.parts[0]?.bytes ?? new Uint8Array(0);
    const claimed = JSON.parse(Buffer.from(bytes).toString()) as string;
    return await verifyStore(store, { pinned, claimed, kept });
  } finally {
    await store.close();
  }
}

async function notes(directory: string) {
  const store = openReadOnlySqliteStore({ directory });
  const found = await store.checkpoints();
  await store.close();
  return found;
}

describe("a signing key that is changed [L3~]", () => {
  it("is followed from the first key and from the last one, and says which key signed what", async () => {
    const directory = fresh();
    await write(directory, 3);
    const first = await rotated(directory);
    await write(directory, 2);
    const second = await rotated(directory);
    await write(directory, 2);
    expect(second.from).toBe(first.to);
    for (const key of [first.from, first.to, second.to]) {
      const result = await verified(directory, key);
      expect(result).toMatchObject({ status: "verified", unsigned: 0, faults: [] });
      expect(result.keys).toEqual([
        { key: first.from, from: 0, upTo: first.believedUpTo },
        { key: first.to, from: first.believedUpTo, upTo: second.believedUpTo },
        { key: second.to, from: second.believedUpTo, upTo: null },
      ]);
    }
    const stranger = createFileSigner(join(base, "stranger.key")).vkey;
    expect((await verified(directory, stranger)).status).toBe("faulty");
    // What an anchor kept from before the change still counts.
    const kept = (await notes(directory)).map(({ note }) => note);
    expect(await verified(directory, second.to, kept)).toMatchObject({ status: "verified", faults: [] });
    expect(existsSync(`${signingKeyPath(directory)}.next`)).toBe(false);
  });

  it("signs nothing any more: a checkpoint of the old key behind the change is a fault", async () => {
    const directory = fresh();
    await write(directory, 2);
    const old = fresh();
    cpSync(signingKeyPath(directory), old);
    const { from, to } = await rotated(directory);
    await write(directory, 1);
    const store = openSqliteStore({ directory });
    const late = createCheckpointer(store, createFileSigner(old));
    await expect(late.commit({ entries: [call] })).rejects.toMatchObject({ code: "record.corrupt" });
    await store.commit({ entries: [call] });
    const { size, root } = await store.head();
    await store.addCheckpoint(size, signCheckpoint({ size, root }, createFileSigner(old), nodeHash));
    await store.close();
    for (const key of [from, to]) {
      const { faults } = await verified(directory, key);
      expect(faults).toEqual([expect.objectContaining({ seq: size, fault: "bad-signature", where: "checkpoint" })]);
    }
  });

  it("is believed only up to a checkpoint that is named, when it was in other hands", async () => {
    const directory = fresh();
    await write(directory, 2);
    const good = (await notes(directory)).at(-1)?.size ?? 0;
    await write(directory, 2);
    const { from, believedUpTo } = await rotated(directory, good);
    expect(believedUpTo).toBe(good);
    expect(await verified(directory, from)).toMatchObject({ status: "verified", unsigned: 0, faults: [] });
    // Without the new key's signature nothing is left that vouches for what came after.
    const db = new DatabaseSync(join(directory, "log.db"));
    db.exec("DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)");
    db.close();
    expect(await verified(directory, from)).toMatchObject({ signedUpTo: good });
  });

  it("is not changed to a checkpoint that does not exist", async () => {
    const directory = fresh();
    await write(directory, 2);
    await expect(rotated(directory, 1)).rejects.toMatchObject({ code: "option.invalid" });
    // Nothing was written; the next change takes the key that was made.
    expect((await rotated(directory)).believedUpTo).toBe(3);
  });

  it("is not changed by another key, nor with the note of another log", async () => {
    const directory = fresh();
    await write(directory, 2);
    const key = createFileSigner(signingKeyPath(directory));
    const mine = createFileSigner(fresh(), key.name);
    const other = createFileSigner(fresh(), key.name);
    for (const [from, sameLog] of [
      [other, true],
      [key, false],
    ] as const) {
      const forged = fresh();
      cpSync(directory, forged, { recursive: true });
      const store = openSqliteStore({ directory: forged });
      const log = sameLog ? store.logId : "0".repeat(32);
      const text = signRotation({ log, believed: await store.head() }, from, mine, nodeHash);
      const part = { name: ROTATION_PART, salt: nodeRandom.bytes(32), bytes: encodePart(text) };
      await store.commit({ entries: [{ type: "log.rotated", parts: [part] }] });
      await store.close();
      const { status, faults } = await verified(forged, key.vkey);
      expect(status).toBe("faulty");
      expect(faults).toEqual([expect.objectContaining({ fault: "bad-signature", where: "rotation" })]);
    }
  });

  it("is finished when the change was cut off, and waits until nobody else writes", async () => {
    const directory = fresh();
    await write(directory, 2);
    const path = signingKeyPath(directory);
    const old = readFileSync(path);
    const { from, to } = await rotated(directory);
    // As a crash right after the entry leaves it: old key in place, new one beside it, nothing signed by it.
    writeFileSync(`${path}.next`, readFileSync(path), { mode: 0o600 });
    writeFileSync(path, old);
    const db = new DatabaseSync(join(directory, "log.db"));
    db.exec("DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)");
    db.close();
    const store = createCheckpointer(openSqliteStore({ directory }), createFileSigner(path));
    await expect(store.commit({ entries: [call] })).rejects.toThrow(/rotate-key/);
    const second = openSqliteStore({ directory });
    await expect(rotateKey(second)).rejects.toMatchObject({ code: "record.busy" });
    await store.close();
    expect(await rotateKey(second)).toMatchObject({ from, to });
    await second.close();
    await write(directory, 1);
    expect(await verified(directory, from)).toMatchObject({ status: "verified", unsigned: 0, faults: [] });
  });
});
