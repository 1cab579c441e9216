/** Whoever looks at content, or takes it out, is in the log before anything of it appears. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { type EntryHeader, parseHeader, type StoredEntry } from "@saferun/core";
import { createFileSigner, openReadOnlySqliteStore, signingKeyPath } from "@saferun/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Io } from "../src/io.ts";
import { createStyle } from "../src/output/style.ts";
import { runCommandLine } from "../src/program.ts";
import { makePlace, type Place, start } from "./saferun.ts";
import { openSample, POLICY, pendingApproval, type Sample } from "./sample.ts";

let place: Place;
let sample: Sample;
const { SAFERUN_STATE_DIR } = process.env;
const SECRET_OF_A_CUSTOMER = "17-ann";
beforeEach(async () => {
  place = makePlace();
  process.env.SAFERUN_STATE_DIR = place.state;
  sample = openSample(place.store);
  const { gate, run, execute } = sample;
  await gate.call(run, { tool: "orders.get", args: { id: SECRET_OF_A_CUSTOMER } }, execute);
});
afterEach(async () => {
  await sample.store.close();
  place.remove();
  if (SAFERUN_STATE_DIR === undefined) delete process.env.SAFERUN_STATE_DIR;
  else process.env.SAFERUN_STATE_DIR = SAFERUN_STATE_DIR;
});

/** In this process: a dozen of them of their own would take a minute. */
async function command(...args: string[]) {
  const told = { stdout: "", stderr: "" };
  const style = createStyle(false);
  const stdout = new PassThrough();
  stdout.on("data", (piece: Buffer) => {
    told.stdout += piece.toString();
  });
  const io: Io = {
    ...{ cwd: place.cwd, stdin: new PassThrough(), stdout, style, warnStyle: style },
    print: (text) => void stdout.write(`${text}\n`),
    warn: (text) => {
      told.stderr += `${text}\n`;
    },
    ...{ progress: undefined, interactive: false, user: "tester" },
  };
  const code = await runCommandLine(args.includes("--store") ? args : [...args, "--store", place.store], io);
  return { code, ...told, json: () => JSON.parse(told.stdout) as Record<string, unknown> };
}

interface Recorded {
  readonly header: EntryHeader;
  readonly view: Record<string, unknown>;
}

async function entriesNow(): Promise<readonly StoredEntry[]> {
  const store = openReadOnlySqliteStore({ directory: place.store });
  const entries = await store.entries({ from: 0, limit: 1_000 });
  await store.close();
  return entries;
}

async function views(): Promise<readonly Recorded[]> {
  return (await entriesNow()).flatMap((entry) => {
    const header = parseHeader(entry.header);
    const bytes = entry.parts.find(({ name }) => name === "view")?.bytes;
    if (bytes === undefined || bytes === null) return [];
    return [{ header, view: JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown> }];
  });
}

