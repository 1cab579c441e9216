import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { itemsOf, matches, parseQuery, type SearchItem, type SearchScope } from "@saferun/core";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { nodeHash } from "../src/node/ports.ts";
import { startSearchIndex } from "../src/search/follower.ts";
import { createIndexer } from "../src/search/indexer.ts";
import { takeLease } from "../src/search/lease.ts";
import { openSearch, type Search } from "../src/search/open-search.ts";
import { CHUNK, type SearchDeclarations } from "../src/search/schema.ts";
import type { SearchRequest } from "../src/search/searcher.ts";
import { openSqliteStore, type SqliteStore } from "../src/sqlite/sqlite-store.ts";
import { allEntries, calls, fill, part } from "./search-log.ts";

const NOW = Date.now();
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "saferun-search-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function index(directory: string, declarations: SearchDeclarations, upTo = Number.POSITIVE_INFINITY): void {
  const paths = { log: join(directory, "log.db"), index: join(directory, "search.db") };
  const indexer = createIndexer({ ...paths, declarations, hash: nodeHash, busyMs: 1_000 });
  for (let at = indexer.advance(0); at.indexed < Math.min(at.size, upTo); )
    at = indexer.advance(Math.min(1_500, upTo - at.indexed));
  indexer.close();
}

function numbersOf(items: readonly SearchItem[]): number[] {
  return items.map(({ seq }) => seq);
}

