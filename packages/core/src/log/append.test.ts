import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../call.ts";
import { SafeRunError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Hash } from "../ports.ts";
import { fromBase64, toBase64 } from "../value/bytes.ts";
import { canonicalJson } from "../value/json.ts";
import { appendEntries, type LogHeads } from "./append.ts";
import type { EntryDraft } from "./entry.ts";
import { parseHeader } from "./header.ts";
import { encodePart, partCommitment } from "./part.ts";
import { EMPTY_TREE, leafHash, treeRoot } from "./tree.ts";

const hash: Hash = { sha256: (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()) };
const START: LogHeads = {
  log: "log_1",
  writer: { id: "writer_1", n: 0, leaf: null },
  runs: new Map(),
  tree: EMPTY_TREE,
  lastTime: 0,
};
const salt = new Uint8Array(32).fill(7);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof SafeRunError) return error.code;
    throw error;
  }
  return "no error";
}

describe("appendEntries", () => {
  it("numbers writer and run without gaps, each with the leaf before", () => {
    const drafts: EntryDraft[] = [
      { type: "log.opened" },
      { type: "run.started", run: "a", agent: "support" },
      { type: "run.started", run: "b" },
      { type: "call.decided", run: "a", step: 0, verdict: "deny", rules: ["r1"] },
    ];
    const { entries, heads } = appendEntries(drafts, START, 1_000, hash);
    const headers = entries.map((entry) => parseHeader(entry.header));
    const leaf = (index: number): string => toHex(entries[index]?.leaf ?? new Uint8Array(0));
    expect(headers.map((header) => header.writer)).toEqual([
      { id: "writer_1", n: 0, prev: null },
      { id: "writer_1", n: 1, prev: leaf(0) },
      { id: "writer_1", n: 2, prev: leaf(1) },
      { id: "writer_1", n: 3, prev: leaf(2) },
    ]);
    expect(headers.map((header) => header.run)).toEqual([
      undefined,
      { id: "a", n: 0, prev: null },
      { id: "b", n: 0, prev: null },
      { id: "a", n: 1, prev: leaf(1) },
    ]);
    expect(heads.runs.get("a")).toEqual({ n: 2, leaf: entries[3]?.leaf });
    expect(heads.tree.size).toBe(4);
    expect(START.tree.size).toBe(0);
  });

  it("writes every header as canonical JSON would", () => {
    const words = fc.string({ unit: "binary", maxLength: 40 });
    const named = { call: words, within: words, model: words, agent: words, environment: words, tool: words };
    const fields = { ...named, run: words, revision: words, approval: words, rules: fc.array(words) };
    const parts = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9_.-]{0,8}$/), { maxLength: 4 });
    fc.assert(
      fc.property(fc.record(fields, { requiredKeys: [] }), fc.option(fc.nat()), parts, (given, step, names) => {
        const content = names.map((name) => ({ name, salt, bytes: encodePart(name) }));
        const draft: EntryDraft = { ...given, ...(step === null ? {} : { step }), type: "call.lost", parts: content };
        const header = text(appendEntries([draft], START, 5, hash).entries[0]?.header ?? new Uint8Array(0));
        expect(header).toBe(canonicalJson(JSON.parse(header)));
        const { run, ...others } = given;
        expect(JSON.parse(header)).toMatchObject(run === undefined ? others : { ...others, run: { id: run } });
      }),
    );
  });

  it.each<[string, Partial<EntryDraft>, number]>([
    ["a lone surrogate", { call: "\ud800" }, 5],
    ["a step that is no number", { step: Number.NaN }, 5],
    ["a time that is no number", {}, Number.NaN],
  ])("refuses %s", (_, fields, now) => {
    expect(codeOf(() => appendEntries([{ type: "call.lost", ...fields }], START, now, hash))).toBe("log.malformed");
  });

  it("writes canonical JSON and hashes exactly these bytes", () => {
    const part = { name: "arguments", salt, bytes: encodePart({ b: 1, a: 2 }) };
    const draft: EntryDraft = { type: "call.proposed", run: "a", call: "c", tool: "refund", parts: [part] };
    const [entry] = appendEntries([draft], START, 5, hash).entries;
    if (entry === undefined) throw new Error("no entry");
    const commitment = createHash("sha256")
      .update("saferun/part/v1\0arguments\0")
      .update(salt)
      .update('{"a":2,"b":1}')
      .digest("hex");
    expect(text(entry.header)).toBe(
      `{"call":"c","log":"log_1","parts":{"arguments":"${commitment}"},"run":{"id":"a","n":0,"prev":null},` +
        '"time":5,"tool":"refund","type":"call.proposed","v":1,"writer":{"id":"writer_1","n":0,"prev":null}}',
    );
    expect(entry.leaf).toEqual(leafHash(entry.header, hash));
    expect(toHex(partCommitment(part, hash))).toBe(commitment);
  });

  it("gives the same chain and root however the drafts are cut into transactions", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", undefined), { maxLength: 20 }), fc.nat(20), (runs, cut) => {
        const drafts = runs.map((run): EntryDraft => ({ type: "call.lost", ...(run === undefined ? {} : { run }) }));
        const whole = appendEntries(drafts, START, 9, hash);
        const first = appendEntries(drafts.slice(0, cut), START, 9, hash);
        const second = appendEntries(drafts.slice(cut), first.heads, 9, hash);
        expect([...first.entries, ...second.entries]).toEqual(whole.entries);
        expect(treeRoot(second.heads.tree, hash)).toEqual(treeRoot(whole.heads.tree, hash));
      }),
    );
  });

  it("never lets time go back", () => {
    const first = appendEntries([{ type: "log.opened" }], START, 2_000, hash);
    const second = appendEntries([{ type: "log.opened" }], first.heads, 1_500.7, hash);
    expect(second.entries.map((entry) => parseHeader(entry.header).time)).toEqual([2_000]);
  });

  it("refuses what cannot be an entry", () => {
    const part = { name: "result", salt, bytes: new Uint8Array(1) };
    const bad: EntryDraft[] = [
      { type: "call.decided", rules: Array.from({ length: 500 }, (_, index) => `rule-${index}`) },
      { type: "call.decided", tool: "\ud800" },
      { type: "call.decided", parts: [part, part] },
      { type: "call.decided", parts: [{ ...part, name: "Result" }] },
      { type: "call.decided", parts: [{ ...part, name: "a\u0000b" }] },
      { type: "call.decided", parts: [{ ...part, name: "__proto__" }] },
      { type: "call.decided", parts: [{ ...part, salt: new Uint8Array(31) }] },
      { type: "call.decided", parts: [{ ...part, bytes: new Uint8Array(LIMITS.partBytes + 1) }] },
    ];
    for (const draft of bad) expect(codeOf(() => appendEntries([draft], START, 1, hash))).toBe("log.malformed");
  });

  it("keeps its own bytes when the caller reuses a buffer (trap 12)", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const { entries } = appendEntries(
      [{ type: "call.finished", parts: [{ name: "result", salt, bytes }] }],
      START,
      1,
      hash,
    );
    bytes[0] = 9;
    expect(entries[0]?.parts[0]?.bytes).toEqual(new Uint8Array([1, 2, 3]));
  });
});

