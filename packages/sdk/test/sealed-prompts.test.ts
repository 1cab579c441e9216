/** Sealed prompts and answers: a person's data is in no file in the clear, and an erasure reaches every copy of them. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LanguageModelV4Content } from "@ai-sdk/provider";
import {
  allSteps,
  createGate,
  encodePart,
  formatExportLine,
  parseHeader,
  promptMessages,
  type RunTree,
  runTree,
  type Store,
  type StoredEntry,
  shownValue,
  unsealed,
} from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import {
  archiveStore,
  createCheckpointer,
  createFileSigner,
  eraseFromStore,
  nodeClock,
  nodeHash,
  nodeRandom,
  openReadOnlySqliteStore,
  openSearch,
  openSqliteStore,
  openStoreKeys,
  type ReadOnlyStore,
  redacted,
  signingKeyPath,
  verifyStoreAndTables,
} from "@saferun/store";
import { generateText, isStepCount, jsonSchema, tool } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { shutdown } from "../src/embedded.ts";
import { isDenied, saferun } from "../src/index.ts";
import { digestsOf, filesIn, formsOf, tracesIn } from "./traces.ts";

vi.setConfig({ testTimeout: 60_000 });

let root: string;
let directory: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "saferun-sealed-prompts-"));
  directory = join(root, "store");
});
afterEach(async () => {
  await shutdown();
  rmSync(root, { recursive: true, force: true });
});

/** What a run says of a patient: in the person's words, in the call, in what it brings, and in the answer. */
interface Patient {
  readonly id: string;
  readonly asked: string;
  readonly found: string;
  readonly answered: string;
}
const ANN: Patient = {
  id: "ann-of-the-meadow",
  asked: "Quetzalcoatl street",
  found: "lavender fever 1776",
  answered: "seventeen sparrows advised",
};
const BERT: Patient = {
  id: "bert-of-the-mountain",
  asked: "Xiuhtecuhtli avenue",
  found: "cinnamon rash 1812",
  answered: "eleven ravens above",
};
const told = ({ asked, found, answered }: Patient) => [asked, found, answered];
/** What a host has named as a secret: in nothing that is stored, sealed or not. */
const SECRET = "correct-horse/battery+staple";
const FACT = "facts of the Tezcatlipoca ward";

function policies(keep = "kind: read, subject: args.patient, seal: subject", environment = ""): string {
  const path = join(root, "p.yaml");
  writeFileSync(
    path,
    `saferun: policy/v1
environments: { prod: { unmatched: deny${environment} } }
tools: { look: { ${keep} } }
rules:
  - { id: look.any, tool: look, then: allow }
`,
  );
  return path;
}

const usage = {
  inputTokens: { total: 3, noCache: 3, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 5, text: 5, reasoning: 0 },
};

/** Asks about each, looks each up, and says something of each. */
function scripted(patients: readonly Patient[]): MockLanguageModelV4 {
  const turns = patients.flatMap(({ id, answered }): LanguageModelV4Content[][] => [
    [{ type: "tool-call", toolCallId: `look-${id.length}`, toolName: "look", input: JSON.stringify({ patient: id }) }],
    [{ type: "text", text: answered }],
  ]);
  return new MockLanguageModelV4({
    doGenerate: async () => {
      const content = turns.shift() ?? [];
      const unified = content[0]?.type === "text" ? ("stop" as const) : ("tool-calls" as const);
      return { content, finishReason: { unified, raw: undefined }, usage, warnings: [] };
    },
  });
}

const args = jsonSchema<{ patient: string }>({ type: "object", additionalProperties: true });

async function play(path: string, principal: string, patients: readonly Patient[]): Promise<{ saw: string[] }> {
  const saw: string[] = [];
  const options = { policies: [path], store: directory, environment: "prod", redact: { secrets: [SECRET] } };
  const look = tool({
    inputSchema: args,
    execute: async ({ patient }) => {
      saw.push(patient);
      return patients.find(({ id }) => id === patient)?.found ?? null;
    },
  });
  const { tools } = saferun.wrap({ tools: { look } }, options);
  const model = saferun.model(scripted(patients), options);
  const prompt = patients.map(({ asked }) => asked);
  await saferun.run(
    { principal: { id: principal }, prompt: `${SECRET} ${prompt.join()}`, context: { FACT, SECRET } },
    async () => {
      const messages: Parameters<typeof generateText>[0]["messages"] = [];
      for (const { asked } of patients) {
        messages?.push({ role: "user", content: `${asked} ${SECRET}` });
        const { responseMessages } = await generateText({
          model,
          tools,
          messages: messages ?? [],
          stopWhen: isStepCount(2),
        });
        messages?.push(...responseMessages);
      }
    },
  );
  return { saw };
}

