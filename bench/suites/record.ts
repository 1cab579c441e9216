/** The record at size: appending while the index trails, catching up, searching, exporting, verifying. */
import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { ENTRIES, STORE } from "../options.ts";
import { atLeast, atMost, type Report, type Row, row } from "../report.ts";
import { load, PER_CALL } from "./record-load.ts";
import { type AtSize, atSize, type Fill, fill, openRecord, PACED_PER_SECOND, type Paced, pace } from "./record-pace.ts";
import { exporting, searching, verifying } from "./record-questions.ts";
import { growingPrompt } from "./record-run.ts";

/** Appended to a store of its own before anything is measured, so that the code is warm. */
const WARM_UP = 10_000;

export async function record(): Promise<Report> {
  // Beside the sources and not in the system's temporary folder, which may be memory.
  const directory = path.resolve(STORE ?? mkdtempSync(path.join(import.meta.dirname, ".record-")));
  try {
    await warmUp();
    const { rows, size } = await measured(directory);
    return {
      suite: "record",
      how: `a log of ${size} entries, ${PER_CALL} a call, two durable commits a call, 64 calls under way, signed and indexed as it grows`,
      rows: [...rows, ...(await growingPrompt())],
    };
  } finally {
    if (STORE === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

async function warmUp(): Promise<void> {
  const directory = mkdtempSync(path.join(import.meta.dirname, ".record-"));
  const recorded = openRecord(directory);
  try {
    await load(recorded.store, WARM_UP);
  } finally {
    await recorded.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measured(directory: string): Promise<{ readonly rows: Row[]; readonly size: number }> {
  const recorded = openRecord(directory);
  const grown: Row[] = [];
  let size = 0;
  try {
    grown.push(...filling(await fill(recorded, ENTRIES)));
    grown.push(...comparing(await atSize(recorded)), ...pacing(await pace(recorded)));
    size = (await recorded.store.head()).size;
  } finally {
    await recorded.close();
  }
  // Each with nothing else under way.
  const asked = await searching(directory, ENTRIES);
  return {
    size,
    rows: [...grown, ...asked, ...verifying(directory, recorded.key, size), ...exporting(directory, size)],
  };
}

function filling(filled: Fill | undefined): Row[] {
  if (filled === undefined) return [];
  const { rates, caughtUpMs } = filled;
  return [
    row("entries a second, first tenth of the log", rates[0] ?? Number.NaN, "1/s"),
    row("entries a second, last tenth", rates.at(-1) ?? Number.NaN, "1/s"),
    row("the index has caught up, after the end of that load", caughtUpMs, "ms", atMost(10_000)),
  ];
}

function comparing({ full, empty, ratio, caughtUpMs }: AtSize): Row[] {
  return [
    row("entries a second into an empty log", empty, "1/s"),
    row("entries a second into this one, in turns with it", full, "1/s"),
    row("append, full against empty", ratio, "×", atLeast(0.8)),
    row("the index has caught up, after the end of each of these loads, the longest", caughtUpMs, "ms", atMost(10_000)),
  ];
}

function pacing({ commits, lags }: Paced): Row[] {
  const rate = `at ${PACED_PER_SECOND} entries/s`;
  return [
    row(`commit ${rate}, p50`, commits.p50, "ms"),
    row(`commit ${rate}, p99`, commits.p99, "ms", atMost(25)),
    row(`an entry is found ${rate} after, p99`, lags.p99, "ms", atMost(1_000)),
  ];
}
