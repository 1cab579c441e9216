import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LOOP_DEFAULTS, type Store } from "@saferun/core";
import { afterAll, describe, expect, it } from "vitest";
import { openReadOnlySqliteStore, openSqliteStore, verifyStore } from "../src/index.ts";

const STORES = join(import.meta.dirname, "../../../spec/stores");
const versions = readdirSync(STORES).map((name) => Number(name.slice(1)));
const current = Math.max(...versions);
const base = mkdtempSync(join(tmpdir(), "saferun-golden-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

function versionOf(file: string): unknown {
  const db = new DatabaseSync(file, { readOnly: true });
  const { user_version } = db.prepare("PRAGMA user_version").get() ?? {};
  db.close();
  return user_version;
}

/** These runs began long ago. */
const UNCAPPED = { ...LOOP_DEFAULTS, caps: { ...LOOP_DEFAULTS.caps, minutes: Number.MAX_SAFE_INTEGER } };

/** One more call of a run, as the detectors see it. */
function propose(store: Store, run: string, agent: string) {
  const tool = "orders.get";
  const caller = { root: run, runs: [run], depth: 0, agent, environment: "prod", principal: "" };
  const keys = {
    tool,
    kind: "read",
    callKey: "ab".repeat(16),
    identityKey: null,
    recipients: ["cd".repeat(16)],
  } as const;
  const held = { claims: [], observe: false, owner: store.writerId, leaseMs: 1_000, at: 0, deadline: 1_000 };
  const call = {
    callId: `call_${run}`,
    caller,
    keys,
    traits: { kind: "read" },
    settings: UNCAPPED,
    ...held,
  } as const;
  return store.commit({
    entries: [{ type: "call.lost", run, agent, environment: "prod" }],
    protection: { accounted: "", motions: [{ ...call, type: "propose", verdict: "allow", rules: [] }] },
  });
}

describe("stores of every version of the schema", () => {
  it("there is one for each, up to the one that is written now", async () => {
    const directory = join(base, "new");
    await openSqliteStore({ directory }).close();
    expect(versionOf(join(directory, "log.db"))).toBe(current);
    expect([...versions].sort((one, two) => one - two)).toEqual(
      Array.from({ length: current }, (_, index) => index + 1),
    );
  });

  it.each(versions)("version %i opens, is upgraded beside a copy of itself, verifies, and goes on", async (version) => {
    const directory = join(base, `v${version}`);
    mkdirSync(directory, { mode: 0o700 });
    copyFileSync(join(STORES, `v${version}`, "log.db"), join(directory, "log.db"));
    const pinned = readFileSync(join(STORES, `v${version}`, "vkey"), "utf8").trim();
    const store = openSqliteStore({ directory });
    const result = await verifyStore(store, { pinned });
    expect(result).toMatchObject({ status: "verified", unsigned: 0, faults: [] });
    // What it held is still there to be read.
    const runs = await store.runs({ limit: 10 });
    expect(runs.map(({ agent }) => agent).sort()).toEqual(["sales", "support"]);
    const calls = await store.callsIn(["succeeded", "denied"], 100);
    expect(calls.map(({ state }) => state).sort()).toEqual(["denied", "denied", ...Array(4).fill("succeeded")]);
    const call = await store.call(calls[0]?.id ?? "");
    expect(await store.callByKey(call?.run ?? "", "first")).toBeDefined();
    expect((await store.approvals({ limit: 10 })).map(({ state }) => state)).toEqual(["consumed", "consumed"]);
    expect((await store.commit({ entries: [{ type: "call.lost", call: "c" }] })).ok).toBe(true);
    // Its runs and agents go on: what the detectors know of them is read, whatever it was written as.
    for (const { id, agent } of runs) expect(await propose(store, id, agent)).toMatchObject({ ok: true });
    expect(await verifyStore(store, { pinned })).toMatchObject({ status: "verified", unsigned: 3, faults: [] });
    await store.close();
    expect(versionOf(join(directory, "log.db"))).toBe(current);

    const copy = join(directory, `log.db.v${version}`);
    if (version === current) {
      expect(statSync(copy, { throwIfNoEntry: false })).toBeUndefined();
      return;
    }
    expect(versionOf(copy)).toBe(version);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    const before = new DatabaseSync(copy, { readOnly: true });
    const { entries } = before.prepare("SELECT count(*) AS entries FROM entries").get() ?? {};
    before.close();
    expect(entries).toBe(result.size);
    // Opened again it is no older store any more.
    const again = openReadOnlySqliteStore({ directory });
    expect((await again.head()).size).toBe(result.size + 3);
    await again.close();
  });
});
