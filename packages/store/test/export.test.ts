import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  checkExcerpt,
  createTreeNodes,
  type ExportHead,
  exportSource,
  formatExportLine,
  inclusionPath,
  leafSource,
  parseExportLine,
  type Store,
  type StoredEntry,
  signCheckpoint,
  verifyLog,
} from "@saferun/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCheckpointer } from "../src/checkpointer.ts";
import { createFileSigner, type FileSigner, nodeVerifier } from "../src/node/file-signer.ts";
import { nodeHash } from "../src/node/ports.ts";
import { openSqliteStore } from "../src/sqlite/sqlite-store.ts";
import { allEntries, calls } from "./search-log.ts";

let root: string;
let pinned: string;
let signer: FileSigner;
let whole: string[];
let excerpt: string[];
/** The same entries under the log's first checkpoint. */
let shorter: string[];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "saferun-export-"));
  signer = createFileSigner(join(root, "key"));
  pinned = signer.vkey;
  const sqlite = openSqliteStore({ directory: join(root, "store") });
  const store = createCheckpointer(sqlite, signer, { everyEntries: 40 });
  for (const draft of calls(40, 1)) await store.commit({ entries: [draft] });
  await store.checkpoint();
  const [entries, notes, head] = [await allEntries(store), await store.checkpoints(), await store.head()];
  const linesOf = (chosen: readonly StoredEntry[], query: string | null): string[] => {
    const first: ExportHead = { ...head, log: store.logId, query, key: pinned };
    const marks = query === null ? notes : [];
    return [
      formatExportLine({ kind: "head", head: first }),
      ...chosen.flatMap((entry) => [
        formatExportLine({ kind: "entry", entry }),
        ...marks
          .filter(({ size }) => size === entry.seq + 1)
          .map((mark) => formatExportLine({ kind: "checkpoint", ...mark })),
      ]),
      formatExportLine({ kind: "end", entries: chosen.length }),
    ];
  };
  whole = linesOf(entries, null);
  excerpt = await excerptOf(store, signer, head.size);
  shorter = await excerptOf(store, signer, notes[0]?.size ?? 0);
  await store.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Every third entry, with what proves that it is in the tree of `size` entries. */
async function excerptOf(store: Store, signer: FileSigner, size: number): Promise<string[]> {
  const { log, key, root, note } = await signedHead(store, signer, size);
  const nodes = await createTreeNodes(size, leafSource(store), nodeHash);
  const chosen = (await allEntries(store)).filter(({ seq }) => seq % 3 === 0 && seq < size);
  const lines = [
    formatExportLine({
      kind: "head",
      head: { log, size, root, query: "entry:3", key, signed: { note, rotations: [] } },
    }),
  ];
  for (const entry of chosen) {
    const path = await nodes.hashes(inclusionPath(entry.seq, size));
    lines.push(formatExportLine({ kind: "entry", entry }), formatExportLine({ kind: "proof", seq: entry.seq, path }));
  }
  return [...lines, formatExportLine({ kind: "end", entries: chosen.length })];
}

async function signedHead(store: Store, signer: FileSigner, size: number) {
  const { root } = await createTreeNodes(size, leafSource(store), nodeHash);
  const note = signCheckpoint({ size, root }, signer, nodeHash);
  return { log: store.logId, key: signer.vkey, root, note };
}

const reading = (lines: readonly string[]) =>
  async function* () {
    yield* lines;
  };

async function verified(lines: readonly string[]) {
  return verifyLog(await exportSource(reading(lines), nodeHash), { pinned, hash: nodeHash, verifier: nodeVerifier });
}

/** Positions of lines of one kind. */
function at(lines: readonly string[], kind: string): number[] {
  return lines.flatMap((line, index) => (parseExportLine(line).kind === kind ? [index] : []));
}

