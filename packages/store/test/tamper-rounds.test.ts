/**
 * Every kind of change that somebody with write access to the store can make, at random places, and the whole-store ones
 * that only an anchor can show. Makes the table fault × detected × named in docs/tampering.md.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type EntryDraft, encodePart, type LogFault, type Transaction, type Verification } from "@saferun/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { approval, call } from "../src/contract-rows.ts";
import {
  createCheckpointer,
  createFileSigner,
  nodeRandom,
  openReadOnlySqliteStore,
  openSqliteStore,
  signingKeyPath,
  verifyStore,
  verifyStoreAndTables,
} from "../src/index.ts";
import { PLACES, randomOf, tamper } from "./tamper-program.ts";

vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 120_000 });

/** At least one for each place. */
const ROUNDS = Math.max(Number(process.env.SAFERUN_TAMPER_ROUNDS ?? 50), PLACES.length);
const SEED = Number(process.env.SAFERUN_TAMPER_SEED ?? 20_261_122);

const base = mkdtempSync(join(tmpdir(), "saferun-tampering-"));
const original = join(base, "original");
const older = join(base, "older");
let vkey = "";
let count = 0;
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** What the account keeps of the log beside it: the last signed head. */
let lastNote: string | undefined;
const installation = {
  lastNote: () => lastNote,
  keepNote: (_: string, note: string) => {
    lastNote = note;
  },
};

/** Two processes take turns; every third entry belongs to no run; a checkpoint now and then. */
beforeAll(async () => {
  await grow(original, 14);
  vkey = createFileSigner(signingKeyPath(original)).vkey;
  cpSync(original, older, { recursive: true });
  await grow(original, 14, 14, installation);
});

async function grow(directory: string, entries: number, from = 0, kept?: typeof installation): Promise<void> {
  const signer = () => createFileSigner(signingKeyPath(directory));
  const open = () =>
    createCheckpointer(openSqliteStore({ directory }), signer(), kept === undefined ? {} : { installation: kept });
  const writers = [open(), open()];
  for (let index = 0; index < entries; index++) {
    const store = writers[index % 2];
    await store?.commit(transaction(from + index, store.writerId));
    if (index % 5 === 4) await store?.checkpoint();
  }
  for (const store of writers) await store.close();
}

/** A call that has run, or one that somebody is asked about, or an entry about none. */
function transaction(number: number, owner: string): Transaction {
  if (number % 3 === 2) return { entries: [draft(number)] };
  const [run, id, asked] = [`run${number % 2}`, `call${number}`, `appr${number}`];
  const about = { run, call: id, agent: "support", environment: "prod" };
  const revision = "r";
  const proposed: EntryDraft = { ...about, type: "call.proposed", tool: "refund", parts: parts(number) };
  const decided: EntryDraft = { ...about, type: "call.decided", verdict: "allow", revision };
  if (number % 2 === 0) {
    const executing: EntryDraft = { ...about, type: "call.executing", tool: "refund", revision };
    return { entries: [proposed, decided, executing], calls: [{ row: call(id, { run, owner }), expect: null }] };
  }
  const row = call(id, { run, state: "pending", owner: null, approval: asked });
  return {
    entries: [proposed, { ...decided, verdict: "pause" }, { ...about, type: "approval.requested", approval: asked }],
    calls: [{ row, expect: null }],
    approvals: [{ row: approval(asked, { run, call: id }), expect: null }],
  };
}

function draft(index: number): EntryDraft {
  const run = index % 3 === 2 ? {} : { run: `run${index % 2}` };
  return { type: "call.finished", outcome: "succeeded", ...run, parts: parts(index) };
}

function parts(index: number) {
  return ["arguments", "result"].map((name) => ({
    name,
    salt: nodeRandom.bytes(32),
    bytes: encodePart({ index, name }),
  }));
}

async function verified(directory: string, kept: readonly string[] = [], pinned = vkey): Promise<Verification> {
  const store = openReadOnlySqliteStore({ directory });
  try {
    return await verifyStore(store, { pinned, kept });
  } finally {
    await store.close();
  }
}