describe("a view of content", () => {
  it("is an entry for each command that shows or writes it", async () => {
    const { run, store, gate, execute } = sample;
    const waiting = gate.call(run, { tool: "stripe.refund", args: { amount: 9_000 } }, execute);
    const approval = await pendingApproval(store, "stripe.refund");
    const policies = join(place.cwd, "policies.yaml");
    const [{ header: { call = "" } = {} } = {}] = (await entriesNow())
      .map((entry) => ({ header: parseHeader(entry.header) }))
      .filter(({ header }) => header.tool === "orders.get");
    writeFileSync(policies, POLICY);
    const looks: readonly (readonly [readonly string[], string, string, object])[] = [
      [["runs", run.id], "payload.viewed", "runs", { runs: [run.id] }],
      [["replay", run.id], "payload.viewed", "replay", { runs: [run.id] }],
      [["replay", run.id, "--to-test", "t.yaml", "-p", policies], "log.exported", "replay", { runs: [run.id] }],
      [["diff-runs", run.id, run.id], "payload.viewed", "diff-runs", { runs: [run.id, run.id] }],
      [["explain", "-p", policies, "--run", run.id, "--call-id", call], "payload.viewed", "explain", { calls: [call] }],
      [["log", "--json", "--limit", "2"], "payload.viewed", "log", { entries: 2 }],
      [
        ["log", "search", "tool:orders.get"],
        "payload.viewed",
        "log search",
        { query: expect.stringMatching(/^\w{64}$/) },
      ],
      [["log", "export"], "log.exported", "log export", { range: { from: 0, to: expect.any(Number) } }],
      [["log", "export", "-q", "tool:orders.get", "-f", "csv"], "log.exported", "log export", { entries: 4 }],
      [["log", "report", "--from", "2026-01-01", "--to", "2030-01-01"], "log.exported", "log report", {}],
      [["approvals", "show", approval], "payload.viewed", "approvals show", { approvals: [approval], runs: [run.id] }],
    ];
    for (const [index, [args, type, what, of]] of looks.entries()) {
      const { code, stderr } = await command(...args);
      expect([args.join(" "), code === 0 || code === 1, stderr.includes("nothing is shown")]).toEqual([
        args.join(" "),
        true,
        false,
      ]);
      const seen = await views();
      expect(seen).toHaveLength(index + 1);
      const last = seen.at(-1);
      expect(last?.header.type).toBe(type);
      expect(last?.header.run).toBeUndefined();
      expect(last?.view).toMatchObject({ what, by: { id: expect.stringMatching(/^local:/), verified: false }, ...of });
    }
    await command("approvals", "deny", approval);
    await waiting;
    const key = createFileSigner(signingKeyPath(place.store)).vkey;
    expect((await command("log", "verify", "--pin", key, "--json")).json()).toMatchObject({ status: "verified" });
  });

  it("is none for what shows no content", async () => {
    for (const args of [["runs"], ["log"], ["log", "verify"], ["log", "key"], ["approvals", "list"], ["breakers"]]) {
      expect(await command(...args)).toMatchObject({ code: 0 });
    }
    expect(await views()).toEqual([]);
  });

  it("is there before the first line appears, once for all that is followed", async () => {
    const child = start(place, ["log", "search", "--follow", "--json", "--store", place.store]);
    await once(child.stdout, "data");
    expect((await views()).map(({ view }) => view.what)).toEqual(["log search --follow"]);
    const { gate, run, execute } = sample;
    const more = once(child.stdout, "data");
    await gate.call(run, { tool: "orders.get", args: { id: 2 } }, execute);
    await more;
    expect(await views()).toHaveLength(1);
    child.kill();
    await once(child, "close");
  });

  it("that cannot be recorded does not happen: a store that somebody else has locked", async () => {
    const db = new DatabaseSync(join(place.store, "log.db"), { timeout: 5_000 });
    db.exec("BEGIN IMMEDIATE");
    try {
      const out = join(place.cwd, "log.jsonl");
      const [shown, exported] = await Promise.all([
        command("runs", sample.run.id),
        command("log", "export", "--out", out),
      ]);
      for (const ended of [shown, exported]) {
        expect(ended).toMatchObject({ code: 3, stdout: "" });
        expect(ended.stderr).toMatch(/^saferun: nothing is shown, because it could not be recorded .* copy the store/);
        expect(ended.stderr).not.toContain(SECRET_OF_A_CUSTOMER);
      }
      expect(existsSync(out)).toBe(false);
    } finally {
      db.exec("ROLLBACK");
      db.close();
    }
    expect(await views()).toEqual([]);
  });

  it("that cannot be recorded does not happen: a store that may only be read; a copy of it can be looked at", async () => {
    await sample.store.close();
    const others = join(place.cwd, "others");
    mkdirSync(others);
    const locked = join(others, "store");
    cpSync(place.store, locked, { recursive: true });
    for (const folder of [dirname(place.cwd), place.cwd, others]) chmodSync(folder, 0o755);
    // The directory stays writable: SQLite keeps a file for its readers there.
    chmodSync(join(locked, "log.db"), 0o400);
    if (process.geteuid?.() === 0) {
      for (const file of [".", ...readdirSync(locked)]) chownSync(join(locked, file), 65_534, 65_534);
    }
    const script = fileURLToPath(new URL("./viewing-process.ts", import.meta.url));
    const flags = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];
    const env = { PATH: process.env.PATH, HOME: place.cwd, SAFERUN_STATE_DIR: join(place.cwd, "nobody") };
    const words = [...flags, script, locked];
    const ended = spawnSync(process.execPath, words, { encoding: "utf8", cwd: place.cwd, env });
    expect(ended.stderr).toMatch(/^read true\n3 record\.\w+ nothing is shown, because it could not be recorded/);
    expect(ended.stdout).toBe("");
    const copy = join(place.cwd, "copy");
    cpSync(place.store, copy, { recursive: true });
    const shown = await command("runs", sample.run.id, "--store", copy);
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.stdout).toContain(SECRET_OF_A_CUSTOMER);
    expect(await views()).toEqual([]);
  });
});