async function reading<Value>(
  work: (store: Store, raw: ReadOnlyStore) => Promise<Value>,
  folder = directory,
  keysOf = folder,
): Promise<Value> {
  const raw = openReadOnlySqliteStore({ directory: folder });
  const keys = openStoreKeys(keysOf);
  try {
    return await work(unsealed(raw, keys), raw);
  } finally {
    keys.close();
    await raw.close();
  }
}

/** Runs, oldest first, as replay shows them. */
async function trees(folder = directory, keysOf = folder): Promise<RunTree[]> {
  return reading(
    async (store) => {
      const entries = await store.entries({ from: 0, limit: 10_000 });
      const runs = (await store.runs({ limit: 9 })).map(({ id }) => id).reverse();
      return runs.map((run) => runTree(run, entries));
    },
    folder,
    keysOf,
  );
}

/** All that a run shows, as text. */
function shown(tree: RunTree | undefined): string {
  if (tree === undefined) return "";
  const steps = new Map(allSteps(tree.steps).map((step) => [step.number, step] as const));
  const models = [...steps.values()].flatMap((step) => (step.kind === "model" ? [step] : []));
  const asked = new Map(models.map((step) => [step.number, step]));
  return JSON.stringify([tree, models.map((step) => promptMessages(tree, asked, step).map(shownValue))]);
}

const count = (text: string, word: string): number => text.split(word).length - 1;

async function erase(subject: string) {
  const store = openSqliteStore({ directory });
  const erased = await eraseFromStore(store, { target: { subject }, reason: "request 2026-118", by: "dora" });
  await store.close();
  return erased;
}

const WARD = "the-ward-of-spring";
const faults = (folder = directory) => reading(async (_, raw) => (await verifyStoreAndTables(raw)).faults, folder);

const exported = (folder = directory): Promise<[string, Buffer]> =>
  reading(async (_, raw) => {
    const entries = await raw.entries({ from: 0, limit: 10_000 });
    return ["export", Buffer.from(entries.map((entry) => formatExportLine({ kind: "entry", entry })).join("\n"))];
  }, folder);

it.each([
  ["the tool, for each subject", undefined, undefined],
  ["the environment, for each run", "kind: read", ", seal: run"],
])(
  "[L6~] sealed by %s: prompts, answers and facts in no file in the clear, each message stored once, whole for who has the keys",
  async (_by, tool, environment) => {
    const { saw } = await play(policies(tool, environment), WARD, [ANN, BERT]);
    await shutdown();
    expect(saw).toEqual([ANN.id, BERT.id]);
    const search = await openSearch({ directory });
    const found = (query: string) => search.search({ query, limit: 100, now: Date.now() }).items.length;
    const words = [...told(ANN), ...told(BERT), FACT]
      .flatMap((text) => text.split(" "))
      .filter((word) => word.length > 5);
    expect(words.map(found)).toEqual(words.map(() => 0));
    expect(found("tool:look outcome:succeeded")).toBe(2);
    search.close();

    const values = [...told(ANN), ...told(BERT), FACT];
    const never = formsOf(SECRET);
    // Guesses of a message as it was before it was sealed.
    const guesses = [ANN, BERT].flatMap(({ asked }) =>
      digestsOf(encodePart({ role: "user", content: [{ type: "text", text: `${asked} [redacted]` }] })),
    );
    expect(
      tracesIn([...filesIn(directory), await exported()], [...values.flatMap(formsOf), ...guesses, ...never]),
    ).toEqual([]);
    expect(await faults()).toEqual([]);

    const [tree] = await trees();
    const text = shown(tree);
    for (const words of values) expect(text).toContain(words);
    expect(tree?.context).toMatchObject({ state: "present", value: { FACT, SECRET: "[redacted]" } });
    expect(text).not.toContain(SECRET);
    // Without keys all of it is said to be sealed, and nothing to be missing.
    const [blind] = await trees(directory, join(root, "elsewhere"));
    expect(blind?.contents.map(({ state }) => state)).toEqual(blind?.contents.map(() => "sealed"));
    expect([blind?.prompt?.state, blind?.context?.state, blind?.principal?.state]).toEqual([
      "sealed",
      "sealed",
      "present",
    ]);

    // Two questions, two calls, two results and what is answered between them: whatever the number of prompts.
    const names = await reading(async (store) => partNames(await store.entries({ from: 0, limit: 1_000 })));
    expect(names.filter((name) => name.startsWith("message/"))).toHaveLength(7);
    expect(names.filter((name) => name === "prompt")).toHaveLength(4);
  },
);

