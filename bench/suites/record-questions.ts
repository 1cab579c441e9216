/** What a log of this size is asked: searches, an export, a verification. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openSearch, type Search } from "@saferun/store";
import { figures, median } from "../measure.ts";
import { atLeast, atMost, type Row, row } from "../report.ts";
import { PER_CALL } from "./record-load.ts";
import { REPORTING, type Used, usedIn } from "./used.ts";

const BIN = path.join(import.meta.dirname, "../../packages/cli/bin/saferun.mjs");
const ASKED = 60;
const MILLION = 1_000_000;

export async function searching(directory: string, entries: number): Promise<Row[]> {
  const search = await openSearch({ directory });
  try {
    return [...groups(search, entries / PER_CALL), row(...scanned(directory))];
  } finally {
    search.close();
  }
}

/** `calls`: how many were made one after another from number 0. */
function groups(search: Search, calls: number): Row[] {
  const some = (at: number) => Math.floor((at * calls) / ASKED);
  const ask = (query: string) => {
    const start = performance.now();
    const answer = search.search({ query, limit: 50, now: Date.now() });
    return { took: performance.now() - start, items: answer.items.length };
  };
  const group = (what: string, limit: number, queryOf: (at: number) => string): Row => {
    const answers = Array.from({ length: ASKED }, (_, at) => ask(queryOf(at)));
    if (answers.every(({ items }) => items === 0)) throw new Error(`\`${queryOf(0)}\` found nothing`);
    return row(`${what}, p95`, figures(answers.map(({ took }) => took)).p95, "ms", atMost(limit));
  };
  const columns = [
    (at: number) => `tool:stripe.* verdict:deny rule:t${at % 40}.r1`,
    (at: number) => `run:run_${hex(Math.floor(some(at) / 20))}`,
    (at: number) => `agent:support -verdict:allow step:${at % 20}`,
    (at: number) => `call:call_${hex(some(at))}`,
  ];
  return [
    group("search by the entries' own columns", 300, (at) => columns[at % columns.length]?.(at) ?? ""),
    group("search by a declared argument, one value", 300, (at) => `args.customer.id:c_${some(at) % 50_000}`),
    group(
      "search by a declared argument, a range with a verdict",
      300,
      (at) => `args.amount>${99_000 + at} verdict:deny`,
    ),
    group("full text, a selective word", 300, (at) => `T${(some(at) * 31) % 1_000_003}`),
    group("full text, a phrase with a selective word", 300, (at) => `"order ${1_000 + Math.floor(some(at) * 0.9)}"`),
    group(
      "full text, first page of a word in every sixth call",
      500,
      (at) => ["duplicate", "damaged", "parcel"][at % 3] ?? "",
    ),
    group("all together", 300, () => 'tool:stripe.* verdict:deny args.amount>50000 "duplicate charge"'),
  ];
}

function hex(number: number): string {
  return number.toString(16).padStart(12, "0");
}

/** What one would do without an index. */
function scanned(directory: string): [what: string, value: number, unit: string] {
  const db = new DatabaseSync(path.join(directory, "log.db"), { readOnly: true });
  const statement = db.prepare("SELECT count(*) FROM parts WHERE CAST(bytes AS TEXT) LIKE '%T3100 %'");
  const samples = [1, 2, 3].map(() => {
    const start = performance.now();
    statement.get();
    return performance.now() - start;
  });
  db.close();
  return ["the same selective word by a scan of the payloads (SQL LIKE)", median(samples), "ms"];
}

export function exporting(directory: string, size: number): Row[] {
  const target = mkdtempSync(path.join(import.meta.dirname, ".export-"));
  try {
    const runs = [1, 2, 3].map((number) => {
      const file = path.join(target, `${number}.jsonl`);
      const taken = timed(["log", "export", "--store", directory, "--out", file], target);
      rmSync(file);
      return taken;
    });
    return [
      row(
        "entries exported a second as JSON lines, the command as people run it",
        size / median(runs.map(({ seconds }) => seconds)),
        "1/s",
        atLeast(50_000),
      ),
      row("… per second of processor time", size / median(runs.map(({ cpuSeconds }) => cpuSeconds)), "1/s"),
    ];
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

/** Entries, contents, chains, signatures, and the rows of runs and calls beside them. */
export function verifying(directory: string, key: string, size: number): Row[] {
  const target = mkdtempSync(path.join(import.meta.dirname, ".verify-"));
  try {
    const runs = [1, 2, 3].map(() => timed(["log", "verify", "--store", directory, "--pin", key], target));
    const seconds = median(runs.map((run) => run.seconds));
    const limit = (30 * size) / MILLION;
    return [
      row(`${size} entries verified, the command as people run it`, seconds, "s", (value) => ({
        text: `≤ ${shown(limit)}`,
        holds: value <= limit,
      })),
      row("… in processor time", median(runs.map(({ cpuSeconds }) => cpuSeconds)), "s"),
      row("… peak memory of the process", median(runs.map(({ megabytes }) => megabytes)), "MB", atMost(300)),
    ];
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

function shown(seconds: number): string {
  return String(Math.round(seconds * 10) / 10);
}

interface Taken extends Used {
  /** From the start of the process to its end. */
  readonly seconds: number;
}

/** Runs the command; `state` holds what it keeps of this account. */
function timed(words: readonly string[], state: string): Taken {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [`--import=${REPORTING}`, BIN, ...words], {
    encoding: "utf8",
    env: { ...process.env, SAFERUN_STATE_DIR: path.join(state, "state") },
  });
  const seconds = (performance.now() - start) / 1_000;
  if (status !== 0) throw new Error(`\`saferun ${words.join(" ")}\`: ${stdout}${stderr}`);
  return { seconds, ...usedIn(stderr) };
}
