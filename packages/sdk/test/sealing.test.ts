/** Sealed content: in no file in the clear, open to who has the keys, and gone from every copy when they are destroyed. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Json, type JsonObject, type StoredEntry, unsealed } from "@saferun/core";
import {
  eraseFromStore,
  openReadOnlySqliteStore,
  openSearch,
  openSqliteStore,
  openStoreKeys,
  redacted,
  verifyStoreAndTables,
} from "@saferun/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { shutdown } from "../src/embedded.ts";
import { isDenied, type PausedCall, saferun } from "../src/index.ts";

let root: string;
let directory: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "saferun-sealing-"));
  directory = join(root, "store");
});
afterEach(async () => {
  await shutdown();
  rmSync(root, { recursive: true, force: true });
});

const WORD = "Quetzalcoatl";
const ARGS = { to: `${WORD} street`, patient: "p-17" };
const EDITED = { to: "Xiuhtecuhtli street", patient: "p-17" };
const RESULT = { tracking: "lavender-1776" };
const WORDS = [WORD, "Xiuhtecuhtli", "lavender-1776", "no sparrow here"];

function policies(seal: string, environment = ""): string {
  const path = join(root, "p.yaml");
  writeFileSync(
    path,
    `saferun: policy/v1
environments: { prod: { unmatched: deny${environment} } }
tools:
  ship: { kind: write, ${seal} }
  fail: { kind: read, ${seal} }
  again: { kind: read, ${seal} }
rules:
  - { id: ask, tool: ship, then: pause, approval: { editable: [to] } }
  - { id: fail.any, tool: fail, then: allow }
  - { id: again.known, tool: again, when: 'run.calls.exists(c, c.tool == "ship" && c.args.to == args.to)', then: allow }
`,
  );
  return path;
}

interface Played {
  readonly saw: unknown[];
  readonly denied: unknown[];
}

/** A call that a person edits, one that throws, one that is none, one that rests on what ran before. What the tools saw. */
async function play(path: string): Promise<Played> {
  const saw: unknown[] = [];
  const tools = {
    ship: async (args: JsonObject) => {
      saw.push(args);
      return RESULT;
    },
    fail: async (args: JsonObject) => {
      saw.push(args);
      throw new Error("no sparrow here");
    },
    again: async (args: JsonObject) => {
      saw.push(args);
      return 1;
    },
  };
  const agent = saferun.wrap(
    { tools },
    {
      policies: [path],
      store: directory,
      environment: "prod",
      onPause: (call: PausedCall) => call.approve({ by: "bea", args: EDITED }),
    },
  );
  const answers: unknown[] = [];
  await saferun.run({ principal: { id: "clerk" } }, async () => {
    const { ship, fail, again } = agent.tools;
    answers.push(await ship(ARGS));
    answers.push(await fail({ to: WORD, patient: "p-17" }).catch((error: Error) => error.message));
    answers.push(await fail({ to: WORD, nan: 1n } as never));
    answers.push(await again({ to: EDITED.to }));
    answers.push(await again({ to: `${WORD} nowhere` }));
  });
  return { saw, denied: answers.filter(isDenied) };
}

/** Raw, in hex, and in base64 wherever it begins in it. */
function traces(folder: string, words: readonly string[]): string[] {
  return readdirSync(folder).flatMap((name) => {
    const bytes = readFileSync(join(folder, name));
    return words.flatMap((word) =>
      [word, Buffer.from(word).toString("hex"), ...[0, 1, 2].map((lead) => base64Within(word, lead))].flatMap((form) =>
        bytes.includes(form) ? [`${name}: ${form}`] : [],
      ),
    );
  });
}

function base64Within(word: string, lead: number): string {
  const text = Buffer.from("x".repeat(lead) + word).toString("base64");
  return text.slice(lead === 0 ? 0 : lead + 1, -4);
}

