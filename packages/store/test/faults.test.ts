import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { encodePart, recover, SafeRunError, stopCalls, type Transaction, toLookAt } from "@saferun/core";
import { afterAll, describe, expect, it, vi } from "vitest";
import { approval, call, write } from "../src/contract-rows.ts";
import {
  createFileSigner,
  hasStore,
  installation,
  nodeClock,
  nodeRandom,
  openReadOnlySqliteStore,
  openSqliteStore,
  type SqliteStoreOptions,
  signingKeyPath,
  verifyStore,
} from "../src/index.ts";

vi.setConfig({ testTimeout: 120_000 });

const base = mkdtempSync(join(tmpdir(), "saferun-faults-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let count = 0;
const fresh = (): string => join(base, String(count++));

function codeOf(options: SqliteStoreOptions): string {
  try {
    void openSqliteStore(options).close();
    return "opened";
  } catch (error) {
    if (error instanceof SafeRunError) return error.code;
    throw error;
  }
}

/** A store with three entries, closed. */
async function made(options: Partial<SqliteStoreOptions> = {}): Promise<string> {
  const directory = fresh();
  const store = openSqliteStore({ directory, ...options });
  await store.commit({ entries: [{ type: "call.lost" }, { type: "call.lost" }, { type: "call.lost" }] });
  await store.close();
  return directory;
}

function big(bytes: number): Transaction {
  const parts = [{ name: "result", salt: nodeRandom.bytes(32), bytes: encodePart("x".repeat(bytes)) }];
  return { entries: [{ type: "call.finished", run: "r", parts }] };
}

describe("a store's directory", () => {
  it("is made closed, ignored by git, and nothing in it is readable for others", async () => {
    const directory = await made();
    expect(lstatSync(directory).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(directory, ".gitignore"), "utf8")).toBe("*\n");
    expect(lstatSync(join(directory, "log.db")).mode & 0o777).toBe(0o600);
  });

  it("is refused when it is a link, or a file in it is", async () => {
    const directory = await made();
    const link = fresh();
    symlinkSync(directory, link);
    expect(codeOf({ directory: link })).toBe("record.untrusted");
    const holding = fresh();
    mkdirSync(holding, { mode: 0o700 });
    symlinkSync(join(directory, "log.db"), join(holding, "log.db"));
    expect(codeOf({ directory: holding })).toBe("record.untrusted");
  });

  it("is refused when others can write it, or a file in it", async () => {
    const directory = await made();
    chmodSync(directory, 0o770);
    expect(codeOf({ directory })).toBe("record.untrusted");
    chmodSync(directory, 0o700);
    chmodSync(join(directory, "log.db"), 0o606);
    expect(codeOf({ directory })).toBe("record.untrusted");
    chmodSync(join(directory, "log.db"), 0o600);
    expect(codeOf({ directory })).toBe("opened");
  });

  it("is refused when it belongs to another account", async () => {
    // Who is root gives it away; who is not looks at root's.
    const mine = await made();
    if (process.geteuid?.() === 0) chownSync(mine, 65_534, 65_534);
    const directory = process.geteuid?.() === 0 ? mine : "/";
    expect(codeOf({ directory })).toBe("record.untrusted");
  });

  it("at the default path must carry this installation's id", async () => {
    const own = installation({ directory: fresh() });
    const other = installation({ directory: fresh() });
    expect(installation({ directory: own.directory }).id).toBe(own.id);
    expect(own.id).not.toBe(other.id);
    const directory = await made({ installation: own });
    expect(codeOf({ directory, installation: own })).toBe("opened");
    expect(codeOf({ directory, installation: other })).toBe("record.untrusted");
    expect(codeOf({ directory })).toBe("opened");
    const unclaimed = await made();
    expect(codeOf({ directory: unclaimed, installation: own })).toBe("record.untrusted");
    const copied = fresh();
    cpSync(directory, copied, { recursive: true });
    rmSync(join(copied, "installation"));
    expect(codeOf({ directory: copied, installation: own })).toBe("record.untrusted");
    const empty = fresh();
    mkdirSync(empty, { mode: 0o700 });
    expect(codeOf({ directory: empty, installation: own })).toBe("opened");
  });

  it("answers `record.unavailable` when it cannot be written", () => {
    // Below a directory that anybody can enter, owned by the account that opens it.
    const open = mkdtempSync(join(tmpdir(), "saferun-readonly-"));
    try {
      chmodSync(open, 0o755);
      const directory = join(open, "store");
      mkdirSync(directory, { mode: 0o500 });
      if (process.geteuid?.() === 0) chownSync(directory, 65_534, 65_534);
      const script = fileURLToPath(new URL("./opening-process.ts", import.meta.url));
      const flags = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];
      const ended = spawnSync(process.execPath, [...flags, script, directory], { encoding: "utf8" });
      expect(ended.stdout + ended.stderr).toBe("record.unavailable");
    } finally {
      rmSync(open, { recursive: true, force: true });
    }
  });
});

