/**
 * Every kind of change that somebody with write access to the store can make, at random places, and the whole-store ones
 * that only an anchor can show. Prints the table fault × detected × named.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type EntryDraft, encodePart, type LogFault, type Verification } from "@saferun/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  createCheckpointer,
  createFileSigner,
  nodeRandom,
  openReadOnlySqliteStore,
  openSqliteStore,
  signingKeyPath,
  verifyStore,
} from "../src/index.ts";
import { PLACES, randomOf, tamper } from "./tamper-program.ts";

vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 120_000 });

const ROUNDS = Number(process.env.SAFERUN_TAMPER_ROUNDS ?? 50);
const SEED = Number(process.env.SAFERUN_TAMPER_SEED ?? 20_261_122);

const base = mkdtempSync(join(tmpdir(), "saferun-tampering-"));
const original = join(base, "original");
const older = join(base, "older");
let vkey = "";
let count = 0;
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Two processes take turns; every third entry belongs to no run; a checkpoint now and then. */
beforeAll(async () => {
  await grow(original, 14);
  vkey = createFileSigner(signingKeyPath(original)).vkey;
  cpSync(original, older, { recursive: true });
  await grow(original, 14);
});

async function grow(directory: string, entries: number): Promise<void> {
  const open = () => createCheckpointer(openSqliteStore({ directory }), createFileSigner(signingKeyPath(directory)));
  const writers = [open(), open()];
  for (let index = 0; index < entries; index++) {
    const store = writers[index % 2];
    await store?.commit({ entries: [draft(index)] });
    if (index % 5 === 4) await store?.checkpoint();
  }
  for (const store of writers) await store.close();
}

function draft(index: number): EntryDraft {
  const parts = ["arguments", "result"].map((name) => ({
    name,
    salt: nodeRandom.bytes(32),
    bytes: encodePart({ index, name }),
  }));
  const run = index % 3 === 2 ? {} : { run: `run${index % 2}` };
  return { type: "call.finished", outcome: "succeeded", ...run, parts };
}

async function verified(directory: string, kept: readonly string[] = [], pinned = vkey): Promise<Verification> {
  const store = openReadOnlySqliteStore({ directory });
  try {
    return await verifyStore(store, { pinned, kept });
  } finally {
    await store.close();
  }
}

/** What an anchor holds: every checkpoint of the store as it stands now. */
async function anchored(directory: string): Promise<string[]> {
  const store = openReadOnlySqliteStore({ directory });
  const notes = (await store.checkpoints()).map(({ note }) => note);
  await store.close();
  return notes;
}

function copyOf(directory: string): string {
  const copy = join(base, String(count++));
  cpSync(directory, copy, { recursive: true });
  return copy;
}

function change(directory: string, work: (db: DatabaseSync) => void): string {
  const db = new DatabaseSync(join(directory, "log.db"), { defensive: false });
  work(db);
  db.close();
  return directory;
}

const table: string[] = [];
afterAll(() => process.stdout.write(`\n${table.join("\n")}\n`));

describe("tampering [L3]", () => {
  describe("one thing at random", randomly);
  describe("all of it", wholly);
});

function randomly(): void {
  it(`is detected and named in ${ROUNDS} rounds`, async () => {
    const random = randomOf(SEED);
    const tally = new Map<string, { rounds: number; detected: number; named: number }>();
    for (let round = 0; round < ROUNDS; ) {
      const place = PLACES[Math.floor(random() * PLACES.length)];
      if (place === undefined) throw new Error("no place");
      const directory = copyOf(original);
      let done: ReturnType<typeof tamper>;
      change(directory, (db) => {
        done = tamper(db, place, random);
      });
      if (done !== undefined) {
        round++;
        const { seqs, what } = done;
        const { status, faults } = await verified(directory);
        const detected = status === "faulty";
        const named = seqs === null ? detected : faults.some(({ seq }) => seqs.includes(seq));
        expect([SEED, what, detected, named, faults.slice(0, 3)]).toEqual([SEED, what, true, true, faults.slice(0, 3)]);
        const name = `${place.fault} ${place.table}.${place.fault === "change" || place.fault === "swap" ? place.column : "row"}`;
        const sum = tally.get(name) ?? { rounds: 0, detected: 0, named: 0 };
        tally.set(name, {
          rounds: sum.rounds + 1,
          detected: sum.detected + Number(detected),
          named: sum.named + Number(named),
        });
      }
      rmSync(directory, { recursive: true });
    }
    table.push(row("fault", "detected", "named"));
    for (const [name, { rounds, detected, named }] of [...tally].sort()) {
      table.push(row(name, `${detected}/${rounds}`, `${named}/${rounds}`));
    }
  });
}

function row(...cells: [string, string, string]): string {
  return `  ${cells[0].padEnd(44)}${cells[1].padEnd(34)}${cells[2]}`;
}

/** Everything behind an entry is gone, and the tables say so in agreement. */
function cutBack(directory: string, size: number): string {
  const store = openReadOnlySqliteStore({ directory: older });
  const kept = new DatabaseSync(join(older, "log.db"), { readOnly: true });
  const head = kept.prepare("SELECT size, peaks FROM log").get() ?? {};
  kept.close();
  void store.close();
  if (head.size !== size) throw new Error("the older copy has another size");
  return change(directory, (db) => {
    db.prepare("DELETE FROM entries WHERE seq >= ?").run(size);
    db.prepare("DELETE FROM parts WHERE id >= ?").run(size * 1_024);
    db.prepare("DELETE FROM checkpoints WHERE size > ?").run(size);
    db.prepare("UPDATE log SET size = ?, peaks = ?").run(size, head.peaks as Uint8Array);
  });
}