describe("an export", () => {
  it("[L5~] verifies offline by the key alone, up to its last checkpoint", async () => {
    expect(at(whole, "checkpoint").length).toBeGreaterThan(2);
    const answer = await verified(whole);
    expect(answer).toMatchObject({ status: "verified", unsigned: 0, faults: [] });
    expect(answer.size).toBe(at(whole, "entry").length);
  });

  it("[L3~] shows what was done to it", async () => {
    const entries = at(whole, "entry");
    const [third = 0, fourth = 0] = entries.slice(3);
    const faultsOf = async (lines: readonly string[]) => (await verified(lines)).faults.map(({ fault }) => fault);
    expect(await faultsOf(whole.with(third, (whole[third] ?? "").replace("call.", "coll.")))).toContain("changed");
    expect(await faultsOf(whole.with(third, (whole[third] ?? "").replace('"bytes":"', '"bytes":" ')))).toContain(
      "changed",
    );
    expect(await faultsOf(whole.toSpliced(third, 1))).toContain("missing");
    expect(await faultsOf(whole.with(third, whole[fourth] ?? "").with(fourth, whole[third] ?? ""))).toContain(
      "reordered",
    );
    expect(await faultsOf(whole.slice(0, entries.at(-3)))).toContain("truncated");
    const bare = await verified(whole.filter((_, index) => !at(whole, "checkpoint").includes(index)));
    expect(bare.status).toBe("self-consistent");
  });

  it("a file that is none is refused", async () => {
    await expect(exportSource(reading(["{}"]), nodeHash)).rejects.toMatchObject({ code: "log.malformed" });
    await expect(exportSource(reading(whole.slice(1)), nodeHash)).rejects.toMatchObject({ code: "log.malformed" });
    await expect(exportSource(reading([]), nodeHash)).rejects.toMatchObject({ code: "log.malformed" });
  });
});

const checked = (lines: readonly string[], key: string | null = pinned, kept: readonly string[] = []) =>
  checkExcerpt(reading(lines), {
    hash: nodeHash,
    verifier: nodeVerifier,
    ...(key === null ? {} : { pinned: key }),
    kept,
  });