async function read(
  folder = directory,
  keysOf = folder,
): Promise<{ entries: readonly StoredEntry[]; faults: unknown }> {
  const store = openReadOnlySqliteStore({ directory: folder });
  const keys = openStoreKeys(keysOf);
  try {
    const entries = await unsealed(store, keys).entries({ from: 0, limit: 1_000 });
    return { entries, faults: (await verifyStoreAndTables(store)).faults };
  } finally {
    keys.close();
    await store.close();
  }
}

function contentOf(entries: readonly StoredEntry[], name: string): (Json | null)[] {
  return entries.flatMap(({ parts }) =>
    parts.flatMap((part) =>
      part.name !== name ? [] : [part.bytes === null ? null : (JSON.parse(Buffer.from(part.bytes).toString()) as Json)],
    ),
  );
}

async function found(query: string): Promise<number> {
  const search = await openSearch({ directory });
  try {
    return search.search({ query, limit: 100, now: Date.now() }).items.length;
  } finally {
    search.close();
  }
}

it.each([
  ["the tool, for each run", "seal: run", ""],
  ["the environment, for each subject", "subject: args.patient", ", seal: subject"],
])("[L6~] sealed by %s: in no file in the clear, and whole for who has the keys (trap 4)", async (_by, tool, where) => {
  const { saw, denied } = await play(policies(tool, where));
  await shutdown();
  // The history of the run was read through the seal: the same address again, and another one denied.
  expect(saw).toEqual([EDITED, { to: WORD, patient: "p-17" }, { to: EDITED.to }]);
  expect(denied).toHaveLength(2);
  expect(await found(WORD)).toBe(0);
  expect(await found("tool:ship outcome:succeeded")).toBe(1);
  expect(traces(directory, WORDS)).toEqual([]);
  const { entries, faults } = await read();
  expect(faults).toEqual([]);
  expect(contentOf(entries, "arguments")).toEqual(expect.arrayContaining([ARGS, EDITED]));
  expect(contentOf(entries, "result")).toEqual([RESULT, 1]);
  expect(contentOf(entries, "error")).toMatchObject([{ message: "no sparrow here" }]);
});

it("[L6~] without its key nothing is read and nothing sealed runs; the log verifies, and the key brings all of it back", async () => {
  const path = policies("seal: run");
  await play(path);
  await shutdown();
  const key = join(directory, "seal.key");
  renameSync(key, join(root, "kept"));
  const blind = await read();
  expect(blind.faults).toEqual([]);
  expect(contentOf(blind.entries, "result")).toEqual([null, null]);
  const { saw, denied } = await play(path);
  await shutdown();
  expect(saw).toEqual([]);
  expect(denied).toHaveLength(5);
  // No second master key was made in its place, and another one is not taken for it.
  expect(readdirSync(directory)).not.toContain("seal.key");
  writeFileSync(key, `SEAL+KEY+${Buffer.alloc(32).toString("base64")}\n`, { mode: 0o600 });
  expect((await play(path)).saw).toEqual([]);
  await shutdown();
  renameSync(join(root, "kept"), key);
  const again = await read();
  expect(again.faults).toEqual([]);
  expect(contentOf(again.entries, "result")).toEqual([RESULT, 1]);
});