/** Another history of the same length under the same name of the log, signed by the key that lies in the directory. */
async function rewritten(key: "same" | "other"): Promise<string> {
  const directory = join(base, String(count++));
  const source = openReadOnlySqliteStore({ directory: original });
  const { logId } = source;
  await source.close();
  let first = true;
  const random = {
    // The log's name is asked for second, after the writer's; both may be the same.
    bytes: (size: number) =>
      first || size === 16 ? Uint8Array.from(Buffer.from(logId, "hex")) : nodeRandom.bytes(size),
  };
  const below = openSqliteStore({ directory, random });
  first = false;
  if (key === "same") cpSync(signingKeyPath(original), signingKeyPath(directory));
  const store = createCheckpointer(below, createFileSigner(signingKeyPath(directory)));
  for (let index = 0; index < 28; index++) {
    await store.commit({ entries: [draft(index + 100)] });
    if (index % 5 === 4) await store.checkpoint();
  }
  await store.close();
  return directory;
}

const kinds = (faults: readonly LogFault[]) => faults.map(({ fault, where }) => `${fault} (${where})`);

function wholly(): void {
  interface Case {
    readonly what: string;
    make(): Promise<string> | string;
    /** Without an anchor: found all the same, or not provable. */
    readonly alone: "found" | "not provable";
    readonly named: RegExp;
  }
  const cases: Case[] = [
    {
      what: "cut back to an earlier checkpoint",
      make: async () => cutBack(copyOf(original), (await verified(older)).size),
      alone: "not provable",
      named: /truncated/,
    },
    { what: "an older copy put back", make: () => copyOf(older), alone: "not provable", named: /truncated/ },
    {
      what: "an older copy put back, and gone on from",
      make: async () => {
        const directory = copyOf(older);
        await grow(directory, 20);
        return directory;
      },
      alone: "not provable",
      named: /forked/,
    },
    {
      what: "all rewritten and signed with the same key",
      make: () => rewritten("same"),
      alone: "not provable",
      named: /forked|truncated|bad-signature/,
    },
    {
      what: "all rewritten and signed with another key",
      make: () => rewritten("other"),
      alone: "found",
      named: /bad-signature|unlisted-tree|forked/,
    },
  ];

  it.each(cases)("$what", async ({ what, make, alone, named }) => {
    const anchor = await anchored(original);
    const directory = await make();
    const without = await verified(directory);
    expect([what, without.status]).toEqual([what, alone === "found" ? "faulty" : "verified"]);
    // Which is what the answer says: nothing of it is anchored.
    expect(without.anchoredUpTo).toBe(0);
    const withAnchor = await verified(directory, anchor);
    expect([what, withAnchor.status]).toEqual([what, "faulty"]);
    expect(kinds(withAnchor.faults).join(" ")).toMatch(named);
    const shown = alone === "found" ? "yes" : "not provable; yes with an anchor";
    table.push(row(what, shown, kinds(withAnchor.faults)[0] ?? ""));
  });

  it("two writers that forked the log: each branch shows against an anchor of the other", async () => {
    const [left, right] = [copyOf(original), copyOf(original)];
    await grow(left, 6);
    await grow(right, 6);
    expect((await verified(left)).status).toBe("verified");
    for (const [here, there] of [
      [left, right],
      [right, left],
    ] as const) {
      const { status, faults } = await verified(here, await anchored(there));
      expect([status, kinds(faults).join(" ")]).toEqual(["faulty", expect.stringMatching(/forked|truncated/)]);
    }
    table.push(row("forked by two writers", "not provable; yes with an anchor", "forked (checkpoint)"));
  });

  it("the unsigned tail removed after a kill: not provable, and never more than what no checkpoint signs", async () => {
    const directory = copyOf(original);
    const { size } = await verified(directory);
    const heads = new DatabaseSync(join(directory, "log.db"), { readOnly: true });
    const { peaks } = heads.prepare("SELECT peaks FROM log").get() ?? {};
    heads.close();
    // As after `kill -9`: entries are durable, no checkpoint covers them.
    const below = openSqliteStore({ directory });
    await below.commit({ entries: [draft(1), draft(2)] });
    await below.close();
    expect(await verified(directory)).toMatchObject({ status: "verified", unsigned: 2 });
    change(directory, (db) => {
      db.prepare("DELETE FROM entries WHERE seq >= ?").run(size);
      db.prepare("DELETE FROM parts WHERE id >= ?").run(size * 1_024);
    });
    const cut = await verified(directory);
    expect([cut.status, kinds(cut.faults)]).toEqual(["faulty", ["truncated (head)"]]);
    change(directory, (db) => db.prepare("UPDATE log SET size = ?, peaks = ?").run(size, peaks as Uint8Array));
    expect((await verified(directory)).signedUpTo).toBe(size);
    table.push(row("the unsigned tail removed, head left", "yes", "truncated (head)"));
    table.push(row("the unsigned tail removed, head too", "not provable: nobody has signed it", ""));
  });
}