/** The same, and the tables of runs, calls and approvals. */
async function withTables(directory: string): Promise<Verification> {
  const store = openReadOnlySqliteStore({ directory });
  try {
    return await verifyStoreAndTables(store, { pinned: vkey });
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

interface Line {
  readonly fault: string;
  readonly detected: string;
  readonly named: string;
}

/** Of one thing changed, by what was done to which table; of the whole store, by the case. */
const changes = new Map<string, Line>();
const wholes: Line[] = [];

describe("tampering [L3]", () => {
  describe("one thing at random", randomly);
  describe("all of it", wholly);
  it("is as docs/tampering.md says", async () => {
    await expect(page()).toMatchFileSnapshot("../../../docs/tampering.md");
  });
});

function randomly(): void {
  it(`is detected and named in ${ROUNDS} rounds`, async () => {
    const random = randomOf(SEED);
    const rounds = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const place = PLACES[round % PLACES.length];
      if (place === undefined) throw new Error("no place");
      const directory = copyOf(original);
      let done: ReturnType<typeof tamper>;
      change(directory, (db) => {
        // Where it would change nothing it is done elsewhere.
        for (let tries = 0; done === undefined && tries < 100; tries++) done = tamper(db, place, random);
      });
      if (done === undefined) throw new Error(`nothing to ${place.fault} at ${place.table}.${place.column}`);
      const { faults, status } = await withTables(directory);
      const named = faults.some(done.isNamed);
      const shown = faults.slice(0, 3);
      expect([SEED, done.what, status, named, shown]).toEqual([SEED, done.what, "faulty", true, shown]);
      const name = `${place.fault} ${place.table}.${place.column}`;
      rounds.set(name, (rounds.get(name) ?? 0) + 1);
      note(place);
      rmSync(directory, { recursive: true });
    }
    const lines = [...rounds].map(([name, number]) => `  ${name.padEnd(36)}detected and named ${number}/${number}`);
    process.stdout.write(`\n${lines.join("\n")}\n`);
  });
}

function note({ fault, table, key, column }: (typeof PLACES)[number]): void {
  const known = changes.get(`${fault} ${table}`)?.fault;
  const one = `a row of \`${table}\``;
  const what = {
    change: `\`${table}\` changed: \`${column}\``,
    delete: `${one} deleted`,
    insert: `${one} inserted`,
    reorder: `two rows of \`${table}\` in each other's place`,
    swap: `\`${table}\` swapped between two rows: \`${column}\``,
  }[fault];
  const grown = known?.includes(`\`${column}\``) ? known : `${known}, \`${column}\``;
  changes.set(`${fault} ${table}`, {
    fault: known === undefined || column === undefined ? what : fault === "change" || fault === "swap" ? grown : known,
    detected: "yes",
    named:
      key === "number" ? "the row" : table === "log" ? "the head" : table === "checkpoints" ? "its size" : "the entry",
  });
}

function page(): string {
  const rows = (lines: Iterable<Line>) =>
    [...lines].map(({ fault, detected, named }) => `| ${fault} | ${detected} | ${named} |`).join("\n");
  const head = (what: string) => `| ${what} | detected | named |\n| --- | --- | --- |\n`;
  return `${HEAD}${head("one thing, at a random place")}${rows(changes.values())}\n\n${WHOLE}${head("the whole store")}${rows(wholes)}\n`;
}

const HEAD = `# What somebody with write access can do to a log, and what shows it

Made by \`packages/store/test/tamper-rounds.test.ts\`, which does each of these and looks what \`verify\` says, with the public key pinned: at least once at each place in \`npm test\`, 1,000 times in \`npm run test:soak\`. \`vitest run packages/store/test/tamper-rounds -u\` writes this page anew. What \`verify\` does not look at: [limits](limits.md#21-what-verify-looks-at).

`;

const WHOLE = `What takes the place of the whole log, and agrees with itself, only somebody else's copy of a checkpoint can show: an [anchor](log-format.md#anchors), or the last signed head that the account keeps beside its installation.

`;

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
    await store.commit(transaction(index + 100, store.writerId));
    if (index % 5 === 4) await store.checkpoint();
  }
  await store.close();
  return directory;
}

