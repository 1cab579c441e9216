import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { type SealedBytes, sealedIn, unsealed } from "@saferun/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openReadOnlySqliteStore } from "../sqlite/read-only-store.ts";
import { openStoreKeys, type StoreKeys } from "./seal-keys.ts";

let directory: string;
let keys: StoreKeys;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-keys-"));
  keys = openStoreKeys(directory);
});
afterEach(() => {
  keys.close();
  rmSync(directory, { recursive: true, force: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const CONTENT = bytes("a letter to Quetzalcoatl");
const PLACE = bytes("here");

it("opens what it sealed where it was sealed, and makes nothing before it is asked", () => {
  expect(keys.open({ key: "0".repeat(32), bytes: CONTENT }, PLACE)).toBeUndefined();
  keys.destroy(["one"]);
  expect(readdirSync(directory)).toEqual([]);
  const sealed = keys.seal("one", CONTENT, PLACE);
  expect(keys.seal("one", CONTENT, PLACE)).toMatchObject({ key: sealed.key });
  expect(keys.seal("one", CONTENT, PLACE).bytes).not.toEqual(sealed.bytes);
  expect(keys.seal("two", CONTENT, PLACE).key).not.toBe(sealed.key);
  expect(opened(sealed)).toBe("a letter to Quetzalcoatl");
  expect(keys.open(sealed, bytes("there"))).toBeUndefined();
  for (const name of ["keys.db", "seal.key"]) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
});

it("opens nothing of which a bit was changed, or too little is there", () => {
  const { key, bytes: whole } = keys.seal("one", CONTENT, PLACE);
  for (let at = 0; at < whole.length; at++) {
    const changed = whole.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(keys.open({ key, bytes: changed }, PLACE)).toBeUndefined();
    expect(keys.open({ key, bytes: whole.slice(0, at) }, PLACE)).toBeUndefined();
  }
});

it("destroys for every process that has it open, leaves no wrapped key behind, and makes a new one for who comes back", () => {
  const other = openStoreKeys(directory);
  const sealed = keys.seal("one", CONTENT, PLACE);
  const kept = keys.seal("two", CONTENT, PLACE);
  expect(other.open(sealed, PLACE)).toBeInstanceOf(Uint8Array);
  const before = readFileSync(join(directory, "keys.db"));
  const db = new DatabaseSync(join(directory, "keys.db"), { readOnly: true });
  const { wrapped } = db.prepare("SELECT wrapped FROM keys WHERE id = ?").get(sealed.key) ?? {};
  db.close();
  if (!(wrapped instanceof Uint8Array)) throw new Error("the key is not wrapped");
  const secret = Buffer.from(wrapped);
  keys.destroy(["one", "never"]);
  expect(other.open(sealed, PLACE)).toBe("destroyed");
  expect([other.isDestroyed(sealed.key), other.isDestroyed(kept.key)]).toEqual([true, false]);
  expect(opened(kept)).toBe("a letter to Quetzalcoatl");
  expect(before.includes(secret)).toBe(true);
  expect(readFileSync(join(directory, "keys.db")).includes(secret)).toBe(false);
  expect(readdirSync(directory).sort()).toEqual(["keys.db", "seal.key"]);
  const again = other.seal("one", CONTENT, PLACE);
  expect(again.key).not.toBe(sealed.key);
  expect(opened(again)).toBe("a letter to Quetzalcoatl");
  other.close();
});

it("destroys what is tied to a scope with it, whoever tied it and whenever it was made; what is tied to others stays", () => {
  const other = openStoreKeys(directory);
  keys.tie({ scope: "ann", tied: "talk" });
  const sealed = keys.seal("talk", CONTENT, PLACE);
  other.tie({ scope: "bert", tied: "talk" });
  other.tie({ scope: "bert", tied: "other talk" });
  const kept = keys.seal("other talk", CONTENT, PLACE);
  expect([keys.has(["ann"]), keys.has(["carl"]), keys.has(["talk"])]).toEqual([true, false, true]);
  expect(other.destroy(["ann"])).toEqual([sealed.key]);
  expect([keys.open(sealed, PLACE), opened(kept)]).toEqual(["destroyed", "a letter to Quetzalcoatl"]);
  // A tie is gone with its scope, and those of others hold for the key that comes next.
  const next = keys.seal("talk", CONTENT, PLACE);
  expect([keys.has(["ann"]), keys.destroy(["ann"]), opened(next)]).toEqual([false, [], "a letter to Quetzalcoatl"]);
  expect(new Set(keys.destroy(["bert"]))).toEqual(new Set([next.key, kept.key]));
  expect([other.open(next, PLACE), other.open(kept, PLACE)]).toEqual(["destroyed", "destroyed"]);
  const file = readFileSync(join(directory, "keys.db"));
  expect(["ann", "bert"].filter((scope) => file.includes(scope))).toEqual([]);
  other.close();
});

it("[L6~] an opened key is used no more once another process has destroyed it, nor is a new part sealed with it", () => {
  const sealed = keys.seal("one", CONTENT, PLACE);
  expect([opened(sealed), opened(sealed)]).toEqual(["a letter to Quetzalcoatl", "a letter to Quetzalcoatl"]);
  expect(keys.seal("one", CONTENT, PLACE).key).toBe(sealed.key);
  expect(spawnSync(process.execPath, [...FLAGS, directory, "one", "destroy"]).status).toBe(0);
  expect(keys.open(sealed, PLACE)).toBe("destroyed");
  expect(keys.seal("one", CONTENT, PLACE).key).not.toBe(sealed.key);
});

it("makes no second master key, and says what is missing", () => {
  keys.seal("one", CONTENT, PLACE);
  keys.close();
  rmSync(join(directory, "seal.key"));
  expect(() => keys.seal("two", CONTENT, PLACE)).toThrow(expect.objectContaining({ code: "seal.missing" }));
  expect(readdirSync(directory)).toEqual(["keys.db"]);
});

it("refuses a master key that others can read, and a file that is none", () => {
  keys.seal("one", CONTENT, PLACE);
  keys.close();
  chmodSync(join(directory, "seal.key"), 0o644);
  expect(() => keys.seal("one", CONTENT, PLACE)).toThrow(expect.objectContaining({ code: "record.untrusted" }));
  const blocked = openStoreKeys(join(directory, "blocked"));
  mkdirSync(join(directory, "blocked", "keys.db"), { recursive: true });
  expect(() => blocked.seal("one", CONTENT, PLACE)).toThrow(expect.objectContaining({ code: "record.unavailable" }));
});

const SCRIPT = fileURLToPath(new URL("../../test/sealing-process.ts", import.meta.url));
const FLAGS = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning", SCRIPT];

it("[L6~] processes that need the same key at the same time get one, and nothing that it seals is lost", async () => {
  const ended = [1, 2, 3].map(
    () =>
      new Promise<number | null>((resolve) => {
        spawn(process.execPath, [...FLAGS, directory, "one"], { stdio: "ignore" }).on("exit", resolve);
      }),
  );
  expect(await Promise.all(ended)).toEqual([0, 0, 0]);
  const { sealed, contents } = await stored();
  expect(new Set(sealed.map(({ key }) => key)).size).toBe(1);
  expect(contents).toHaveLength(3);
  expect(contents.every((text) => /^\{"pid":\d+\}$/.test(text))).toBe(true);
});

it("[L6~] who is killed between the key and the commit leaves a key that seals nothing yet, and the next takes it", async () => {
  expect(spawnSync(process.execPath, [...FLAGS, directory, "one", "commit"]).signal).toBe("SIGKILL");
  const { key } = keys.seal("one", CONTENT, PLACE);
  expect((await stored()).sealed).toEqual([]);
  expect(spawnSync(process.execPath, [...FLAGS, directory, "one"]).status).toBe(0);
  const { sealed, contents } = await stored();
  expect(sealed.map((one) => one.key)).toEqual([key]);
  expect(contents).toHaveLength(1);
});

function opened(sealed: SealedBytes): string {
  const found = keys.open(sealed, PLACE);
  return found instanceof Uint8Array ? new TextDecoder().decode(found) : String(found);
}

/** What the log holds, and what it says. */
async function stored(): Promise<{ readonly sealed: SealedBytes[]; readonly contents: string[] }> {
  const store = openReadOnlySqliteStore({ directory });
  const query = { from: 0, limit: 100 };
  const partsOf = async (from: Pick<typeof store, "entries">) =>
    (await from.entries(query)).flatMap(({ parts }) => parts.filter(({ name }) => name === "arguments"));
  const raw = await partsOf(store);
  const clear = await partsOf(unsealed(store, keys));
  await store.close();
  return {
    sealed: raw.flatMap(({ bytes: found }) => (found === null ? [] : (sealedIn(found) ?? []))),
    contents: clear.map(({ bytes: found }) => new TextDecoder().decode(found ?? undefined)),
  };
}
