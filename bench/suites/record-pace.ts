/** How fast a log grows: as fast as it goes, at a steady pace, and at its size against an empty one. */
import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import type { Store } from "@saferun/core";
import {
  createCheckpointer,
  createFileSigner,
  nodeClock,
  openSqliteStore,
  type SearchIndex,
  signingKeyPath,
  startSearchIndex,
} from "@saferun/store";
import { type Figures, figures, median } from "../measure.ts";
import { load, oneCall, PER_CALL } from "./record-load.ts";

export const PACED_PER_SECOND = 2_000;
const PACED_MS = 10_000;
const DECLARED = ["amount", "customer.id"];
/** Entries of one turn of the comparison, and turns. */
const TURN = 20_000;
const TURNS = 5;

/** A store whose entries are signed while its index follows. */
export interface Recorded {
  readonly store: Store;
  readonly index: SearchIndex;
  /** Public key, to be pinned. */
  readonly key: string;
  close(): Promise<void>;
}

export function openRecord(directory: string): Recorded {
  const below = openSqliteStore({ directory });
  const signer = createFileSigner(signingKeyPath(directory));
  const store = createCheckpointer(below, signer);
  const index = startSearchIndex({ directory, declarations: { index: DECLARED } });
  return {
    store,
    index,
    key: signer.vkey,
    async close() {
      await index.close();
      await store.close();
    },
  };
}

export interface Fill {
  /** Entries a second, for each tenth. */
  readonly rates: readonly number[];
  readonly caughtUpMs: number;
}

/** Brings the log to so many entries; undefined where it has them. */
export async function fill({ store, index }: Recorded, entries: number): Promise<Fill | undefined> {
  const { size } = await store.head();
  if (size >= entries) return undefined;
  const { rates } = await load(store, entries - size, Math.ceil(size / PER_CALL));
  return { rates, caughtUpMs: await catchUp(index) };
}

export interface AtSize {
  /** Entries a second, of this log and of an empty one: medians of turns. */
  readonly full: number;
  readonly empty: number;
  /** Of the two in one turn, each with its index behind it. */
  readonly ratio: number;
  /** Milliseconds from the end of a turn's load until the index had it, the longest. */
  readonly caughtUpMs: number;
}

/** In turns, so that what slows the machine down for a while hits both. */
export async function atSize(recorded: Recorded): Promise<AtSize> {
  const turns: { readonly full: number; readonly empty: number; readonly caughtUpMs: number }[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const { rate: empty } = await withEmpty((other) => appended(other));
    const { rate: full, caughtUpMs } = await appended(recorded);
    turns.push({ empty, full, caughtUpMs });
  }
  return {
    full: median(turns.map(({ full }) => full)),
    empty: median(turns.map(({ empty }) => empty)),
    ratio: median(turns.map(({ full, empty }) => full / empty)),
    caughtUpMs: Math.max(...turns.map(({ caughtUpMs }) => caughtUpMs)),
  };
}

async function withEmpty<Value>(work: (recorded: Recorded) => Promise<Value>): Promise<Value> {
  const directory = mkdtempSync(path.join(import.meta.dirname, ".record-"));
  const recorded = openRecord(directory);
  try {
    return await work(recorded);
  } finally {
    await recorded.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function appended({ store, index }: Recorded): Promise<{ readonly rate: number; readonly caughtUpMs: number }> {
  const { size } = await store.head();
  const { rates } = await load(store, TURN, size);
  return { rate: median(rates), caughtUpMs: await catchUp(index) };
}

/** Milliseconds until the index holds what the log held when it was asked. */
export async function catchUp(index: SearchIndex): Promise<number> {
  const start = performance.now();
  const { size } = await index.position();
  while ((await index.position()).indexed < size) await nodeClock.sleep(10);
  return performance.now() - start;
}

export interface Paced {
  /** Milliseconds of each. */
  readonly commits: Figures;
  /** Milliseconds from a commit until the index held it. */
  readonly lags: Figures;
}

/** So many entries a second for a while, whether or not those before are done. */
export async function pace({ store, index }: Recorded): Promise<Paced> {
  const { size } = await store.head();
  const commits: number[] = [];
  const lags: number[] = [];
  let waiting: { readonly size: number; readonly at: number }[] = [];
  const pending: Promise<void>[] = [];
  const start = performance.now();
  const call = async (number: number) => {
    const after = await oneCall(store, number, (ms) => commits.push(ms));
    waiting.push({ size: after, at: performance.now() });
  };
  for (let made = 0; performance.now() - start < PACED_MS || waiting.length > 0; ) {
    const due = (Math.min(PACED_MS, performance.now() - start) / 1_000) * (PACED_PER_SECOND / PER_CALL);
    for (; made < due; made++) pending.push(call(size + made));
    await nodeClock.sleep(5);
    const { indexed } = await index.position();
    for (const { size: wanted, at } of waiting) if (wanted <= indexed) lags.push(performance.now() - at);
    waiting = waiting.filter(({ size: wanted }) => wanted > indexed);
  }
  await Promise.all(pending);
  return { commits: figures(commits), lags: figures(lags) };
}
