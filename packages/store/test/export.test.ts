import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  checkExcerpt,
  type ExportHead,
  exportSource,
  formatExportLine,
  parseExportLine,
  type StoredEntry,
  verifyLog,
} from "@saferun/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCheckpointer } from "../src/checkpointer.ts";
import { createFileSigner, nodeVerifier } from "../src/node/file-signer.ts";
import { nodeHash } from "../src/node/ports.ts";
import { openSqliteStore } from "../src/sqlite/sqlite-store.ts";
import { allEntries, calls } from "./search-log.ts";

let root: string;
let pinned: string;
let whole: string[];
let excerpt: string[];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "saferun-export-"));
  const signer = createFileSigner(join(root, "key"));
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
  excerpt = linesOf(
    entries.filter(({ seq }) => seq % 3 === 0),
    "entry:3",
  );
  await store.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

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

  it("an excerpt says what it can: its content, its order, its end", async () => {
    const faultsOf = async (lines: readonly string[]) =>
      (await checkExcerpt(reading(lines), nodeHash)).faults.map(({ fault }) => fault);
    expect(await faultsOf(excerpt)).toEqual([]);
    await expect(exportSource(reading(excerpt), nodeHash)).rejects.toThrow(/an excerpt/);
    const [first = 0, second = 0] = at(excerpt, "entry");
    expect(await faultsOf(excerpt.slice(0, -1))).toEqual(["truncated"]);
    expect(await faultsOf(excerpt.toSpliced(first, 1))).toEqual(["truncated"]);
    expect(await faultsOf(excerpt.with(first, excerpt[second] ?? "").with(second, excerpt[first] ?? ""))).toEqual([
      "reordered",
    ]);
    const withPart = excerpt.findIndex((line) => line.includes('"bytes":"'));
    expect(
      await faultsOf(excerpt.with(withPart, (excerpt[withPart] ?? "").replace('"bytes":"', '"bytes":" '))),
    ).toEqual(["changed"]);
    expect(
      await faultsOf(excerpt.with(withPart, (excerpt[withPart] ?? "").replace(/"parts":\[.*\]/, '"parts":[]'))),
    ).toContain("missing");
  });

  it("a file that is none is refused", async () => {
    await expect(exportSource(reading(["{}"]), nodeHash)).rejects.toMatchObject({ code: "log.malformed" });
    await expect(exportSource(reading(whole.slice(1)), nodeHash)).rejects.toMatchObject({ code: "log.malformed" });
    await expect(exportSource(reading([]), nodeHash)).rejects.toMatchObject({ code: "log.malformed" });
  });
});