describe("the state directory", () => {
  it("lies at an absolute path: a project cannot bring the id that its own store carries", () => {
    const relative = { environment: { SAFERUN_STATE_DIR: "./state" } };
    expect(() => installation(relative)).toThrow(expect.objectContaining({ code: "option.invalid" }));
    const home = join(fresh(), "home");
    expect(installation({ environment: { XDG_STATE_HOME: "state", HOME: home } }).directory).toBe(
      join(home, ".local", "state", "saferun"),
    );
  });

  it("follows SAFERUN_STATE_DIR, XDG_STATE_HOME and HOME, in this order", () => {
    const [state, xdg, home] = [fresh(), fresh(), fresh()];
    const all = { SAFERUN_STATE_DIR: state, XDG_STATE_HOME: xdg, HOME: home };
    expect(installation({ environment: all }).directory).toBe(state);
    expect(installation({ environment: { ...all, SAFERUN_STATE_DIR: "" } }).directory).toBe(join(xdg, "saferun"));
    const last = installation({ environment: { HOME: home } });
    expect(last.directory).toBe(join(home, ".local", "state", "saferun"));
    expect(lstatSync(last.directory).mode & 0o777).toBe(0o700);
    expect(lstatSync(join(last.directory, "installation")).mode & 0o777).toBe(0o600);
  });

  it("is refused when others can write it", () => {
    const directory = installation({ directory: fresh() }).directory;
    chmodSync(directory, 0o722);
    expect(() => installation({ directory })).toThrow(expect.objectContaining({ code: "record.untrusted" }));
  });
});

