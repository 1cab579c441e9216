/** What an anchor keeps is read back when a log is opened: a log behind it takes nothing, and a dead anchor is said. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EntryDraft } from "@saferun/core";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import {
  type Anchor,
  createCheckpointer,
  createFileSigner,
  createObjectStoreAnchor,
  createWitnessAnchor,
  openSqliteStore,
  reconcileStore,
  rotateKey,
  signingKeyPath,
} from "../src/index.ts";
import { bucket, closeServers, type Health, openWitness } from "./loopback.ts";

vi.setConfig({ testTimeout: 60_000 });
const base = mkdtempSync(join(tmpdir(), "saferun-read-anchors-"));
let count = 0;
const fresh = () => join(base, String(count++));
afterEach(closeServers);
afterAll(() => rmSync(base, { recursive: true, force: true }));

const call: EntryDraft = { type: "call.lost", call: "c" };
const PERSON = { id: "bea", kind: "person", roles: ["admin"] } as const;
const installation = { keepNote: () => {}, lastNote: () => undefined, erasures: () => [], retainedBefore: () => 0 };

function open(directory: string, anchors: readonly Anchor[], errors: unknown[] = [], anchorDeadlineMs = 10_000) {
  const onError = (error: unknown): void => void errors.push(error);
  const signer = createFileSigner(signingKeyPath(directory));
  return createCheckpointer(openSqliteStore({ directory }), signer, {
    anchors,
    onError,
    anchorDeadlineMs,
    everyMs: 20,
  });
}

/** So many commits, each with a head that the anchors keep. */
async function grow(directory: string, anchors: readonly Anchor[], commits: number): Promise<void> {
  const store = open(directory, anchors);
  for (let index = 0; index < commits; index++) {
    await store.commit({ entries: [call, call, call] });
    await store.anchor();
  }
  await store.close();
}

const ANCHORS = {
  async "an object store"(_: string, health: Health) {
    const { options } = await bucket(health);
    return () => createObjectStoreAnchor({ ...options, timeoutMs: 60_000 });
  },
  async "a witness"(vkey: string, health: Health) {
    const signer = createFileSigner(fresh(), "witness.example/w1");
    const { url, key } = await openWitness({ logs: [vkey], directory: fresh(), signer }, health);
    return () => createWitnessAnchor({ url, key, timeoutMs: 60_000 });
  },
} as const;

/** A store of two anchored heads, a copy of it, and two heads more that only the anchor has. */
async function world(kind: keyof typeof ANCHORS) {
  const [directory, backup] = [fresh(), fresh()];
  await openSqliteStore({ directory }).close();
  const health: Health = { state: "well" };
  const anchor = await ANCHORS[kind](createFileSigner(signingKeyPath(directory)).vkey, health);
  await grow(directory, [anchor()], 2);
  cpSync(directory, backup, { recursive: true });
  await grow(directory, [anchor()], 2);
  return { directory, backup, anchor, health };
}

describe.each(Object.keys(ANCHORS) as (keyof typeof ANCHORS)[])("%s is read back at the start [L3~]", (kind) => {
  it("a log that it agrees with goes on; one that is behind it takes nothing, also when it has grown since", async () => {
    const { directory, backup, anchor } = await world(kind);
    await grow(directory, [anchor()], 1);
    for (const more of [0, 20]) {
      const copy = fresh();
      cpSync(backup, copy, { recursive: true });
      // Somebody who does not know of the anchor has gone on.
      const other = open(copy, []);
      if (more > 0) await other.commit({ entries: Array.from({ length: more }, () => call) });
      await other.close();
      const store = open(copy, [anchor()]);
      const { size } = await store.head();
      await expect(store.commit({ entries: [call] })).rejects.toMatchObject({ code: "record.restored" });
      await expect(store.anchor()).rejects.toMatchObject({ code: "record.restored" });
      expect((await store.head()).size).toBe(size);
      await store.close();
    }
  });

  it.each(["hangs", "fails"] as const)(
    "one that %s holds up no start, is said, and keeps nothing back for long",
    async (state) => {
      const { backup, anchor, health } = await world(kind);
      health.state = state;
      const errors: unknown[] = [];
      const store = open(backup, [anchor()], errors, 500);
      expect((await store.commit({ entries: [call] })).ok).toBe(true);
      expect(errors).toMatchObject([
        { code: "record.unavailable", message: expect.stringContaining("cannot be read back") },
      ]);
      // What waits for an anchor does not run.
      await expect(store.anchor()).rejects.toMatchObject({ code: "record.unavailable" });
      // As soon as it answers, the log is seen to be behind it.
      health.state = "well";
      await expect(store.anchor()).rejects.toMatchObject({
        code: expect.stringMatching(/^record\.(restored|unavailable)$/),
      });
      await expect
        .poll(
          () =>
            store.commit({ entries: [call] }).then(
              () => "taken",
              (error: { code: string }) => error.code,
            ),
          { timeout: 20_000 },
        )
        .toBe("record.restored");
      await store.close();
    },
  );

  it("nobody reconciles while it cannot be read", async () => {
    const { backup, anchor, health } = await world(kind);
    health.state = "fails";
    const store = openSqliteStore({ directory: backup });
    const signer = createFileSigner(signingKeyPath(backup));
    const wish = { installation, signer, anchors: [anchor()], reason: "disk replaced", by: PERSON };
    await expect(reconcileStore(store, wish)).rejects.toMatchObject({ code: "record.unavailable" });
    await store.close();
  });
});

describe("an object store", () => {
  it("whose newest object is not signed by the log's key counts as one that cannot be read", async () => {
    const health: Health = { state: "well" };
    const { objects, options } = await bucket(health);
    const anchor = () => createObjectStoreAnchor(options);
    const directory = fresh();
    await openSqliteStore({ directory }).close();
    await grow(directory, [anchor()], 2);
    const [first = ""] = objects.keys();
    objects.set(first.replace(/\d{15}$/, "9".repeat(15)), "something else");
    const errors: unknown[] = [];
    const store = open(directory, [anchor()], errors);
    expect((await store.commit({ entries: [call] })).ok).toBe(true);
    expect(errors).toMatchObject([{ code: "record.unavailable" }]);
    await expect(store.anchor()).rejects.toMatchObject({ code: "record.unavailable" });
    await store.close();
  });

  it("that has seen a reconciliation agrees with what came after it", async () => {
    const { backup, anchor } = await world("an object store");
    const store = openSqliteStore({ directory: backup });
    const signer = createFileSigner(signingKeyPath(backup));
    const wish = { installation, signer, anchors: [anchor()], reason: "disk replaced", by: PERSON };
    expect((await reconcileStore(store, wish)).lost.size).toBeGreaterThan(4);
    await store.close();
    await grow(backup, [anchor()], 2);
    expect((await open(backup, [anchor()]).commit({ entries: [call] })).ok).toBe(true);
  });

  it("holds what the key before has signed against the log as well", async () => {
    const { directory, anchor } = await world("an object store");
    const store = openSqliteStore({ directory });
    await rotateKey(store);
    await store.close();
    const backup = fresh();
    cpSync(directory, backup, { recursive: true });
    expect((await open(directory, [anchor()]).commit({ entries: [call] })).ok).toBe(true);
    await grow(directory, [anchor()], 1);
    const copy = open(backup, [anchor()]);
    await expect(copy.commit({ entries: [call] })).rejects.toMatchObject({ code: "record.restored" });
    await copy.close();
  });
});