const WITH_ANCHOR = "not provable alone; yes with an anchor";
const nameOf = ({ faults }: Verification): string => [...new Set(faults.map(({ fault }) => fault))][0] ?? "";
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
        await grow(directory, 20, 100);
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
    const shown = alone === "found" ? "yes" : WITH_ANCHOR;
    wholes.push({ fault: what, detected: shown, named: nameOf(withAnchor) });
  });

  it("an older copy put back where it was written: the account's own head shows it", async () => {
    const { status, faults } = await verified(copyOf(older), lastNote === undefined ? [] : [lastNote]);
    expect([status, kinds(faults)]).toEqual(["faulty", ["truncated (checkpoint)"]]);
    const fault = "a backup restored by the account that wrote the log";
    wholes.push({ fault, detected: "yes, by the head it keeps", named: "truncated" });
  });

  it("every checkpoint removed: nothing is signed by the key given any more", async () => {
    const directory = change(copyOf(original), (db) => db.exec("DELETE FROM checkpoints"));
    expect(await verified(directory)).toMatchObject({ status: "self-consistent", signedUpTo: 0 });
    wholes.push({
      fault: "every checkpoint removed",
      detected: "yes: no longer `verified`",
      named: "nothing is signed",
    });
  });

  it("the file cut off at any of its pages is no store any more", async () => {
    const { size } = statSync(join(original, "log.db"));
    for (let bytes = 4_096; bytes < size; bytes += 4_096 * 5) {
      const directory = copyOf(original);
      truncateSync(join(directory, "log.db"), bytes);
      await expect(withTables(directory), String(bytes)).rejects.toMatchObject({ code: "record.corrupt" });
    }
    wholes.push({ fault: "the file cut off", detected: "yes", named: "the store is damaged" });
  });

  it("the key's file: changed it signs nothing, and with another one nothing more is recorded", async () => {
    const directory = copyOf(original);
    const path = signingKeyPath(directory);
    const text = readFileSync(path, "utf8");
    for (let at = 0; at < text.trimEnd().length; at += 3) {
      const bent = text[at] === "A" ? "B" : "A";
      writeFileSync(path, text.slice(0, at) + bent + text.slice(at + 1));
      expect(() => createFileSigner(path), String(at)).toThrow(expect.objectContaining({ code: "record.corrupt" }));
    }
    wholes.push({ fault: "the signing key's file changed", detected: "yes", named: "no signing key" });
    rmSync(path);
    const below = openSqliteStore({ directory });
    const store = createCheckpointer(below, createFileSigner(path), { onError: () => {} });
    const refused = store.commit(transaction(400, store.writerId));
    await expect(refused).rejects.toMatchObject({ code: "record.corrupt" });
    await store.close();
    const fault = "another signing key put in its place";
    wholes.push({
      fault,
      detected: "yes: nothing more is recorded",
      named: "another key than that of the last checkpoint",
    });
  });

  it("two writers that forked the log: each branch shows against an anchor of the other", async () => {
    const [left, right] = [copyOf(original), copyOf(original)];
    await grow(left, 6, 200);
    await grow(right, 6, 300);
    expect((await verified(left)).status).toBe("verified");
    for (const [here, there] of [
      [left, right],
      [right, left],
    ] as const) {
      const { status, faults } = await verified(here, await anchored(there));
      expect([status, kinds(faults).join(" ")]).toEqual(["faulty", expect.stringMatching(/forked|truncated/)]);
    }
    wholes.push({ fault: "forked by two writers", detected: WITH_ANCHOR, named: "forked" });
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
    wholes.push({ fault: "the unsigned tail removed, the head left", detected: "yes", named: "truncated" });
    const unsigned = "not provable: nobody has signed it, and no anchor holds it";
    wholes.push({ fault: "the unsigned tail removed, the head too", detected: unsigned, named: "" });
  });
}