function partNames(entries: readonly StoredEntry[]): string[] {
  return entries.flatMap(({ parts }) => parts.map(({ name }) => name));
}

it("[L6] a secret is nowhere; what is sealed only for who has the keys; an erased subject in no file, index, export or backup, and every proof is valid", async () => {
  const path = policies();
  await play(path, WARD, [BERT, ANN]);
  await play(path, "night-ward", [BERT]);
  await shutdown();
  (await openSearch({ directory })).close();
  const backup = join(root, "backup");
  cpSync(directory, backup, { recursive: true, filter: (from) => !/(keys\.db|seal\.key)$/.test(from) });
  expect(shown((await trees(backup, directory))[0])).toContain(ANN.answered);
  const wanted = [ANN.id, ...told(ANN)].flatMap(formsOf);
  expect(tracesIn([...filesIn(directory), await exported()], [SECRET, ...told(ANN)].flatMap(formsOf))).toEqual([]);
  expect(shown((await trees())[0])).not.toContain(SECRET);
  // Whose data it is stands in the clear, for the erasure to find.
  expect(tracesIn(filesIn(directory), wanted).length).toBeGreaterThan(0);

  const erased = await erase(ANN.id);
  expect(erased).toMatchObject({ runs: 0, keys: 2, shared: false, unreached: [] });
  expect(tracesIn([...filesIn(directory), await exported()], wanted)).toEqual([]);
  expect([await faults(), await faults(backup)]).toEqual([[], []]);

  for (const folder of [directory, backup]) {
    const [first, second] = await trees(folder, directory);
    // What models were told of both is gone with either; the other's call, and the other's run, are not.
    for (const words of told(ANN)) expect(shown(first)).not.toContain(words);
    expect(count(shown(first), BERT.found)).toBe(1);
    expect(shown(first)).not.toContain(BERT.answered);
    expect(first?.contents.map(({ state }) => state)).toEqual(first?.contents.map(() => "erased"));
    for (const words of told(BERT)) expect(shown(second)).toContain(words);
  }
  // Restored with the keys of now, and its index made anew.
  for (const name of ["keys.db", "seal.key"]) cpSync(join(directory, name), join(backup, name));
  rmSync(join(backup, "search.db"));
  const search = await openSearch({ directory: backup });
  const words = told(ANN).flatMap((text) => text.split(" "));
  expect(words.flatMap((query) => search.search({ query, limit: 9, now: Date.now() }).items)).toEqual([]);
  search.close();
  for (const word of told(ANN)) expect(shown((await trees(backup))[0])).not.toContain(word);
  expect(shown((await trees(backup))[1])).toContain(BERT.answered);
  expect(tracesIn([...filesIn(backup), await exported(backup)], told(ANN).flatMap(formsOf))).toEqual([]);
  const kinds = await reading(async (_, raw) =>
    (await raw.entries({ from: 0, limit: 1_000 })).map(({ header }) => parseHeader(header)),
  );
  expect(kinds.at(-1)?.type).toBe("log.erased");

  // Whoever comes back gets new keys, and only what is new is read.
  await play(path, "day-ward", [ANN]);
  await shutdown();
  expect(shown((await trees())[2])).toContain(ANN.answered);
  expect(shown((await trees())[0])).not.toContain(ANN.answered);

  // The one for whom a run was made: all of it goes, and of the store what it held of others.
  expect(await erase(WARD)).toMatchObject({ runs: 1, shared: true });
  expect(tracesIn([...filesIn(directory), await exported()], [WARD].flatMap(formsOf))).toEqual([]);
});