describe("a store's file", () => {
  it("that is no database, or damaged, is `record.corrupt`", async () => {
    const noise = await made();
    writeFileSync(join(noise, "log.db"), nodeRandom.bytes(8_192));
    expect(codeOf({ directory: noise })).toBe("record.corrupt");
    const cut = await made();
    truncateSync(join(cut, "log.db"), 4_096 * 3);
    expect(codeOf({ directory: cut })).toBe("record.corrupt");
    const headless = await made();
    const bent = new DatabaseSync(join(headless, "log.db"));
    bent.exec("DELETE FROM entries WHERE seq = 2");
    bent.close();
    expect(codeOf({ directory: headless })).toBe("record.corrupt");
    const foreign = await made();
    rmSync(join(foreign, "log.db"));
    const db = new DatabaseSync(join(foreign, "log.db"));
    db.exec("CREATE TABLE shopping (item TEXT)");
    db.close();
    chmodSync(join(foreign, "log.db"), 0o600);
    expect(codeOf({ directory: foreign })).toBe("record.corrupt");
  });

  it("that is empty or gone beside the key that has signed it does not begin anew", async () => {
    for (const lose of [(file: string) => truncateSync(file, 0), (file: string) => rmSync(file)]) {
      const directory = await made();
      createFileSigner(signingKeyPath(directory));
      for (const end of ["-wal", "-shm"]) rmSync(join(directory, `log.db${end}`), { force: true });
      lose(join(directory, "log.db"));
      expect(codeOf({ directory })).toBe("record.corrupt");
      expect(() => openReadOnlySqliteStore({ directory })).toThrow(/has lost its record/);
      expect(() => hasStore(directory)).toThrow(/move the whole directory away/);
    }
    expect(hasStore(fresh())).toBe(false);
  });

  it("with one damaged call: it holds up no other, a start tells of it, and its question stays closed", async () => {
    const directory = fresh();
    let now = 5;
    const clock = { ...nodeClock, now: () => now };
    const store = openSqliteStore({ directory, clock });
    const ids = ["first", "second", "third"];
    const calls = ids.map((id) => write(call(id, { key: id, state: "pending", approval: id }), null));
    const approvals = ids.map((id) => write(approval(id, { call: id, agent: id, deadline: 9 }), null));
    await store.commit({ calls, approvals, entries: [] });
    const bent = new DatabaseSync(join(directory, "log.db"));
    bent.exec("UPDATE calls SET record = '{' WHERE id = 'first'");
    bent.close();
    const by = { id: "ann", kind: "person", roles: ["admin"] } as const;
    const scope = { agent: "second", tool: null, run: null };
    expect(await stopCalls({ store, clock, random: nodeRandom }, { scope, reason: "test", by })).toMatchObject({
      ok: true,
    });
    expect((await store.approval("second"))?.state).toBe("suspended");
    now = 9;
    const found = await recover(store, clock);
    expect(found).toMatchObject({ unknown: [], expired: ["second", "third"] });
    expect(toLookAt(found)).toEqual([expect.stringMatching(/^call `first` waits on damaged rows/)]);
    expect((await store.approval("first"))?.state).toBe("pending");
    await store.close();
  });

  it("of the first schema gets the tables that it lacks, and keeps what it holds", async () => {
    const directory = await made();
    const db = new DatabaseSync(join(directory, "log.db"));
    const { size } = db.prepare("SELECT size FROM log").get() ?? {};
    db.exec("DROP TABLE state; PRAGMA user_version = 1");
    db.close();
    const store = openSqliteStore({ directory });
    expect((await store.head()).size).toBe(size);
    const row = { kind: "grant", id: "g", version: 1, due: null, value: 1 } as const;
    expect((await store.commit({ entries: [], rows: [{ row, expect: null }] })).ok).toBe(true);
    await store.close();
  });

  it("of a newer SafeRun is `record.newer`, and stays as it is", async () => {
    const directory = await made();
    const db = new DatabaseSync(join(directory, "log.db"));
    db.exec("PRAGMA user_version = 99");
    db.close();
    const before = readFileSync(join(directory, "log.db"));
    expect(codeOf({ directory })).toBe("record.newer");
    expect(readFileSync(join(directory, "log.db"))).toEqual(before);
  });

  it("that is locked by another process is `record.busy`, which may be tried again", async () => {
    const directory = await made();
    const store = openSqliteStore({ directory, busyMs: 50 });
    const db = new DatabaseSync(join(directory, "log.db"));
    db.exec("BEGIN IMMEDIATE");
    await expect(store.commit(big(10))).rejects.toMatchObject({ code: "record.busy", retryable: true });
    db.exec("ROLLBACK");
    db.close();
    expect((await store.commit(big(10))).ok).toBe(true);
    await store.close();
  });

  it("that went back while it was open takes nothing more", async () => {
    const directory = await made();
    const store = openSqliteStore({ directory });
    await store.commit(big(10));
    const db = new DatabaseSync(join(directory, "log.db"));
    db.exec("DELETE FROM entries WHERE seq = 3; UPDATE log SET size = 3, peaks = zeroblob(64)");
    db.close();
    await expect(store.commit(big(10))).rejects.toMatchObject({ code: "record.corrupt" });
    await expect(store.commit(big(10))).rejects.toMatchObject({ code: "record.corrupt" });
    await store.close();
  });
});

describe("a full disk", () => {
  it("is `record.full`; nothing is half stored, and what was stored before still verifies [L1~]", async () => {
    const directory = await made();
    const store = openSqliteStore({ directory, maxPages: 60 });
    let stored = 3;
    let failure: unknown;
    for (let round = 0; round < 100 && failure === undefined; round++) {
      await store.commit(big(8_000)).then(
        () => stored++,
        (error: unknown) => {
          failure = error;
        },
      );
    }
    expect(failure).toMatchObject({ code: "record.full" });
    expect(await store.head()).toMatchObject({ size: stored });
    // Together with one that is too large, a small one fails too, or fits alone: never half.
    const together = await Promise.allSettled([
      store.commit(big(50_000)),
      store.commit({ entries: [{ type: "call.lost" }] }),
    ]);
    expect(together[0]?.status).toBe("rejected");
    if (together[1]?.status === "fulfilled") stored++;
    expect(await verifyStore(store)).toMatchObject({ status: "self-consistent", size: stored, faults: [] });
    await store.close();
    const roomy = openSqliteStore({ directory });
    expect((await roomy.commit(big(8_000))).ok).toBe(true);
    expect(await verifyStore(roomy)).toMatchObject({ status: "self-consistent", size: stored + 1, faults: [] });
    await roomy.close();
  });
});