describe("parseHeader", () => {
  it("refuses bytes that are no header", () => {
    const shapes = ["", "[]", "null", '{"v":2}', '{"v":1,"log":"x","writer":{"id":"w","n":1,"prev":null},"time":1}'];
    for (const shape of shapes) {
      expect(codeOf(() => parseHeader(new TextEncoder().encode(shape)))).toBe("log.malformed");
    }
    expect(codeOf(() => parseHeader(new Uint8Array([0xff])))).toBe("log.malformed");
  });
});

describe("encodePart", () => {
  it("is canonical JSON for JSON values", () => {
    expect(text(encodePart({ b: [1, null], a: "x" }))).toBe('{"a":"x","b":[1,null]}');
  });

  it("wraps what canonical JSON refuses, and says so", () => {
    const cycle: Record<string, unknown> = { a: 1 };
    cycle.self = cycle;
    const shared = { x: 1 };
    expect(text(encodePart("\ud800a"))).toBe('{"data":"ANhhAA==","encoding":"utf-16"}');
    expect(text(encodePart(new Uint8Array([1, 2])))).toBe('{"data":"AQI=","encoding":"base64"}');
    expect(text(encodePart({ n: Number.NaN }))).toBe('{"encoding":"text","text":"{\\"n\\":\\"NaN\\"}"}');
    expect(text(encodePart(undefined))).toBe('{"encoding":"text","text":"\\"undefined\\""}');
    expect(text(encodePart(cycle))).toBe('{"encoding":"text","text":"{\\"a\\":1,\\"self\\":\\"[circular]\\"}"}');
    expect(text(encodePart([shared, shared, 1n]))).toBe(
      '{"encoding":"text","text":"[{\\"x\\":1},{\\"x\\":1},\\"1\\"]"}',
    );
    expect(text(encodePart(new Error("no")))).toContain("no");
  });

  it("does not let content pass for a wrapper", () => {
    const forged = { encoding: "base64", data: "AQI=" };
    expect(text(encodePart(forged))).toBe('{"encoding":"json","value":{"data":"AQI=","encoding":"base64"}}');
  });

  it("never throws, whatever it is given", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 20_000; level++) deep = [deep];
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error("no");
        },
        ownKeys: () => {
          throw new Error("no");
        },
        getPrototypeOf: () => {
          throw new Error("no");
        },
      },
    );
    const throwing = {
      toJSON: () => {
        throw new Error("no");
      },
    };
    for (const value of [deep, hostile, throwing, Symbol("s"), () => 1, new Map([[1, 2]]), Object.create(null)]) {
      expect(JSON.parse(text(encodePart(value)))).toBeDefined();
    }
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true }), (value) => {
        expect(JSON.parse(text(encodePart(value)))).not.toBeUndefined();
      }),
    );
  });

  it("keeps only the length of what is over the limit", () => {
    expect(text(encodePart("x".repeat(LIMITS.partBytes)))).toBe(
      `{"bytes":${LIMITS.partBytes + 2},"encoding":"omitted"}`,
    );
  });

  it("stays bounded where a few objects stand for more values than anybody can write", () => {
    class Node {
      readonly children: readonly unknown[];
      constructor(child: unknown) {
        this.children = [child, child];
      }
    }
    let plain: unknown = "leaf";
    let nodes: unknown = "leaf";
    for (let level = 0; level < 60; level++) {
      plain = { a: plain, b: plain };
      nodes = new Node(nodes);
    }
    const long = "x".repeat(1_000_000);
    for (const value of [plain, nodes, Array(1_000).fill(long), Array(1_000).fill([long, 1n])]) {
      expect(text(encodePart(value))).toBe('{"encoding":"omitted"}');
    }
    expect(text(encodePart(new Uint8Array(LIMITS.partBytes + 1)))).toBe('{"encoding":"omitted"}');
  });
});

describe("base64", () => {
  it("is Node's, and reads exactly one text per byte string", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
        expect(fromBase64(toBase64(bytes))).toEqual(new Uint8Array(bytes));
      }),
    );
    for (const bad of ["A", "AB==A", "AQJ=", "A===", "AQI", "AQI=\n", "-_=="]) expect(fromBase64(bad)).toBeUndefined();
  });
});