it("[L6~] where nothing is sealed an erasure takes a subject's prompts and answers, too", async () => {
  const path = policies("kind: read, subject: args.patient");
  await play(path, WARD, [ANN]);
  await play(path, WARD, [BERT]);
  await shutdown();
  (await openSearch({ directory })).close();
  expect(tracesIn(filesIn(directory), told(ANN)).length).toBeGreaterThan(2);
  await erase(ANN.id);
  const wanted = [ANN.id, ...told(ANN)].flatMap(formsOf);
  expect(tracesIn([...filesIn(directory), await exported()], wanted)).toEqual([]);
  expect(await faults()).toEqual([]);
  expect(shown((await trees())[1])).toContain(BERT.answered);
});

it("[L6~] an archive is read no more once the keys of a subject in it are destroyed, also where the log knows it no more", async () => {
  const path = policies();
  await play(path, WARD, [ANN]);
  await shutdown();
  // The bytes that are archived, where they can be read.
  const before = join(root, "before");
  cpSync(directory, before, { recursive: true });
  const signer = createFileSigner(signingKeyPath(directory));
  const raw = createCheckpointer(openSqliteStore({ directory }), signer);
  const store = redacted(raw, openStoreKeys(directory));
  const to = join(root, "archive");
  await archiveStore(store, { to, before: Date.now() + 1_000, by: "bea", signer });
  await store.close();
  expect(filesIn(to).length).toBeGreaterThan(0);
  expect(tracesIn(filesIn(to), told(ANN).flatMap(formsOf))).toEqual([]);
  expect(shown((await trees(before, directory))[0])).toContain(ANN.answered);
  expect(await erase(ANN.id)).toMatchObject({ keys: 2, parts: 0 });
  const [left] = await trees(before, directory);
  for (const words of told(ANN)) expect(shown(left)).not.toContain(words);
  // Nothing of her is left now, neither content nor keys.
  await expect(erase(ANN.id)).rejects.toMatchObject({ code: "option.invalid" });
});

it("a gate without keys asks no model whose prompts are to be sealed, and nothing of them is written", async () => {
  const plain = openSqliteStore({ directory });
  let asked = 0;
  const model = saferun.model(
    new MockLanguageModelV4({
      doGenerate: async () => {
        asked++;
        throw new Error("never");
      },
    }),
    { policies: [policies()], store: plain, environment: "prod" },
  );
  await expect(generateText({ model, prompt: ANN.asked, maxRetries: 0 })).rejects.toMatchObject({
    code: "seal.missing",
  });
  expect(asked).toBe(0);
  await plain.close();
  expect(tracesIn(filesIn(directory), formsOf(ANN.asked))).toEqual([]);
  expect(isDenied(null)).toBe(false);
});

it("[L6~] what a run begins with is kept by the policies that it is written under, not by those it was opened under", async () => {
  const loaded = (keep: string) => {
    const text = readFileSync(policies(keep), "utf8");
    const found = loadPolicies([{ file: "p.yaml", text }], { hash: nodeHash });
    if (!found.ok) throw new Error("these load");
    return found.policies;
  };
  const [open, sealed] = [loaded("kind: read"), loaded("kind: read, seal: run")];
  for (const [name, sets] of [
    ["sealed", [open, sealed]],
    ["open", [sealed, open]],
  ] as const) {
    const folder = join(root, name);
    const store = redacted(openSqliteStore({ directory: folder }), openStoreKeys(folder));
    let current = sets[0];
    const ports = { store, clock: nodeClock, hash: nodeHash, random: nodeRandom, notifier: { paused: () => {} } };
    const gate = createGate({ ...ports, policies: { current: () => current } });
    const run = gate.openRun({ agent: "bot", environment: "prod", context: { FACT }, prompt: [ANN.asked] });
    current = sets[1];
    const answer = await gate.call(run, { tool: "look", args: {} }, () => "done");
    await store.close();
    expect(answer.status).toBe("ran");
    const text = readFileSync(join(folder, "log.db"), "utf8");
    expect([name, text.includes(FACT), text.includes(ANN.asked)]).toEqual([name, name === "open", name === "open"]);
  }
});
