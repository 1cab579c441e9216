import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../call.ts";
import type { Hash, Signer, TreeHead, Verifier } from "../ports.ts";
import { appendEntries, type LogHeads } from "./append.ts";
import { formatNoteKey, noteKey, parseCheckpoint, parseNote, parseNoteKey, signCheckpoint } from "./checkpoint.ts";
import type { EntryDraft, StoredEntry } from "./entry.ts";
import { encodePart } from "./part.ts";
import { appendLeaf, EMPTY_TREE, treeRoot } from "./tree.ts";
import { type Verification, type VerifyOptions, verifyLog } from "./verify.ts";

const hash: Hash = { sha256: (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()) };
const SPKI = Buffer.from("302a300506032b6570032100", "hex");
const verifier: Verifier = {
  verify: (key, message, signature) =>
    verify(null, message, createPublicKey({ key: Buffer.concat([SPKI, key]), format: "der", type: "spki" }), signature),
};

function signerOf(name: string, seed: number): Signer {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, seed)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }).subarray(SPKI.length));
  return { name, publicKey, sign: (message) => new Uint8Array(sign(null, message, key)) };
}

const signer = signerOf("saferun.local/test", 1);
const vkey = formatNoteKey(noteKey(signer.name, signer.publicKey, hash));

interface Log {
  entries: StoredEntry[];
  checkpoints: { size: number; note: string }[];
  head: TreeHead;
}

/** Two writers, three runs, parts, a checkpoint every 7 entries and one over all. */
function build(count: number, signedBy: Signer | undefined = signer): Log {
  let heads: LogHeads = {
    log: "log",
    writer: { id: "w0", n: 0, leaf: null },
    runs: new Map(),
    tree: EMPTY_TREE,
    lastTime: 0,
  };
  const writers = new Map([["w0", heads.writer]]);
  const entries: StoredEntry[] = [];
  const checkpoints: Log["checkpoints"] = [];
  for (let index = 0; index < count; index++) {
    const id = `w${index % 3 === 2 ? 1 : 0}`;
    const salt = hash.sha256(new Uint8Array([index]));
    const run = index % 4 === 3 ? {} : { run: `run${index % 3}` };
    const parts =
      index % 2 === 0 ? [] : ["result", "arguments"].map((name) => ({ name, salt, bytes: encodePart(index) }));
    const draft: EntryDraft = { type: "call.finished", ...run, call: `c${index}`, outcome: "succeeded", parts };
    heads = { ...heads, writer: writers.get(id) ?? { id, n: 0, leaf: null } };
    const appended = appendEntries([draft], heads, 1_000 + index, hash);
    heads = appended.heads;
    writers.set(id, heads.writer);
    for (const entry of appended.entries) {
      entries.push({ ...entry, columns: { run: draft.run ?? null, parts: parts.length } });
    }
    const size = index + 1;
    if (signedBy !== undefined && (size % 7 === 0 || size === count)) {
      checkpoints.push({ size, note: signCheckpoint({ size, root: treeRoot(heads.tree, hash) }, signedBy, hash) });
    }
  }
  return { entries, checkpoints, head: { size: count, root: treeRoot(heads.tree, hash) } };
}

function check(log: Log, options: Partial<VerifyOptions> = {}): Promise<Verification> {
  return verifyLog(
    {
      async *entries() {
        yield* log.entries;
      },
      async *checkpoints() {
        yield* log.checkpoints;
      },
      head: async () => log.head,
    },
    { hash, verifier, ...options },
  );
}

const pinned = { pinned: vkey };
const kinds = (result: Verification): string[] =>
  result.faults.map((fault) => `${fault.seq} ${fault.fault} ${fault.where}`);
const flip = (bytes: Uint8Array, at: number, bit = 0): Uint8Array =>
  bytes.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte));

function at<Item>(list: readonly Item[], index: number): Item {
  const item = list[index];
  if (item === undefined) throw new Error(`no item ${index}`);
  return item;
}