it("[L6~] an erasure destroys the keys, so that a backup made before is as empty; whoever comes back gets a new one", async () => {
  const path = policies("subject: args.patient", ", seal: subject");
  await play(path);
  await shutdown();
  const backup = join(root, "backup");
  cpSync(directory, backup, { recursive: true, filter: (from) => !/(keys\.db|seal\.key)$/.test(from) });
  expect(contentOf((await read(backup, directory)).entries, "result")).toEqual([RESULT, 1]);

  const store = openSqliteStore({ directory });
  const erased = await eraseFromStore(store, { target: { subject: "p-17" }, reason: "request 118", by: "bea" });
  await store.close();
  expect(erased.keys).toBe(1);
  expect(erased.shared).toBe(false);
  const left = await read();
  expect(left.faults).toEqual([]);
  const [erasure] = contentOf(left.entries, "erasure");
  expect(erasure).toMatchObject({ keys: [expect.stringMatching(/^[0-9a-f]{32}$/)] });
  // Of the calls that name no patient the run's principal is the subject: they stay.
  expect(contentOf(left.entries, "result").at(-1)).toBe(1);

  const old = await read(backup, directory);
  expect(old.faults).toEqual([]);
  expect(contentOf(old.entries, "result")).toEqual([null, 1]);
  expect(contentOf(old.entries, "error")).toEqual([null]);
  expect(traces(backup, WORDS)).toEqual([]);

  await play(path);
  await shutdown();
  expect(contentOf((await read()).entries, "result").slice(-2)).toEqual([RESULT, 1]);
});

it("[L6~] an erased run's key goes with it, and one that belongs to a person stays", async () => {
  await play(policies("seal: run"));
  await shutdown();
  await play(policies("subject: args.patient, seal: subject"));
  await shutdown();
  const store = openSqliteStore({ directory });
  const runs = (await store.runs({ limit: 9 })).map(({ id }) => id).reverse();
  const [first = "", second = ""] = runs;
  const request = { reason: "test data", by: "bea" };
  expect(await eraseFromStore(store, { ...request, target: { run: first } })).toMatchObject({ keys: 1, shared: false });
  const shared = await eraseFromStore(store, { ...request, target: { run: second } });
  await store.close();
  expect(shared).toMatchObject({ keys: 0, shared: true });
  expect(shared.unreached.join()).toContain("a key of more than this");
});

it("[L6~] what was changed does not open, and verify names it", async () => {
  await play(policies("seal: run"));
  await shutdown();
  const { entries } = await read();
  const at = entries.findIndex(({ parts }) => parts.some(({ name }) => name === "result"));
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(join(directory, "log.db"));
  // The cipher text of the result in the place of another's: both are whole, neither is where it was.
  db.exec(`UPDATE parts SET bytes = (SELECT bytes FROM parts WHERE name = 'arguments' ORDER BY id LIMIT 1)
           WHERE id = (SELECT id FROM parts WHERE name = 'result' ORDER BY id LIMIT 1)`);
  db.close();
  const changed = await read();
  expect(contentOf(changed.entries, "result")).toEqual([null, 1]);
  expect(changed.faults).toMatchObject([{ seq: at, fault: "changed" }]);
});

it("a store that seals nothing refuses the call, and nothing runs", async () => {
  const plain = openSqliteStore({ directory });
  let ran = 0;
  const { tools } = saferun.wrap(
    { tools: { fail: async (): Promise<unknown> => ++ran } },
    { policies: [policies("seal: run")], store: plain, environment: "prod" },
  );
  expect(await tools.fail()).toMatchObject({ denied: true, rules: ["seal.missing"] });
  expect(ran).toBe(0);
  await plain.close();
});

it("[L1~] where no key can be written, because the disk is full, nothing runs that is to be sealed", async () => {
  const keys = openStoreKeys(directory, { maxPages: 5 });
  const store = redacted(openSqliteStore({ directory }), keys);
  const path = policies("seal: run");
  let ran = 0;
  let allowed = 0;
  const denials: unknown[] = [];
  const { tools } = saferun.wrap(
    { tools: { fail: async (_: JsonObject): Promise<unknown> => ++ran } },
    { policies: [path], store, environment: "prod" },
  );
  for (let run = 0; run < 60 && denials.length < 2; run++) {
    const answer = await saferun.run({}, () => tools.fail({ to: WORD }));
    if (isDenied(answer)) denials.push(answer.rules);
    else allowed++;
  }
  expect(denials).toEqual([["record.full"], ["record.full"]]);
  expect(ran).toBeGreaterThan(0);
  expect(ran).toBe(allowed);
  await store.close();
});
