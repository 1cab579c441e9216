import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExportLine, formatExportLine } from "@saferun/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openExportFile } from "./export-file.ts";
import type { ExportPlan } from "./export-plan.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "saferun-export-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const head = { log: "l", size: 5, root: new Uint8Array(32), query: null, key: null };
const plan: ExportPlan = { format: "jsonl", unsealed: false, now: 1, head };
const entry = (seq: number): ExportLine => ({
  kind: "entry",
  entry: { seq, header: new TextEncoder().encode(`{"n":"é${seq}"}`), parts: [] },
});
const mark = (size: number): ExportLine => ({ kind: "checkpoint", size, note: "a\nb" });
const LINES: readonly ExportLine[] = [
  { kind: "head", head },
  entry(0),
  entry(1),
  mark(2),
  entry(2),
  entry(3),
  entry(4),
  mark(5),
  { kind: "end", entries: 5 },
];

const signed = { ...head, query: "tool:a", signed: { note: "a\nb", rotations: [{ seq: 1, note: "c" }] } };
const proof = (seq: number): ExportLine => ({ kind: "proof", seq, path: [new Uint8Array(32).fill(seq)] });
const EXCERPT: readonly ExportLine[] = [
  { kind: "head", head: signed },
  entry(1),
  proof(1),
  entry(3),
  proof(3),
  { kind: "end", entries: 2 },
];

/** Writes what is missing, as the command does. */
async function finish(path: string, resume: boolean, lines = LINES, of = plan): Promise<void> {
  const file = openExportFile(path, of, resume);
  if (file === "complete") throw new Error("complete");
  const { start } = file;
  const missing = lines.filter((line) => {
    if (line.kind === "head") return start.isNew;
    if (line.kind === "entry") return line.entry.seq >= start.next;
    if (line.kind === "proof") return line.seq >= start.next;
    return line.kind === "checkpoint" ? line.size > start.checkpoint : !start.isWhole;
  });
  for (const line of missing) await file.write(`${formatExportLine(line)}\n`);
  expect(start.entries + missing.filter(({ kind }) => kind === "entry").length).toBe(
    lines.filter(({ kind }) => kind === "entry").length,
  );
  await file.end();
}

describe("a file that is exported to", () => {
  it.each([
    ["the whole log", LINES, plan],
    ["an excerpt, each entry with its proof", EXCERPT, { ...plan, head: signed }],
  ])("[L5~] is the same in the end, wherever it was cut off: %s", async (_, lines, of) => {
    const path = join(directory, "whole");
    await finish(path, false, lines, of);
    const whole = readFileSync(path);
    const begun = openExportFile(join(directory, "begun"), of, false);
    expect(begun).not.toBe("complete");
    const note = readFileSync(join(directory, "begun.resume"));
    for (let cut = 0; cut <= whole.length; cut++) {
      const file = join(directory, `cut-${cut}`);
      writeFileSync(file, whole);
      truncateSync(file, cut);
      writeFileSync(`${file}.resume`, note);
      await finish(file, true, lines, of);
      expect(readFileSync(file).equals(whole)).toBe(true);
      expect(existsSync(`${file}.resume`)).toBe(false);
    }
  });

  it("is never written over, and goes on only as what it was begun as", async () => {
    const path = join(directory, "file");
    expect(() => openExportFile(path, plan, true)).toThrow(/to go on with/);
    openExportFile(path, plan, false);
    expect(() => openExportFile(path, plan, false)).toThrow(/was cut off: go on with --resume/);
    expect(() => openExportFile(path, { ...plan, format: "csv" }, true)).toThrow(/with another store, format or query/);
    expect(() => openExportFile(path, { ...plan, head: { ...head, log: "m" } }, true)).toThrow(/with another store/);
    expect(() => openExportFile(path, { ...plan, unsealed: true }, true)).toThrow(/begun without --unseal/);
    writeFileSync(`${path}.resume`, "{}");
    expect(() => openExportFile(path, plan, true)).toThrow(/does not say what was exported/);
    rmSync(`${path}.resume`);
    expect(() => openExportFile(path, plan, false)).toThrow(/exists: name another file/);
    expect(openExportFile(path, plan, true)).toBe("complete");
  });
});
