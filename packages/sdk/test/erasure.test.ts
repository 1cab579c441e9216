/** An erased person is in no file of the store, and every proof of the log is as before. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { formatExportLine, parseHeader, type Store } from "@saferun/core";
import {
  createFileSigner,
  eraseFromStore,
  openReadOnlySqliteStore,
  openSearch,
  openSqliteStore,
  signingKeyPath,
  verifyStoreAndTables,
} from "@saferun/store";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { shutdown } from "../src/embedded.ts";
import { type PausedCall, saferun } from "../src/index.ts";
import { filesIn, formsOf, tracesIn } from "./traces.ts";

vi.setConfig({ testTimeout: 60_000 });

const SUBJECT = "ann-of-the-meadow";
const VALUES = [SUBJECT, "Quetzalcoatl street", "seventeen sparrows"];
const POLICY = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { ship: { kind: write, recipients: [to], identity: [to] }, refuse: { kind: write } }
rules:
  - { id: ask, tool: [ship, refuse], then: pause }
budgets:
  - { id: mine, tool: ship, unit: calls, per: { key: [principal.id], window: ever }, limit: 100 }
`;

let root: string;
let directory: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "saferun-erasure-"));
  directory = join(root, "store");
  writeFileSync(join(root, "policies.yaml"), POLICY);
});
afterEach(async () => {
  await shutdown();
  rmSync(root, { recursive: true, force: true });
});

async function play(principal: string, street: string): Promise<void> {
  const { tools } = saferun.wrap(
    {
      tools: {
        ship: async ({ to }: { to: string }) => ({
          sent: to,
          note: to.startsWith("Q") ? "seventeen sparrows" : "eight wrens",
        }),
        refuse: async (_: object) => "never",
      },
    },
    {
      policies: [join(root, "policies.yaml")],
      store: directory,
      environment: "prod",
      run: { principal: { id: principal }, prompt: `ship to ${street}`, context: { street } },
      onPause: (call: PausedCall) =>
        call.tool === "ship"
          ? call.approve({ by: "bea", note: `yes, to ${street}` })
          : call.deny({ by: "bea", note: `not ${street}` }),
    },
  );
  await tools.ship({ to: street });
  await tools.refuse({ to: street });
}

const forms = (): readonly (string | Buffer)[] => VALUES.flatMap(formsOf);
const files = () => filesIn(directory);
const traces = (found: readonly (readonly [string, Uint8Array])[], wanted = forms()) => tracesIn(found, wanted);

async function verification() {
  const store = openReadOnlySqliteStore({ directory });
  try {
    return await verifyStoreAndTables(store, { pinned: createFileSigner(signingKeyPath(directory)).vkey });
  } finally {
    await store.close();
  }
}

it("[L6~] an erased subject is in no table, free page, WAL, index or export; the log verifies as before", async () => {
  await play(SUBJECT, "Quetzalcoatl street");
  await play("carl", "an other road");
  await shutdown();
  (await openSearch({ directory })).close();
  const before = await verification();
  expect([before.status, before.faults]).toEqual(["verified", []]);
  expect(traces(files()).length).toBeGreaterThan(10);
  const digests = digestsIn(SUBJECT);
  expect(digests.length).toBeGreaterThan(1);

  const store = openSqliteStore({ directory });
  const request = { target: { subject: SUBJECT }, reason: "request 2026-118", by: "dora" };
  await expect(eraseFromStore(store, { ...request, reason: `of ${SUBJECT}` })).rejects.toThrow(/must not name/);
  const erased = await eraseFromStore(store, request);
  expect(erased).toMatchObject({ runs: expect.any(Number), unreached: [] });
  // While the store is open: the WAL was cut, too.
  expect(traces(files())).toEqual([]);
  const entries = await store.entries({ from: 0, limit: 1_000 });
  await store.close();
  expect(traces(files(), [...forms(), ...digests])).toEqual([]);
  const exported = entries.map((entry) => formatExportLine({ kind: "entry", entry })).join("\n");
  expect(traces([["export", Buffer.from(exported)]])).toEqual([]);
  expect(exported).toContain('"erased":true');

  const after = await verification();
  expect([after.status, after.faults, after.signedUpTo]).toEqual(["verified", [], before.size]);
  expect(after.size).toBe(before.size + 1);
  expect(parseHeader(entries.at(-1)?.header ?? new Uint8Array()).type).toBe("log.erased");
  const search = await openSearch({ directory });
  const found = (query: string) => search.search({ query, now: Date.now(), limit: 10 }).items.length;
  expect([found("sparrows"), found("wrens")]).toEqual([0, 1]);
  search.close();
});

it("[L6~] an erasure reaches the digests by which loops and rates know an agent's calls, and no other's", async () => {
  await play(SUBJECT, "Quetzalcoatl street");
  await play("carl", "an other road");
  await shutdown();
  const before = await digestsOfAgents();
  expect([before.recipients.length, before.acts.length, await actsOfRuns()]).toEqual([2, 2, 2]);
  const store = openSqliteStore({ directory });
  await eraseFromStore(store, { target: { subject: SUBJECT }, reason: "request 2026-120", by: "dora" });
  await store.close();
  const after = await digestsOfAgents();
  expect([after.recipients.length, after.acts.length, await actsOfRuns()]).toEqual([1, 1, 1]);
  // Those that are left are carl's: he is no new recipient.
  await play("carl", "an other road");
  await shutdown();
  expect(await digestsOfAgents()).toEqual(after);
  await play(SUBJECT, "Quetzalcoatl street");
  await shutdown();
  expect(await digestsOfAgents()).toEqual(before);
});

async function digestsOfAgents(): Promise<{ recipients: string[]; acts: string[] }> {
  const store = openReadOnlySqliteStore({ directory });
  const agents = await store.rows({ kind: "agent", limit: 1_000 });
  const acts = await actRows(store);
  await store.close();
  const contacts = agents.flatMap(({ value }) => (Array.isArray(value) ? (value as [string, number[]][]) : []));
  const ofAgents = acts.filter((id) => id.length === 2).map(String);
  return { recipients: contacts.map(([key]) => key).sort(), acts: ofAgents.sort() };
}

async function actsOfRuns(): Promise<number> {
  const store = openReadOnlySqliteStore({ directory });
  const acts = await actRows(store);
  await store.close();
  return acts.filter(([first]) => first === "run").length;
}

async function actRows(store: Pick<Store, "rows">): Promise<readonly (readonly unknown[])[]> {
  return (await store.rows({ kind: "act", limit: 1_000 })).map(({ id }) => JSON.parse(id) as unknown[]);
}

it("[L6~] an erasure reaches the index that a running gate keeps up, and says so where a reader keeps it from it", async () => {
  await play(SUBJECT, "Quetzalcoatl street");
  const inIndex = () => traces(files().filter(([name]) => name.startsWith("search.db")));
  while (inIndex().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  // As a command does it, beside the process that has wrapped the tools.
  const store = openSqliteStore({ directory });
  for (let behind = 1; behind > 0; ) {
    const search = await openSearch({ directory });
    behind = search.behind;
    search.close();
  }
  const reading = new DatabaseSync(join(directory, "search.db"), { readOnly: true });
  reading.exec("BEGIN");
  reading.prepare("SELECT count(*) FROM names").get();
  const request = { target: { subject: SUBJECT }, reason: "request 2026-119", by: "dora" };
  const kept = await eraseFromStore(store, request);
  expect(kept.unreached).toContainEqual(expect.stringContaining("search.db"));
  reading.close();
  await play("carl", "an other road");
  const again = await eraseFromStore(store, { ...request, target: { subject: "carl" } });
  expect(again.unreached.filter((left) => left.startsWith("search.db"))).toEqual([]);
  expect(inIndex()).toEqual([]);
  await store.close();
  await shutdown();
  expect(traces(files())).toEqual([]);
});

/** Digests of the subject's calls, as the rows held them. */
function digestsIn(subject: string): string[] {
  const db = new DatabaseSync(join(directory, "log.db"), { readOnly: true });
  const rows = db.prepare("SELECT record FROM approvals WHERE record LIKE ?").all(`%${subject}%`);
  db.close();
  return rows.map(({ record }) => (JSON.parse(String(record)) as { digest: string }).digest);
}

it("[L6~] content that is missing without an erasure is a fault with a name, and so is half of one", async () => {
  await play(SUBJECT, "Quetzalcoatl street");
  await shutdown();
  const change = (sql: string) => {
    const db = new DatabaseSync(join(directory, "log.db"));
    db.exec(sql);
    db.close();
  };
  change("UPDATE parts SET salt = NULL, bytes = NULL WHERE name = 'result'");
  const missing = await verification();
  expect(missing.faults).toEqual([expect.objectContaining({ fault: "missing", where: "result" })]);
  const store = openSqliteStore({ directory });
  await eraseFromStore(store, { target: { subject: SUBJECT }, reason: "request", by: "dora" });
  await store.close();
  // What was gone before is not what it says it has erased.
  expect((await verification()).faults).toEqual([expect.objectContaining({ fault: "missing", where: "result" })]);
  change("UPDATE parts SET salt = NULL, bytes = NULL WHERE name IN ('erasure', 'key')");
  const own = (await verification()).faults.map(({ where }) => where);
  expect(own).toEqual(expect.arrayContaining(["erasure", "key"]));
});
