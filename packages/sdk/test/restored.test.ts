/** A backup in the place of the store: nothing runs on it until a person says so, and what was erased since stays erased. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHeader } from "@saferun/core";
import {
  applyRetention,
  createFileAnchor,
  createFileSigner,
  eraseFromStore,
  type Installation,
  installation,
  openSqliteStore,
  reconcileStore,
  signingKeyPath,
  verifyStore,
} from "@saferun/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { shutdown } from "../src/embedded.ts";
import { saferun } from "../src/index.ts";

const POLICY = `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { ship: { kind: write } }
rules:
  - { id: small, tool: ship, when: args.count <= 10, then: allow }
  - { id: ask, tool: ship, when: args.count > 10, then: pause, approval: { grantable: true } }
budgets:
  - { id: mine, tool: ship, unit: calls, per: { key: [principal.id], window: ever }, limit: 100 }
`;
const ANN = "ann-of-the-meadow";
const PERSON = { id: "bea", kind: "person", roles: ["admin"] } as const;

let root: string;
let directory: string;
let backup: string;
let own: Installation;
let ran: number[];
let asked: string[];
const kept = process.env.SAFERUN_STATE_DIR;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "saferun-restored-"));
  directory = join(root, "store");
  backup = join(root, "backup");
  process.env.SAFERUN_STATE_DIR = join(root, "state");
  own = installation();
  ran = [];
  asked = [];
  writeFileSync(join(root, "policies.yaml"), POLICY);
});
afterEach(async () => {
  await shutdown();
  if (kept === undefined) delete process.env.SAFERUN_STATE_DIR;
  else process.env.SAFERUN_STATE_DIR = kept;
  delete process.env.SAFERUN_ANCHORS;
  rmSync(root, { recursive: true, force: true });
});

function wrapped(principal = "carl") {
  return saferun.wrap(
    { tools: { ship: async ({ count }: { count: number; to?: string }) => ran.push(count) } },
    {
      policies: [join(root, "policies.yaml")],
      store: directory,
      environment: "prod",
      run: { principal: { id: principal } },
      maxWait: 0,
      onPause: (call) => void asked.push(call.id),
    },
  ).tools;
}

async function restore(): Promise<void> {
  await shutdown();
  rmSync(directory, { recursive: true });
  cpSync(backup, directory, { recursive: true });
}

async function keepBackup(): Promise<void> {
  await shutdown();
  cpSync(directory, backup, { recursive: true });
}

async function reconciled(reason = "disk replaced") {
  const store = openSqliteStore({ directory });
  const signer = createFileSigner(signingKeyPath(directory));
  const anchors = process.env.SAFERUN_ANCHORS === undefined ? [] : [createFileAnchor(join(root, "anchor"))];
  try {
    return await reconcileStore(store, { installation: own, signer, anchors, reason, by: PERSON });
  } finally {
    await store.close();
  }
}

async function typesNow(): Promise<string[]> {
  const store = openSqliteStore({ directory });
  const entries = await store.entries({ from: 0, limit: 1_000 });
  expect(await verifyStore(store)).toMatchObject({ status: "self-consistent", faults: [] });
  await store.close();
  return entries.map(({ header }) => parseHeader(header).type);
}

const refused = { status: "unavailable", reason: expect.stringContaining("until a person has reconciled it") };

it("[L3~] an older copy of the store starts stopped, and goes on when a person has reconciled it (trap 22)", async () => {
  await wrapped().ship({ count: 1 });
  await wrapped().ship({ count: 11 });
  expect(asked).toHaveLength(1);
  await keepBackup();
  await wrapped().ship({ count: 2 });
  await restore();
  const before = await typesNow();

  expect(await wrapped().ship({ count: 3 })).toMatchObject(refused);
  expect(await wrapped().ship({ count: 12 })).toMatchObject(refused);
  // A restart changes nothing.
  await shutdown();
  expect(await wrapped().ship({ count: 4 })).toMatchObject(refused);
  expect(ran).toEqual([1, 2]);
  expect(await typesNow()).toEqual(before);

  await expect(reconciled(" ")).rejects.toMatchObject({ code: "option.invalid" });
  expect(await wrapped().ship({ count: 4 })).toMatchObject(refused);
  // The process that was refused goes on by itself.
  const tools = wrapped();
  expect(await reconciled()).toMatchObject({ expired: [expect.any(String)], unknown: [], broken: [], grants: 0 });
  await tools.ship({ count: 5 });
  await shutdown();
  await wrapped().ship({ count: 6 });
  expect(ran).toEqual([1, 2, 5, 6]);
  const types = await typesNow();
  expect(types.slice(0, before.length)).toEqual(before);
  expect(types).toEqual(expect.arrayContaining(["log.restored", "approval.expired"]));
  await expect(reconciled()).rejects.toMatchObject({ code: "option.invalid" });
});

it("a copy that has grown past the lost head by other hands is stopped all the same", async () => {
  await wrapped().ship({ count: 1 });
  await keepBackup();
  await wrapped().ship({ count: 2 });
  await restore();
  const { size } = await withStore(async (store) => {
    for (let more = 0; more < 20; more++) await store.commit({ entries: [{ type: "call.lost" }] });
    return store.head();
  });
  expect(size).toBeGreaterThan(20);
  expect(await wrapped().ship({ count: 3 })).toMatchObject(refused);
  expect(ran).toEqual([1, 2]);
});

it("an answer and a grant of before the backup run nothing after it", async () => {
  await wrapped().ship({ count: 1 });
  await keepBackup();
  await withStore(async (store) => {
    const row = { kind: "grant", id: "run/approval", version: 1, due: null, value: {} } as const;
    await store.commit({ rows: [{ row, expect: null }], entries: [] });
  });
  rmSync(backup, { recursive: true });
  await keepBackup();
  await wrapped().ship({ count: 2 });
  await restore();
  expect(await reconciled()).toMatchObject({ grants: 1 });
  expect(await withStore((store) => store.rows({ kind: "grant", limit: 10 }))).toEqual([]);
});

it("[L6~] what was erased after the backup is erased again, from every file", async () => {
  await wrapped(ANN).ship({ count: 1, to: "Quetzalcoatl street" });
  await wrapped("carl").ship({ count: 2, to: "an other road" });
  await keepBackup();
  const request = { target: { subject: ANN }, reason: "request 2026-118", by: "dora" };
  await withStore((store) => eraseFromStore(store, request, own));
  expect(traces(directory)).toEqual([]);
  await wrapped().ship({ count: 3 });
  await restore();
  expect(traces(directory).length).toBeGreaterThan(0);

  const again = await reconciled();
  expect(again.erased).toBeGreaterThan(0);
  expect(again.unreached).toEqual([]);
  expect(traces(directory)).toEqual([]);
  // What is remembered says nothing of what it was.
  expect(traces(join(root, "state"))).toEqual([]);
  expect((await typesNow()).filter((type) => type === "log.erased")).toHaveLength(1);
  const words = filesIn(directory).map(([, bytes]) => bytes.toString("latin1"));
  expect(words.some((text) => text.includes("an other road"))).toBe(true);
});

it("[L6~] what went because of its age goes again", async () => {
  await wrapped(ANN).ship({ count: 1, to: "Quetzalcoatl street" });
  await keepBackup();
  const now = Date.now();
  await withStore((store) =>
    applyRetention(store, { keepMs: 0, now: now + 1, by: "dora", directory, installation: own, pauseMs: 0 }),
  );
  expect(traces(directory).filter((found) => found.includes("street"))).toEqual([]);
  await wrapped("carl").ship({ count: 2, to: "an other road" });
  await restore();
  expect(traces(directory).length).toBeGreaterThan(0);

  expect((await reconciled()).retained).toBeGreaterThan(0);
  expect(traces(directory).filter((found) => found.includes("street"))).toEqual([]);
  // What is younger than what went stays.
  await wrapped("carl").ship({ count: 3, to: "an other road" });
  await shutdown();
  expect(filesIn(directory).some(([, bytes]) => bytes.includes("an other road"))).toBe(true);
  expect((await typesNow()).filter((type) => type === "log.erased")).toHaveLength(1);
});

it("an anchor that can be read back stops what the state directory does not know of", async () => {
  process.env.SAFERUN_ANCHORS = `file://${join(root, "anchor")}`;
  await wrapped().ship({ count: 1 });
  await keepBackup();
  await wrapped().ship({ count: 2 });
  await restore();
  // Another machine: what this one knew is not there.
  process.env.SAFERUN_STATE_DIR = join(root, "elsewhere");
  own = installation();
  expect(await wrapped().ship({ count: 3 })).toMatchObject(refused);
  expect(ran).toEqual([1, 2]);
  await reconciled();
  await wrapped().ship({ count: 4 });
  expect(ran).toEqual([1, 2, 4]);
});

async function withStore<Value>(work: (store: ReturnType<typeof openSqliteStore>) => Promise<Value>): Promise<Value> {
  const store = openSqliteStore({ directory });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

function filesIn(place: string): [string, Buffer][] {
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name))]);
}

/** Where the erased values stand, in the clear or as a word of the index. */
function traces(place: string): string[] {
  const wanted = [ANN, "Quetzalcoatl street", "quetzalcoatl", Buffer.from(ANN).toString("hex")];
  return filesIn(place).flatMap(([name, bytes]) =>
    wanted.flatMap((value) => (bytes.includes(value) ? [`${name}: ${value}`] : [])),
  );
}