/** Every page of a search, one after another. */
function pages(search: Search, request: Omit<SearchRequest, "now">): number[] {
  const found: number[] = [];
  for (let cursor: string | undefined; ; ) {
    const answer = search.search({ ...request, now: NOW, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...numbersOf(answer.items));
    if (answer.cursor === null) return found;
    cursor = answer.cursor;
  }
}

describe("a search over an index", () => {
  let store: SqliteStore;
  let search: Search;
  let items: SearchItem[];
  const scope: SearchScope = { off: [["ssn"]] };

  beforeAll(async () => {
    store = openSqliteStore({ directory: join(root, "whole") });
    await fill(store, CHUNK - 150);
    await store.commit({ entries: calls(60, 1) });
    // Declared while the log grows: what is older must be found in the payloads.
    index(store.directory, { off: ["ssn"], index: ["amount"] });
    await store.commit({ entries: calls(60, 2).map((draft) => ({ ...draft, call: `${draft.call}b` })) });
    index(store.directory, { index: ["note", "lines[].sku"] }, CHUNK + 10);
    search = await openSearch({ directory: store.directory });
    items = itemsOf(await allEntries(store));
  });
  afterAll(async () => {
    search.close();
    await store.close();
  });

  const leaf = fc.constantFrom(
    ..."env:prod revision:r1 writer:* tool:stripe.* tool:made* tool:mail.send verdict:deny verdict:allow outcome:failed agent:s* rule:big type:call.* part:result".split(
      " ",
    ),
    ..."run:run_3 run:run_* call:call_7 call:call_1* approval:appr_* step>1 step:0 since:1d until:1d".split(" "),
    `entry>=${CHUNK - 40}`,
    `entry:${CHUNK + 3}`,
    ..."duplicate refund* straße declined alpha card_declined".split(" "),
    ...['"duplicate charge"', '"ann acme"', '"order 17 refund"', '"xxxx charge"'],
    ..."args.amount>1 args.amount<=2.5 args.amount:50000 args.amount:true args.amount:null args.amount:* args.ssn:alpha".split(
      " ",
    ),
    ...[
      'args.amount:"50000"',
      "args.note:*charge",
      "args.note:duplicate*",
      "args.lines[].sku:A-1",
      'args.lines[].sku:"C*3"',
      "args.other:1",
    ],
  );
  const { query } = fc.letrec<{ query: string }>((tie) => ({
    query: fc.oneof(
      { maxDepth: 3, depthIdentifier: "query" },
      leaf,
      fc.tuple(tie("query"), tie("query")).map(([one, other]) => `(${one} ${other})`),
      fc.tuple(tie("query"), tie("query")).map(([one, other]) => `(${one} OR ${other})`),
      tie("query").map((one) => `-(${one})`),
    ),
  }));

  it("[L4] finds by every field, argument and text what the predicate finds, in either order, page by page", () => {
    const tail = items.filter((item) => (item.entries.at(-1)?.seq ?? 0) >= CHUNK - 160);
    fc.assert(
      fc.property(
        query,
        fc.constantFrom("newest" as const, "oldest" as const),
        fc.integer({ min: 9, max: 200 }),
        (text, order, limit) => {
          // Not all of the log: the oracle reads every item of it.
          const asked = `entry>=${CHUNK - 160} ${text}`;
          const parsed = parseQuery(asked, NOW);
          const wanted = tail.flatMap((item) => (matches(parsed, item, scope) ? [item.seq] : []));
          const found = pages(search, { query: asked, order, limit, withinMs: 10_000 });
          expect(found).toEqual(order === "newest" ? wanted.reverse() : wanted);
        },
      ),
      { numRuns: 80 },
    );
  });

  it("gives the entries of a call together, also where they lie in two chunks", () => {
    const spanning = items.find((item) => item.seq < CHUNK && (item.entries.at(-1)?.seq ?? 0) >= CHUNK);
    const answer = search.search({ query: `entry:${spanning?.entries.at(-1)?.seq}`, limit: 5, now: NOW });
    expect(answer.items).toEqual([spanning]);
  });

  it("a search of payloads ends when its time is up, says how far it got and goes on from there", () => {
    const request = { query: "args.other:1", limit: 5, withinMs: 0 };
    const first = search.search({ ...request, now: NOW });
    expect(first).toMatchObject({ items: [], cut: true, cursor: expect.any(String) });
    const second = search.search({ ...request, now: NOW, cursor: first.cursor ?? "" });
    expect(second.reached).toBeLessThan(first.reached ?? 0);
    expect(pages(search, request)).toEqual([]);
  });

  it("refuses a cursor of another search, and one that is none", () => {
    const { cursor } = search.search({ query: "verdict:deny", limit: 1, now: NOW });
    expect(search.search({ query: "verdict:deny", limit: 1, now: NOW, cursor: cursor ?? "" }).items).toHaveLength(1);
    expect(() => search.search({ query: "verdict:allow", limit: 1, now: NOW, cursor: cursor ?? "" })).toThrow(
      /another search/,
    );
    expect(() => search.search({ query: "verdict:deny", limit: 1, now: NOW, cursor: "x" })).toThrow(
      /is none that a search/,
    );
  });
});

describe("the index", () => {
  let store: SqliteStore;
  let count = 0;
  beforeEach(async () => {
    store = openSqliteStore({ directory: join(root, `store-${count++}`) });
    await store.commit({ entries: calls(20, 3) });
  });
  afterEach(() => store.close());

  const found = async (query: string): Promise<number[]> => {
    const search = await openSearch({ directory: store.directory });
    try {
      return pages(search, { query, limit: 50 });
    } finally {
      search.close();
    }
  };
  const file = () => join(store.directory, "search.db");

  it("a cursor stays where it is while the log grows", async () => {
    const search = await openSearch({ directory: store.directory });
    const whole = pages(search, { query: "type:call.proposed", limit: 50 });
    const first = search.search({ query: "type:call.proposed", limit: 7, now: NOW });
    await store.commit({ entries: calls(9, 4).map((draft) => ({ ...draft, call: `${draft.call}b` })) });
    expect(await search.catchUp()).toMatchObject({ indexed: (await store.head()).size });
    const second = search.search({ query: "type:call.proposed", limit: 50, now: NOW, cursor: first.cursor ?? "" });
    expect([...numbersOf(first.items), ...numbersOf(second.items)]).toEqual(whole);
    search.close();
  });

  it("a thread follows the log, and several may follow one", async () => {
    const followers = [1, 2].map(() =>
      startSearchIndex({ directory: store.directory, declarations: { index: ["amount"] } }),
    );
    for (let round = 0; round < 10; round++) {
      await store.commit({ entries: calls(20, round).map((draft) => ({ ...draft, call: `${draft.call}-${round}` })) });
    }
    const { size } = await store.head();
    for (const follower of followers) {
      while ((await follower.position()).indexed < size);
      await follower.close();
    }
    expect(await found("args.amount:* type:call.proposed")).toHaveLength(220);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    await expect(followers[0]?.position()).rejects.toMatchObject({ code: "record.unavailable" });
  });

  it("only one of them indexes; who has the lease is known to the system, and it goes with its holder", async () => {
    const path = join(store.directory, "search.lock");
    const first = takeLease(path);
    expect(first).toBeDefined();
    expect(takeLease(path)).toBeUndefined();
    const standby = startSearchIndex({ directory: store.directory });
    expect(await standby.position()).toEqual({ indexed: 0, size: (await store.head()).size });
    first?.release();
    while ((await standby.position()).indexed < (await store.head()).size);
    expect(takeLease(path)).toBeUndefined();
    await standby.close();
    const last = takeLease(path);
    expect(last).toBeDefined();
    last?.release();
  });

  it("goes on in the file that is there when somebody has made it anew", async () => {
    const follower = startSearchIndex({ directory: store.directory });
    while ((await follower.position()).indexed < (await store.head()).size);
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${file()}${suffix}`, { force: true });
    await store.commit({ entries: calls(1, 77) });
    while (!existsSync(file())) await follower.position();
    while ((await follower.position()).indexed < (await store.head()).size);
    const search = await openSearch({ directory: store.directory });
    expect(search.behind).toBe(0);
    search.close();
    await follower.close();
  });

  it("knows no name by a number that another process has forgotten", async () => {
    const secret = "Quetzalcoatl";
    const odd = (call: string) => ({
      type: "call.proposed" as const,
      call,
      parts: [part("tool", `${secret} tool`)],
    });
    const paths = { log: join(store.directory, "log.db"), index: file(), hash: nodeHash, busyMs: 5_000 };
    const one = createIndexer(paths);
    const { size } = await store.head();
    await store.commit({ entries: [odd("call_a")] });
    one.advance(10_000);
    const log = new DatabaseSync(paths.log);
    log.exec(`UPDATE parts SET salt = NULL, bytes = NULL WHERE id >= ${size * 1_024}`);
    log.close();
    const other = createIndexer(paths);
    other.forget([size]);
    other.close();
    await store.commit({ entries: [odd("call_b")] });
    one.advance(10_000);
    one.close();
    expect(await found(`tool:${secret}*`)).toEqual([size + 1]);
  });

  it("keeps no process alive that does not close it", async () => {
    const script = fileURLToPath(new URL("./indexing-process.ts", import.meta.url));
    const flags = ["--conditions=@saferun/source", "--disable-warning=ExperimentalWarning"];
    const child = spawn(process.execPath, [...flags, script, store.directory], { stdio: "ignore" });
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it.each([
    ["is missing", () => rmSync(file(), { force: true })],
    ["is no database", () => writeFileSync(file(), "no database at all".repeat(100))],
    [
      "was overwritten in the middle",
      () => {
        const bytes = readFileSync(file());
        writeFileSync(file(), bytes.fill(7, 4_096, bytes.length));
      },
    ],
    [
      "is another program's",
      () => {
        rmSync(file());
        const db = new DatabaseSync(file());
        db.exec("CREATE TABLE other (x)");
        db.close();
      },
    ],
    ["is of another version", () => change("PRAGMA user_version = 99")],
    ["belongs to another log", () => change("UPDATE state SET log = 'other'; DELETE FROM words; DELETE FROM bits")],
    ["is ahead of the log", () => change("UPDATE state SET position = 1000000; DELETE FROM bits")],
    ["is of another history", () => change("UPDATE state SET leaf = zeroblob(32); DELETE FROM bits")],
  ])("is made again from the log when it %s", async (_what, damage) => {
    const before = await found("verdict:deny");
    expect(before.length).toBeGreaterThan(0);
    damage();
    expect(await found("verdict:deny")).toEqual(before);
  });

  function change(sql: string): void {
    const db = new DatabaseSync(file());
    db.exec(sql);
    db.close();
  }

  it("turning a path off makes the index again, without a trace of what it held", async () => {
    index(store.directory, {});
    expect(await found("alpha")).not.toEqual([]);
    expect(traces("lpha")).not.toEqual([]);
    index(store.directory, { off: ["ssn"] });
    expect(await found("alpha")).toEqual([]);
    expect(traces("lpha")).toEqual([]);
    // A command that knows no policies changes nothing of it.
    expect(await found("args.ssn:alpha")).toEqual([]);
  });

  it("[L4~] forgets what the log has erased: no row, no word, no page, no WAL holds it", async () => {
    const secret = "Quetzalcoatl";
    const kept = part("result", "lavender");
    const [about] = calls(1, 5);
    const entries = [
      {
        ...about,
        type: "call.proposed" as const,
        call: "call_x",
        parts: [part("arguments", { note: secret }), part("tool", `${secret} tool`)],
      },
      { ...about, type: "call.finished" as const, call: "call_x", parts: [kept, part("trace", secret)] },
    ];
    const { size } = await store.head();
    await store.commit({ entries });
    const follower = startSearchIndex({ directory: store.directory, declarations: { index: ["note"] } });
    while ((await follower.position()).indexed < size + 2);
    expect(await found(`args.note:${secret} tool:${secret}* lavender`)).toEqual([size]);
    expect(traces("uetzalcoatl")).toContain("search.db-wal");

    const log = new DatabaseSync(join(store.directory, "log.db"));
    log.exec(`UPDATE parts SET salt = NULL, bytes = NULL WHERE id >= ${size * 1_024} AND name <> 'result'`);
    log.close();
    await follower.forget([size, size + 1]);
    expect(await found("lavender")).toEqual([size]);
    expect(await found("call:call_x")).toEqual([size]);
    expect(await found(`args.note:* entry>=${size}`)).toEqual([]);
    expect(traces("uetzalcoatl")).toEqual([]);
    await follower.close();
    expect(traces("uetzalcoatl")).toEqual([]);
  });

  /** Files of the index that hold these bytes. */
  function traces(word: string): string[] {
    return readdirSync(store.directory)
      .filter((name) => name.startsWith("search.db"))
      .filter((name) => readFileSync(join(store.directory, name)).includes(word));
  }

  it("a store that cannot be written is searched all the same", async () => {
    const before = await found("verdict:deny");
    rmSync(file());
    // What an administrator's account meets too: nothing can be written in this place.
    mkdirSync(file());
    expect(await found("verdict:deny")).toEqual(before);
  });
});