describe("checkpoints", () => {
  it("are C2SP notes: this one is written down byte for byte", () => {
    const note = signCheckpoint({ size: 5, root: new Uint8Array(32) }, signer, hash);
    const [body, signatures] = [note.slice(0, note.indexOf("\n\n") + 1), note.slice(note.indexOf("\n\n") + 2)];
    expect(body).toBe("saferun.local/test\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    expect(signatures).toMatch(/^— saferun\.local\/test [A-Za-z0-9+/]{91}=\n$/);
    const parsed = parseNote(note);
    expect(parsed?.text).toBe(body);
    expect(parsed === undefined ? undefined : parseCheckpoint(parsed.text)).toEqual({
      origin: "saferun.local/test",
      size: 5,
      root: new Uint8Array(32),
    });
  });

  it("read the key of Go's sumdb documentation", () => {
    // golang.org/x/mod/sumdb/note, package documentation: NewVerifier's example key.
    const text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const key = parseNoteKey(text, hash);
    expect([key.name, toHex(key.id)]).toEqual(["PeterNeumann", "c74f20a3"]);
    expect(formatNoteKey(key)).toBe(text);
    const message = new TextEncoder().encode(
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
    );
    const note = parseNote(
      `${new TextDecoder().decode(message)}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`,
    );
    expect(verifier.verify(key.key, message, at(note?.signatures ?? [], 0).signature)).toBe(true);
  });

  it("refuse keys whose text was changed", () => {
    for (let index = 0; index < vkey.length; index++) {
      const bent = vkey.slice(0, index) + (vkey[index] === "A" ? "B" : "A") + vkey.slice(index + 1);
      expect(() => parseNoteKey(bent, hash)).toThrow();
    }
  });
});

describe("verifyLog [L3~]", () => {
  it("says `verified` only with a key from elsewhere", async () => {
    const log = build(40);
    expect(await check(log, pinned)).toMatchObject({
      status: "verified",
      size: 40,
      signedUpTo: 40,
      unsigned: 0,
      signedAt: 1_039,
      faults: [],
    });
    expect(await check(log, { claimed: vkey })).toMatchObject({
      status: "self-consistent",
      signedUpTo: 40,
      faults: [],
    });
    expect(await check(log)).toMatchObject({ status: "self-consistent", signedUpTo: 0, unsigned: 40, faults: [] });
    expect(await check({ ...log, checkpoints: [] }, pinned)).toMatchObject({
      status: "self-consistent",
      signedUpTo: 0,
    });
    expect(await check(build(0), pinned)).toMatchObject({ status: "self-consistent", size: 0, faults: [] });
  });

  it("counts what no checkpoint covers", async () => {
    const log = build(40);
    const checkpoints = log.checkpoints.filter((checkpoint) => checkpoint.size < 40);
    expect(await check({ ...log, checkpoints }, pinned)).toMatchObject({
      status: "verified",
      signedUpTo: 35,
      unsigned: 5,
    });
  });

  it("does not believe another's signature", async () => {
    const log = build(20, signerOf(signer.name, 2));
    expect((await check(log, pinned)).faults[0]).toMatchObject({ fault: "bad-signature" });
    const other = build(20, signerOf("saferun.local/other", 1));
    expect((await check(other, pinned)).faults[0]).toMatchObject({ fault: "unlisted-tree" });
  });

  it("names a deleted, an inserted and two exchanged entries", async () => {
    const log = build(40);
    const without = log.entries.filter((entry) => entry.seq !== 12);
    expect(kinds(await check({ ...log, entries: without }, pinned))[0]).toBe("12 missing seq");
    const closed = without.map((entry, seq) => ({ ...entry, seq }));
    expect(kinds(await check({ ...log, entries: closed }, pinned))[0]).toMatch(/^1[2-5] missing (writer|run)$/);
    const doubled = log.entries.flatMap((entry) => (entry.seq === 12 ? [entry, entry] : [entry]));
    expect(kinds(await check({ ...log, entries: doubled }, pinned))[0]).toBe("12 reordered seq");
    const renumbered = doubled.map((entry, seq) => ({ ...entry, seq }));
    expect(kinds(await check({ ...log, entries: renumbered }, pinned))[0]).toBe("13 reordered writer");
    const [left, right] = [at(log.entries, 12), at(log.entries, 13)];
    const exchanged = log.entries.map((entry) => (entry === left ? right : entry === right ? left : entry));
    expect(kinds(await check({ ...log, entries: exchanged }, pinned))).toContain("12 reordered seq");
    const moved = exchanged.map((entry, seq) => ({ ...entry, seq }));
    expect(kinds(await check({ ...log, entries: moved }, pinned))[0]).toMatch(/^1[23] reordered (writer|time|run)$/);
  });

  it("notices truncation, also when the head and all later checkpoints went with it (trap 22)", async () => {
    const log = build(40);
    const cut = { ...log, entries: log.entries.slice(0, 30) };
    expect(kinds(await check(cut, pinned))).toEqual(["30 truncated checkpoint", "30 truncated head"]);
    const short = build(30);
    const kept = [at(log.checkpoints, log.checkpoints.length - 1).note];
    expect((await check(short, pinned)).status).toBe("verified");
    expect(kinds(await check(short, { ...pinned, kept }))).toEqual(["30 truncated checkpoint"]);
  });

  it("notices a history written anew by somebody without the key (trap 22)", async () => {
    const log = build(40);
    let heads: LogHeads = {
      log: "log",
      writer: { id: "w0", n: 0, leaf: null },
      runs: new Map(),
      tree: EMPTY_TREE,
      lastTime: 0,
    };
    const drafts = log.entries.map((): EntryDraft => ({ type: "call.lost" }));
    const { entries, heads: end } = appendEntries(drafts, heads, 1_000, hash);
    heads = end;
    const forged = {
      entries: [...entries],
      checkpoints: log.checkpoints,
      head: { size: 40, root: treeRoot(heads.tree, hash) },
    };
    expect(kinds(await check(forged, pinned))).toEqual(["0 forked checkpoint"]);
    const unsigned = { ...forged, checkpoints: [] };
    expect((await check(unsigned, pinned)).status).toBe("self-consistent");
    expect(kinds(await check(unsigned, { ...pinned, kept: [at(log.checkpoints, 2).note] }))).toEqual([
      "0 forked checkpoint",
    ]);
  });

  it("names the entry whose header and leaf were both written anew", async () => {
    const log = build(40);
    const entries = log.entries.map((entry) => {
      if (entry.seq !== 12) return entry;
      const header = new TextEncoder().encode(new TextDecoder().decode(entry.header).replace("succeeded", "failed"));
      const leaf = hash.sha256(new Uint8Array([0, ...header]));
      return { ...entry, header, leaf };
    });
    const tree = entries.reduce((grown, entry) => appendLeaf(grown, entry.leaf, hash), EMPTY_TREE);
    const head = { size: 40, root: treeRoot(tree, hash) };
    expect(kinds(await check({ ...log, entries, head }, pinned))).toEqual(["12 changed header"]);
  });

  it("finds any one changed byte and names the entry", async () => {
    const log = build(30);
    await fc.assert(
      fc.asyncProperty(fc.nat(29), fc.nat(6), fc.nat(), fc.nat(7), async (seq, column, place, bit) => {
        const entry = at(log.entries, seq);
        const bent = bend(entry, column, place, bit);
        fc.pre(bent !== undefined);
        const entries = log.entries.map((one) => (one === entry && bent !== undefined ? bent : one));
        for (const options of [pinned, {}]) {
          const result = await check({ ...log, entries }, options);
          expect(result.status).toBe("faulty");
          expect(result.faults.map((fault) => fault.seq)).toContain(seq);
          // One changed byte is one fault or two (a renamed part), not one for everything behind it.
          expect(new Set(result.faults.map((fault) => fault.seq)).size).toBe(1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("finds any one changed byte of a checkpoint", async () => {
    const log = build(30);
    const index = 1;
    const { size, note } = at(log.checkpoints, index);
    const bytes = new TextEncoder().encode(note);
    for (let place = 0; place < bytes.length; place++) {
      const bent = new TextDecoder().decode(flip(bytes, place, place % 7));
      const checkpoints = log.checkpoints.map((one) => (one.size === size ? { size, note: bent } : one));
      const result = await check({ ...log, checkpoints }, pinned);
      expect([place, result.status, result.faults[0]?.seq]).toEqual([place, "faulty", size]);
    }
    const renumbered = log.checkpoints.map((one) => (one.size === size ? { ...one, size: size + 1 } : one));
    expect(kinds(await check({ ...log, checkpoints: renumbered }, {}))).toEqual([`${size + 1} changed checkpoint`]);
  });

  it("finds a changed head", async () => {
    const log = build(30);
    expect(kinds(await check({ ...log, head: { ...log.head, root: flip(log.head.root, 3) } }))).toEqual([
      "29 changed head",
    ]);
    expect(kinds(await check({ ...log, head: { ...log.head, size: 31 } }))).toEqual(["30 truncated head"]);
    expect(kinds(await check({ ...log, head: { ...log.head, size: 28 } }))).toEqual(["28 inserted head"]);
  });

  it("finds an entry of another log", async () => {
    const log = build(10);
    const heads: LogHeads = {
      log: "other",
      writer: { id: "x", n: 0, leaf: null },
      runs: new Map(),
      tree: EMPTY_TREE,
      lastTime: 9_999,
    };
    const foreign = appendEntries([{ type: "call.lost" }], heads, 9_999, hash).entries.map((entry) => ({
      ...entry,
      seq: 10,
    }));
    expect(kinds(await check({ ...log, entries: [...log.entries, ...foreign] }))).toContain("10 unlisted-tree header");
  });
});

/** One byte (or one step) of one stored column changed; undefined where the entry has no such column. */
function bend(entry: StoredEntry, column: number, place: number, bit: number): StoredEntry | undefined {
  const part = entry.parts[place % 2];
  const withPart = (change: Partial<typeof part>): StoredEntry | undefined =>
    part === undefined
      ? undefined
      : { ...entry, parts: entry.parts.map((one) => (one === part ? { ...part, ...change } : one)) };
  const { columns } = entry;
  switch (column) {
    case 0:
      return { ...entry, header: flip(entry.header, place % entry.header.length, bit) };
    case 1:
      return { ...entry, leaf: flip(entry.leaf, place % 32, bit) };
    case 2:
      return columns && { ...entry, columns: { ...columns, run: columns.run === null ? "x" : null } };
    case 3:
      return columns && { ...entry, columns: { ...columns, parts: columns.parts + 1 } };
    case 4:
      return withPart({ name: `${part?.name ?? ""}x` });
    case 5:
      return withPart({ salt: part?.salt ? flip(part.salt, place % 32, bit) : null });
    default:
      return withPart({ bytes: part?.bytes ? flip(part.bytes, place % part.bytes.length, bit) : null });
  }
}
