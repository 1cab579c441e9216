/** What every store must do, stated once and run on each of them. */
import {
  appendLeaf,
  approvalSummary,
  type CallRecord,
  EMPTY_TREE,
  encodePart,
  leafHash,
  parseHeader,
  partCommitment,
  type StateRow,
  type Store,
  toHex,
  treeRoot,
} from "@saferun/core";
import { afterEach, describe, expect, it } from "vitest";
import { approval, call, draft, head, write } from "./contract-rows.ts";
import { nodeHash, nodeRandom } from "./node/ports.ts";

export interface OpenedStore {
  readonly store: Store;
  /** Another opening of the same store, as another process would have; absent where nobody else can open it. */
  readonly again?: () => Store;
}

/** `clock` is the time that the store must use. */
export type OpenStore = (clock: { now(): number }) => OpenedStore;

/** Registers the contract's cases for one kind of store. */
export function storeContract(name: string, open: OpenStore): void {
  describe(`store contract: ${name}`, () => {
    const opened: Store[] = [];
    const clock = { time: 1_000, now: () => clock.time };
    afterEach(async () => {
      clock.time = 1_000;
      for (const store of opened.splice(0).reverse()) await store.close();
    });
    function start(): OpenedStore {
      const { store, again } = open(clock);
      opened.push(store);
      if (again === undefined) return { store };
      return {
        store,
        again: () => {
          const other = again();
          opened.push(other);
          return other;
        },
      };
    }

    describe("a history that was read", () => {
      const proposal = (run: string, args: object) =>
        draft("call.proposed", {
          run,
          call: `call-${run}`,
          tool: "t",
          parts: [{ name: "arguments", salt: nodeRandom.bytes(32), bytes: encodePart(args) }],
        });

      it("is written upon only while nothing has come to it", async () => {
        const { store } = start();
        const unmoved = { root: "a", tree: null, runs: [{ id: "a", entries: 0 }] };
        expect(await store.commit({ entries: [proposal("a", {})], unmoved })).toMatchObject({ ok: true });
        expect(await store.commit({ entries: [proposal("a", {})], unmoved })).toEqual({
          ok: false,
          conflict: { kind: "run", id: "a" },
        });
        const now = { ...unmoved, runs: [{ id: "a", entries: 1 }] };
        await store.commit({
          entries: [proposal("b", {})],
          protection: { motions: [{ type: "join", root: "a", run: "b" }], accounted: "" },
        });
        expect(await store.commit({ entries: [proposal("a", {})], unmoved: now })).toEqual({
          ok: false,
          conflict: { kind: "tree", id: "a" },
        });
        expect((await store.row("tree", "a"))?.value).toEqual(["b"]);
        expect((await store.head()).size).toBe(2);
      });

      it("of several at once lets one through", async () => {
        const { store } = start();
        const unmoved = { root: "a", tree: null, runs: [{ id: "a", entries: 0 }] };
        const results = await Promise.all(
          Array.from({ length: 8 }, () => store.commit({ entries: [proposal("a", {})], unmoved })),
        );
        expect(results.filter(({ ok }) => ok)).toHaveLength(1);
      });

      it("is read as texts, without what is no part of it", async () => {
        const { store } = start();
        const result = { name: "result", salt: nodeRandom.bytes(32), bytes: encodePart({ big: true }) };
        await store.commit({
          entries: [
            draft("run.started", { run: "a" }),
            proposal("a", { n: 1 }),
            draft("call.finished", { run: "a", call: "call-a", outcome: "succeeded", parts: [result] }),
            draft("approval.expired", { run: "a", call: "call-a", approval: "p" }),
            proposal("b", { n: 2 }),
          ],
          erase: [],
        });
        const read = await store.callEntries({ run: "a", from: 0, limit: 10 });
        expect(read.map(({ seq }) => seq)).toEqual([1, 2, 3]);
        expect([...(read[0]?.parts ?? [])]).toEqual([["arguments", '{"n":1}']]);
        expect(read[1]?.parts.has("result")).toBe(false);
        expect((await store.callEntries({ run: "a", from: 2, limit: 1 })).map(({ seq }) => seq)).toEqual([2]);
        await store.commit({
          entries: [draft("log.erased", { run: "z" })],
          erase: [{ seq: 1, names: ["arguments"] }],
        });
        const [erased] = await store.callEntries({ run: "a", from: 0, limit: 1 });
        expect([...(erased?.parts ?? [])]).toEqual([["arguments", null]]);
      });
    });

    describe("appending", () => {
      it("answers where the entries stand, and reads their bytes back", async () => {
        const { store } = start();
        const drafts = [draft("run.started"), draft("call.proposed", { call: "c" }), draft("call.lost")];
        expect(await store.commit({ entries: drafts.slice(0, 2) })).toEqual({ ok: true, from: 0, to: 2 });
        expect(await store.commit({ entries: drafts.slice(2) })).toEqual({ ok: true, from: 2, to: 3 });
        expect(await store.commit({ entries: [] })).toEqual({ ok: true, from: 3, to: 3 });
        const entries = await store.entries({ from: 0, limit: 10 });
        expect(entries.map((entry) => entry.seq)).toEqual([0, 1, 2]);
        for (const entry of entries) {
          const header = parseHeader(entry.header);
          expect(header.log).toBe(store.logId);
          expect(header.writer.id).toBe(store.writerId);
          expect(toHex(leafHash(entry.header, nodeHash))).toBe(toHex(entry.leaf));
          for (const { name: part, salt, bytes } of entry.parts) {
            if (salt === null || bytes === null) throw new Error("a part without content");
            const given = drafts[entry.seq]?.parts?.find(({ name }) => name === part);
            expect([toHex(salt), toHex(bytes)]).toEqual([given?.salt, given?.bytes].map((some) => some && toHex(some)));
            expect(header.parts?.[part]).toBe(toHex(partCommitment({ name: part, salt, bytes }, nodeHash)));
          }
        }
      });

      it("numbers writer and run without gaps, also over conflicts and refused drafts", async () => {
        const { store } = start();
        await store.commit({ entries: [draft("run.started", { run: "a" })] });
        expect((await store.commit({ entries: [draft("call.lost")], calls: [write(call("c"), 7)] })).ok).toBe(false);
        await expect(
          store.commit({ entries: [draft("call.lost", { tool: "x".repeat(5_000) })] }),
        ).rejects.toMatchObject({ code: "log.malformed" });
        await store.commit({ entries: [draft("call.proposed", { run: "a" }), draft("run.started", { run: "b" })] });
        const headers = (await store.entries({ from: 0, limit: 10 })).map((entry) => parseHeader(entry.header));
        expect(headers.map((header) => header.writer.n)).toEqual([0, 1, 2]);
        expect(headers.map((header) => [header.run?.id, header.run?.n])).toEqual([
          ["a", 0],
          ["a", 1],
          ["b", 0],
        ]);
      });

      it("erases parts in a transaction, all or nothing, and no leaf changes [L6~]", async () => {
        const { store } = start();
        await store.commit({ entries: [draft("call.proposed", { run: "a" }), draft("call.lost", { run: "a" })] });
        const before = await head(store);
        const erase = [{ seq: 0, names: ["result"] }];
        await store.commit({ entries: [], calls: [write(call("c"), 7)], erase });
        const entries = () => store.entries({ from: 0, limit: 2, run: "a" });
        const bytes = async () => (await entries()).map(({ parts }) => parts.map((part) => part.bytes ?? part.salt));
        expect((await bytes()).flat()).not.toContain(null);
        await store.commit({ entries: [], erase });
        expect((await bytes()).map((parts) => parts.indexOf(null))).toEqual([1, -1]);
        expect(await head(store)).toEqual(before);
      });

      it("has the recomputed root as its head [L2~]", async () => {
        const { store } = start();
        let tree = EMPTY_TREE;
        expect(await head(store)).toEqual({ size: 0, root: toHex(treeRoot(tree, nodeHash)) });
        for (let count = 1; count <= 9; count++) {
          await store.commit({ entries: Array.from({ length: count }, () => draft("call.lost")) });
        }
        for (const entry of await store.entries({ from: 0, limit: 100 })) tree = appendLeaf(tree, entry.leaf, nodeHash);
        expect(await head(store)).toEqual({ size: 45, root: toHex(treeRoot(tree, nodeHash)) });
        const leaves = await store.leaves({ from: 40, to: 50 });
        const tail = await store.entries({ from: 40, limit: 10 });
        expect(leaves.map(toHex)).toEqual(tail.map((entry) => toHex(entry.leaf)));
      });

      it("keeps the order in which commits were asked for", async () => {
        const { store } = start();
        const commits = Array.from({ length: 50 }, (_, index) =>
          store.commit({ entries: [draft("call.lost", { call: `c${index}` })] }),
        );
        await Promise.all(commits);
        const headers = (await store.entries({ from: 0, limit: 100 })).map((entry) => parseHeader(entry.header));
        expect(headers.map((header) => header.call)).toEqual(commits.map((_, index) => `c${index}`));
      });

      it("never lets store time go back", async () => {
        const { store } = start();
        for (const time of [5_000, 3_000, 6_000]) {
          clock.time = time;
          await store.commit({ entries: [draft("call.lost")] });
        }
        const headers = (await store.entries({ from: 0, limit: 10 })).map((entry) => parseHeader(entry.header));
        expect(headers.map((header) => header.time)).toEqual([5_000, 5_000, 6_000]);
      });

      it("pages over all entries and over one run's", async () => {
        const { store } = start();
        for (const run of ["a", "b", "a", "b", "a"]) await store.commit({ entries: [draft("call.lost", { run })] });
        const seqs = async (options: Parameters<Store["entries"]>[0]): Promise<number[]> =>
          (await store.entries(options)).map((entry) => entry.seq);
        expect(await seqs({ from: 1, limit: 2 })).toEqual([1, 2]);
        expect(await seqs({ from: 5, limit: 2 })).toEqual([]);
        expect(await seqs({ from: 0, limit: 2, run: "a" })).toEqual([0, 2]);
        expect(await seqs({ from: 3, limit: 2, run: "a" })).toEqual([4]);
        expect(await seqs({ from: 0, limit: 2, run: "c" })).toEqual([]);
      });
    });

    describe("compare and set (trap 15, 17)", () => {
      it("writes nothing at all when one condition of a transaction does not hold", async () => {
        const { store } = start();
        await store.commit({ entries: [], calls: [write(call("known"), null)] });
        const before = await head(store);
        const result = await store.commit({
          entries: [draft("call.lost")],
          calls: [write(call("new"), null), write(call("known", { version: 2 }), 9)],
          approvals: [write(approval("asked"), null)],
        });
        expect(result).toEqual({ ok: false, conflict: { kind: "call", id: "known" } });
        expect(await head(store)).toEqual(before);
        expect(await store.call("new")).toBeUndefined();
        expect(await store.approval("asked")).toBeUndefined();
        expect(await store.call("known")).toEqual(call("known"));
      });

      it("takes null as `must not exist yet`, for calls and approvals", async () => {
        const { store } = start();
        const first = { entries: [], calls: [write(call("c"), null)], approvals: [write(approval("a"), null)] };
        expect((await store.commit(first)).ok).toBe(true);
        expect(await store.commit({ entries: [], calls: [write(call("c"), null)] })).toEqual({
          ok: false,
          conflict: { kind: "call", id: "c" },
        });
        expect(await store.commit({ entries: [], approvals: [write(approval("a"), null)] })).toEqual({
          ok: false,
          conflict: { kind: "approval", id: "a" },
        });
        expect((await store.commit({ entries: [], approvals: [write(approval("b"), 1)] })).ok).toBe(false);
      });

      it("lets one of many racing writers win", async () => {
        const { store, again } = start();
        await store.commit({ entries: [], approvals: [write(approval("a"), null)] });
        const writers = [store, again?.() ?? store];
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            (writers[index % 2] ?? store).commit({
              entries: [draft("approval.decided")],
              approvals: [write(approval("a", { version: 2, deadline: index }), 1)],
            }),
          ),
        );
        const winner = results.findIndex((result) => result.ok);
        expect(results.filter((result) => result.ok)).toHaveLength(1);
        expect((await store.approval("a"))?.deadline).toBe(winner);
        expect((await head(store)).size).toBe(1);
      });

      it("refuses a second call with the caller's key in the same run", async () => {
        const { store } = start();
        await store.commit({ entries: [], calls: [write(call("c1", { key: "k" }), null)] });
        const second = await store.commit({ entries: [], calls: [write(call("c2", { key: "k" }), null)] });
        expect(second).toEqual({ ok: false, conflict: { kind: "call", id: "c2" } });
        expect((await store.commit({ entries: [], calls: [write(call("c3", { key: "k", run: "b" }), null)] })).ok).toBe(
          true,
        );
        const keyless = [write(call("c4"), null), write(call("c5"), null)];
        expect((await store.commit({ entries: [], calls: keyless })).ok).toBe(true);
        expect((await store.callByKey("run", "k"))?.id).toBe("c1");
        expect((await store.callByKey("b", "k"))?.id).toBe("c3");
        expect(await store.callByKey("c", "k")).toBeUndefined();
      });

      it("refuses a transaction that writes one row twice", async () => {
        const { store } = start();
        const calls = [write(call("c"), null), write(call("c", { version: 2 }), 1)];
        await expect(store.commit({ entries: [], calls })).rejects.toMatchObject({ code: "log.malformed" });
        expect(await store.call("c")).toBeUndefined();
      });
    });

    describe("state rows", () => {
      const state = (id: string, change: Partial<StateRow> = {}): StateRow => {
        return { kind: "grant", id, version: 1, due: null, value: { of: id }, ...change };
      };

      it("are written under compare-and-set, together with entries or not at all", async () => {
        const { store } = start();
        const first = { entries: [draft("call.lost")], rows: [write(state("g"), null)] };
        expect((await store.commit(first)).ok).toBe(true);
        expect(await store.commit(first)).toEqual({ ok: false, conflict: { kind: "grant", id: "g" } });
        expect((await store.head()).size).toBe(1);
        const next = state("g", { version: 2, value: ["changed"], due: 5 });
        expect((await store.commit({ entries: [], rows: [write(next, 1)] })).ok).toBe(true);
        expect(await store.row("grant", "g")).toEqual(next);
        // Another kind's id is another row.
        expect(await store.row("sticky", "g")).toBeUndefined();
        expect((await store.commit({ entries: [], rows: [write(state("g", { kind: "sticky" }), null)] })).ok).toBe(
          true,
        );
      });

      it("are removed by null, and begin anew", async () => {
        const { store } = start();
        await store.commit({ entries: [], rows: [write(state("g"), null)] });
        expect(
          (await store.commit({ entries: [], rows: [write(state("g", { version: 2, value: null }), 1)] })).ok,
        ).toBe(true);
        expect(await store.row("grant", "g")).toBeUndefined();
        expect(await store.rows({ kind: "grant", limit: 10 })).toEqual([]);
        expect((await store.commit({ entries: [], rows: [write(state("g"), 2)] })).ok).toBe(false);
        expect((await store.commit({ entries: [], rows: [write(state("g"), null)] })).ok).toBe(true);
      });

      it("are listed by id in pages, and by the time when they are due", async () => {
        const { store } = start();
        const ids = ["\u{10000}", "b", "\uffee", "a", ""];
        const rows = ids.map((id, at) => state(id, { due: at === 3 ? null : 100 - at }));
        await store.commit({
          entries: [],
          rows: [...rows.map((row) => write(row, null)), write(state("x", { kind: "sticky", due: 1 }), null)],
        });
        const first = await store.rows({ kind: "grant", limit: 3 });
        const rest = await store.rows({ kind: "grant", after: first.at(-1)?.id ?? "", limit: 10 });
        expect([...first, ...rest].map(({ id }) => id)).toEqual(["", "a", "b", "\uffee", "\u{10000}"]);
        const due = async (by: number, limit = 10) =>
          (await store.dueRows({ kind: "grant", by, limit })).map(({ id }) => id);
        expect(await due(95)).toEqual([]);
        expect(await due(98)).toEqual(["", "\uffee"]);
        expect(await due(1_000, 1)).toEqual([""]);
      });

      it("hold one winner of many racing writers", async () => {
        const { store, again } = start();
        const writers = [store, again?.() ?? store];
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, at) =>
            (writers[at % 2] ?? store).commit({ entries: [], rows: [write(state("g", { value: at }), null)] }),
          ),
        );
        expect(results.filter(({ ok }) => ok)).toHaveLength(1);
      });

      it("refuse to be written twice in one transaction", async () => {
        const { store } = start();
        const rows = [write(state("g"), null), write(state("g", { version: 2 }), 1)];
        await expect(store.commit({ entries: [], rows })).rejects.toMatchObject({ code: "log.malformed" });
      });
    });

    describe("reading", () => {
      it("lists calls by state, oldest first", async () => {
        const { store } = start();
        const rows = [
          call("late", { createdAt: 30, state: "unknown" }),
          call("early", { createdAt: 10 }),
          call("done", { createdAt: 5, state: "succeeded", bytes: null }),
          call("middle", { createdAt: 20 }),
        ];
        for (const row of rows) await store.commit({ entries: [], calls: [write(row, null)] });
        const ids = async (states: CallRecord["state"][], limit: number): Promise<string[]> =>
          (await store.callsIn(states, limit)).map((row) => row.id);
        expect(await ids(["executing", "unknown"], 10)).toEqual(["early", "middle", "late"]);
        expect(await ids(["executing"], 1)).toEqual(["early"]);
        expect(await ids(["succeeded"], 10)).toEqual(["done"]);
        expect(await ids([], 10)).toEqual([]);
        // Which they are and how they stand, and not what may be damaged in them.
        expect(await store.callsIn(["unknown"], 1)).toEqual([{ id: "late", state: "unknown" }]);
        const finished = call("early", { createdAt: 10, version: 2, state: "succeeded" });
        await store.commit({ entries: [], calls: [write(finished, 1)] });
        expect(await ids(["executing", "unknown"], 10)).toEqual(["middle", "late"]);
      });

      it("lists approvals, newest first", async () => {
        const { store } = start();
        const rows = [
          approval("a1", { createdAt: 1 }),
          approval("a3", { createdAt: 3, state: "denied" }),
          approval("a2", { createdAt: 2 }),
        ];
        await store.commit({ entries: [], approvals: rows.map((row) => write(row, null)) });
        expect((await store.approvals({ limit: 10 })).map((row) => row.id)).toEqual(["a3", "a2", "a1"]);
        expect((await store.approvals({ state: "pending", limit: 1 })).map((row) => row.id)).toEqual(["a2"]);
        expect(await store.approval("a3")).toEqual(rows[1]);
      });

      it("lists approvals without their arguments, which may be large", async () => {
        const { store } = start();
        const bytes = JSON.stringify({ note: `${"😀".repeat(199)}"\n${"x".repeat(1_000_000)}` });
        const rows = [approval("small", { bytes: '{"note":"ä"}' }), approval("large", { bytes })];
        await store.commit({ entries: [], approvals: rows.map((row) => write(row, null)) });
        const listed = await store.approvals({ limit: 10 });
        expect(listed.toSorted((one, other) => (one.id < other.id ? 1 : -1))).toEqual(rows.map(approvalSummary));
        expect(JSON.stringify(listed).length).toBeLessThan(4_000);
        expect(await store.approval("large")).toEqual(rows[1]);
      });

      it("sums up runs from their entries, newest first", async () => {
        const { store } = start();
        await store.commit({ entries: [draft("run.started", { run: "a", agent: "support", environment: "prod" })] });
        clock.time = 2_000;
        await store.commit({ entries: [draft("run.started", { run: "b" }), draft("call.lost", { run: "a" })] });
        const a = { id: "a", agent: "support", environment: "prod", entries: 2, startedAt: 1_000, lastAt: 2_000 };
        const b = { id: "b", agent: "", environment: "", entries: 1, startedAt: 2_000, lastAt: 2_000 };
        expect(await store.run("a")).toEqual(a);
        expect(await store.run("c")).toBeUndefined();
        expect(await store.runs({ limit: 10 })).toEqual([b, a]);
        expect(await store.runs({ limit: 1 })).toEqual([b]);
      });

      it("keeps hostile ids apart", async () => {
        const { store } = start();
        const ids = ["__proto__", "a'; DROP TABLE calls; --", "", "\u0000", "a\u0000b", "\ufb01", "\u00e9", "e\u0301"];
        for (const id of ids) await store.commit({ entries: [], calls: [write(call(id, { key: id }), null)] });
        for (const id of ids) expect((await store.callByKey("run", id))?.id).toBe(id);
        expect(await store.callsIn(["executing"], 100)).toHaveLength(ids.length);
      });

      it("changes its token with every commit and checkpoint, and not otherwise", async () => {
        const { store, again } = start();
        const other = again?.() ?? store;
        const first = await store.changeToken();
        expect(await store.changeToken()).toBe(first);
        await other.commit({ entries: [draft("call.lost")] });
        const second = await store.changeToken();
        expect(second).not.toBe(first);
        await store.commit({ entries: [], approvals: [write(approval("a"), null)] });
        const third = await store.changeToken();
        expect(third).not.toBe(second);
        await store.addCheckpoint(1, "note\n");
        expect(await store.changeToken()).not.toBe(third);
      });

      it("keeps checkpoints, oldest first, one per size", async () => {
        const { store } = start();
        await store.commit({ entries: [draft("call.lost"), draft("call.lost"), draft("call.lost")] });
        await store.addCheckpoint(3, "three\n");
        await store.addCheckpoint(1, "one\n");
        await store.addCheckpoint(3, "three\n");
        expect(await store.checkpoints()).toEqual([
          { size: 1, note: "one\n" },
          { size: 3, note: "three\n" },
        ]);
        await expect(store.addCheckpoint(3, "another\n")).rejects.toMatchObject({ code: "record.corrupt" });
      });
    });

    describe("two openings of one store (trap 22)", () => {
      it("append to one chain, each with its own gapless numbers", async () => {
        const { store, again } = start();
        const other = again?.() ?? store;
        const work = [store, other].map(async (one) => {
          for (let count = 0; count < 20; count++)
            await one.commit({ entries: [draft("call.lost", { run: "shared" })] });
        });
        await Promise.all(work);
        const entries = await store.entries({ from: 0, limit: 100 });
        const headers = entries.map((entry) => parseHeader(entry.header));
        expect(entries.map((entry) => entry.seq)).toEqual(Array.from({ length: 40 }, (_, index) => index));
        expect(headers.map((header) => header.run?.n)).toEqual(Array.from({ length: 40 }, (_, index) => index));
        for (const writer of new Set([store.writerId, other.writerId])) {
          const own = headers.filter((header) => header.writer.id === writer).map((header) => header.writer.n);
          expect(own).toEqual(own.map((_, index) => index));
        }
        expect(await head(other)).toEqual(await head(store));
      });

      it("does not call a living writer dead", async () => {
        const { store, again } = start();
        const other = again?.() ?? store;
        expect(await store.deadWriters()).toEqual([]);
        expect(await other.deadWriters()).toEqual([]);
      });
    });

    describe("closing", () => {
      it("waits for what was accepted, and refuses what comes later", async () => {
        const { store } = start();
        const accepted = Array.from({ length: 10 }, () => store.commit({ entries: [draft("call.lost")] }));
        const closing = store.close();
        expect((await Promise.all(accepted)).every((result) => result.ok)).toBe(true);
        await closing;
        await expect(store.commit({ entries: [draft("call.lost")] })).rejects.toMatchObject({
          code: "record.unavailable",
        });
        await store.close();
      });
    });
  });
}
