/** The record at size: appending while the index trails, catching up, searching. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  nodeClock,
  openSearch,
  openSqliteStore,
  type Search,
  type SearchIndex,
  startSearchIndex,
} from "@saferun/store";
import { type Figures, figures, median } from "../measure.ts";
import { ENTRIES } from "../options.ts";
import { atLeast, atMost, type Report, type Row, row } from "../report.ts";
import { load, oneCall, PER_CALL } from "./record-load.ts";

const BIN = path.join(import.meta.dirname, "../../packages/cli/bin/saferun.mjs");
/** Appended before anything is measured, so that the code is warm. */
const WARM_UP = 20_000;
const PACED_PER_SECOND = 2_000;
const PACED_MS = 10_000;
const DECLARED = ["amount", "customer.id"];
const ASKED = 60;

export async function record(): Promise<Report> {
  const entries = ENTRIES;
  // Beside the sources and not in the system's temporary folder, which may be memory.
  const directory = mkdtempSync(path.join(import.meta.dirname, ".record-"));
  const store = openSqliteStore({ directory });
  const index = startSearchIndex({ directory, declarations: { index: DECLARED } });
  try {
    await load(store, WARM_UP, entries);
    const { rates } = await load(store, entries);
    const caughtUp = await catchUp(index);
    const paced = await pace(store, index, entries);
    await catchUp(index);
    const search = await openSearch({ directory });
    const rows = [
      ...appending(rates),
      row("time until the index has caught up with that", caughtUp, "ms", atMost(10_000)),
      row(`commit at ${PACED_PER_SECOND} entries/s, p99`, paced.commits.p99 / 1_000, "ms", atMost(25)),
      row(`an entry is found at ${PACED_PER_SECOND} entries/s after, p99`, paced.lags.p99, "ms", atMost(1_000)),
      ...searching(search, entries),
    ];
    search.close();
    rows.push(
      row(
        "entries exported a second as JSON lines, the command as people run it",
        exported(directory, entries),
        "1/s",
        atLeast(50_000),
      ),
    );
    rows.push(row("the same selective word by a scan of the payloads (SQL LIKE)", scanned(directory), "ms"));
    return {
      suite: "record",
      how: `${entries} entries of ${entries / PER_CALL} calls, two durable commits a call, 64 calls under way, index thread running`,
      rows,
    };
  } finally {
    await index.close();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function appending(rates: readonly number[]): Row[] {
  const [first = Number.NaN, last = Number.NaN] = [rates[0], rates.at(-1)];
  return [
    row("entries a second, first tenth", first, "1/s"),
    row("entries a second, last tenth", last, "1/s"),
    row("last tenth against the first", last / first, "×", atLeast(0.8)),
  ];
}

/** Milliseconds until the index holds what the log held when it was asked. */
async function catchUp(index: SearchIndex): Promise<number> {
  const start = performance.now();
  const { size } = await index.position();
  while ((await index.position()).indexed < size) await nodeClock.sleep(10);
  return performance.now() - start;
}

interface Paced {
  /** Microseconds. */
  readonly commits: Figures;
  /** Milliseconds from a commit until the index held it. */
  readonly lags: Figures;
}

async function pace(store: Parameters<typeof oneCall>[0], index: SearchIndex, from: number): Promise<Paced> {
  const commits: number[] = [];
  const lags: number[] = [];
  let waiting: { readonly size: number; readonly at: number }[] = [];
  const pending: Promise<void>[] = [];
  const start = performance.now();
  const call = async (number: number) => {
    const began = performance.now();
    const size = await oneCall(store, number);
    commits.push(((performance.now() - began) * 1_000) / 2);
    waiting.push({ size, at: performance.now() });
  };
  for (let made = 0; performance.now() - start < PACED_MS || waiting.length > 0; ) {
    const due = (Math.min(PACED_MS, performance.now() - start) / 1_000) * (PACED_PER_SECOND / PER_CALL);
    for (; made < due; made++) pending.push(call(from + made));
    await nodeClock.sleep(5);
    const { indexed } = await index.position();
    for (const { size, at } of waiting) if (size <= indexed) lags.push(performance.now() - at);
    waiting = waiting.filter(({ size }) => size > indexed);
  }
  await Promise.all(pending);
  return { commits: figures(commits), lags: figures(lags) };
}

function searching(search: Search, entries: number): Row[] {
  const calls = entries / PER_CALL;
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
    (at: number) =>
      `run:run_${Math.floor(some(at) / 20)
        .toString(16)
        .padStart(12, "0")}`,
    (at: number) => `agent:support -verdict:allow step:${at % 20}`,
    (at: number) => `call:call_${some(at).toString(16).padStart(12, "0")}`,
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

/** From the start of the process to its end. */
function exported(directory: string, entries: number): number {
  const file = path.join(directory, "export.jsonl");
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [BIN, "log", "export", "--store", directory, "--out", file], {
    encoding: "utf8",
  });
  const seconds = (performance.now() - start) / 1_000;
  if (status !== 0) throw new Error(stderr);
  rmSync(file);
  return entries / seconds;
}

/** What one would do without an index. */
function scanned(directory: string): number {
  const db = new DatabaseSync(path.join(directory, "log.db"), { readOnly: true });
  const statement = db.prepare("SELECT count(*) FROM parts WHERE CAST(bytes AS TEXT) LIKE '%T3100 %'");
  const samples = [1, 2, 3].map(() => {
    const start = performance.now();
    statement.get();
    return performance.now() - start;
  });
  db.close();
  return median(samples);
}