describe("an excerpt", () => {
  it("[L2~] proves each of its entries by the key alone, and without one says that the signer is not proven", async () => {
    const size = at(whole, "entry").length;
    const entries = at(excerpt, "entry").length;
    expect(await checked(excerpt)).toMatchObject({ status: "verified", entries, size, key: pinned, faults: [] });
    expect(await checked(excerpt, null)).toMatchObject({ status: "self-consistent", key: pinned, faults: [] });
    await expect(exportSource(reading(excerpt), nodeHash)).rejects.toThrow(/an excerpt/);
    await expect(checked(whole)).rejects.toThrow(/a whole export/);
  });

  it("[L3~] shows what was done to it, and names it", async () => {
    const faultsOf = async (lines: readonly string[], key: string | null = pinned) => {
      const { status, faults } = await checked(lines, key);
      expect(status).toBe("faulty");
      return faults.map(({ fault, where }) => `${fault} ${where}`);
    };
    const bent = (line: number, from: string | RegExp, to: string): string[] => {
      const changed = (excerpt[line] ?? "").replace(from, to);
      expect(changed).not.toBe(excerpt[line]);
      return excerpt.with(line, changed);
    };
    const entries = at(excerpt, "entry");
    const [first = 0, second = 0] = entries;
    const withPart = excerpt.findIndex((line) => line.includes('"bytes":"'));
    const swapped = (one: number, other: number) =>
      excerpt.with(one, excerpt[other] ?? "").with(other, excerpt[one] ?? "");
    const end = (number: number) => `{"end":{"entries":${number}}}`;
    // The proof of another entry, under this one's number.
    const proofOf = (line: number) => (excerpt[line + 1] ?? "").replace(/"seq":\d+/, `"seq":${first === line ? 3 : 0}`);
    const table: readonly (readonly [what: string, lines: readonly string[], named: string])[] = [
      ["an entry changed", bent(second, "call.", "coll."), "changed proof"],
      ["an entry's number changed", bent(second, /"seq":\d+/, '"seq":4'), "reordered proof"],
      ["a part changed", bent(withPart, '"bytes":"', '"bytes":" '), "changed key"],
      ["parts taken out", bent(withPart, /"parts":\[.*\]/, '"parts":[]'), "missing key"],
      ["a proof changed", bent(second + 1, /"path":\["[^"]*"/, `"path":["${"A".repeat(43)}="`), "changed proof"],
      ["proofs swapped", excerpt.with(first + 1, proofOf(second)).with(second + 1, proofOf(first)), "changed proof"],
      ["proof lines swapped", swapped(first + 1, second + 1), "reordered proof"],
      ["a proof taken out", excerpt.toSpliced(second + 1, 1), "missing proof"],
      ["a proof of another tree", excerpt.with(second + 1, shorter[second + 1] ?? ""), "changed proof"],
      [
        "entries swapped with their proofs",
        [...swapped(first, second)]
          .with(first + 1, excerpt[second + 1] ?? "")
          .with(second + 1, excerpt[first + 1] ?? ""),
        "reordered seq",
      ],
      ["an entry taken out", excerpt.toSpliced(second, 2), "truncated end"],
      ["its end cut off", excerpt.slice(0, -1), "truncated end"],
      ["cut off behind an entry", excerpt.slice(0, second + 1), "missing proof"],
      [
        "an entry twice",
        [...excerpt.slice(0, -1), ...excerpt.slice(second, second + 2), end(entries.length + 1)],
        "reordered seq",
      ],
      ["an entry behind its end", [...excerpt, ...excerpt.slice(second, second + 2)], "inserted file"],
      ["the note taken out", bent(0, /,"note":"[^"]*"/, ""), "missing checkpoint"],
      ["the note changed", bent(0, /"note":"saferun/, '"note":"saferum'), "bad-signature checkpoint"],
      ["the note of another tree of the same log", excerpt.with(0, shorter[0] ?? ""), "changed proof"],
      ["the size changed", bent(0, /"size":\d+/, '"size":9999'), "changed head"],
      ["the root changed", bent(0, /"root":"[^"]*"/, `"root":"${"A".repeat(43)}="`), "changed head"],
      ["the log's id changed", bent(0, /"log":"./, '"log":"g'), "changed header"],
    ];
    for (const [what, lines, named] of table)
      expect([what, await faultsOf(lines)]).toEqual([what, expect.arrayContaining([named])]);
  });

  it("[L3~] signed by another key is not that key's, whichever key it names", async () => {
    const other = createFileSigner(join(root, "other"), pinned.split("+")[0]);
    const resigned = await forged(other);
    expect((await checked(resigned, null)).status).toBe("self-consistent");
    expect((await checked(resigned)).faults.map(({ fault }) => fault)).toEqual(["bad-signature"]);
    expect((await checked(excerpt, other.vkey)).faults.map(({ fault }) => fault)).toEqual(["bad-signature"]);
    await expect(checked(excerpt, "no key")).rejects.toMatchObject({ code: "option.invalid" });
  });

  it("is held against a checkpoint over as many entries that was kept elsewhere", async () => {
    const { head } = parseHead(excerpt);
    const kept = head.signed?.note ?? "";
    expect(await checked(excerpt, pinned, [kept])).toMatchObject({ status: "verified", anchored: true });
    expect(await checked(excerpt, pinned, [parseHead(shorter).head.signed?.note ?? ""])).toMatchObject({
      status: "verified",
      anchored: false,
    });
    const forked = signCheckpoint({ size: head.size, root: new Uint8Array(32) }, signer, nodeHash);
    expect((await checked(excerpt, pinned, [forked])).faults).toMatchObject([
      { fault: "forked", where: "kept checkpoint" },
    ]);
  });
});

function parseHead(lines: readonly string[]) {
  const line = parseExportLine(lines[0] ?? "");
  if (line.kind !== "head") throw new Error("no head");
  return line;
}

/** The excerpt with everything that a signature covers signed by somebody else. */
async function forged(other: FileSigner): Promise<string[]> {
  const { head } = parseHead(excerpt);
  const note = signCheckpoint(head, other, nodeHash);
  const own = { ...head, key: other.vkey, signed: { note, rotations: [] } };
  return excerpt.with(0, formatExportLine({ kind: "head", head: own }));
}
