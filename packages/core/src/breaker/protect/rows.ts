/** The state rows of the protections with their types: what each kind's value holds, and under which id it stands. */

import { LIMITS } from "../../limits.ts";
import type { StateRows } from "../../ports.ts";
import { isEffectful } from "../../traits.ts";
import { canonicalJson, type Json } from "../../value/json.ts";
import type { Hold, HoldPart, ModelHold, Pot } from "../budget/hold.ts";
import { type Breaker, CLOSED } from "../latch.ts";
import { type Act, type Acts, actBucket, actKey, fromEarlierActs } from "../loop/acts.ts";
import type { AgentHistory } from "../loop/agent.ts";
import type { Bucket } from "../loop/buckets.ts";
import type { CallKeys } from "../loop/fingerprint.ts";
import { fromEarlierCounts, fromEarlierNumbers, newRun, type RunHistory } from "../loop/history.ts";
import type { Stop } from "../stop.ts";
import { readAgent, writeAgent } from "./agent-rows.ts";
import { type Earlier, pairsOf } from "./earlier.ts";
import { DAY_MS, KEPT_MS, keptUntil } from "./kept.ts";
import type { BreakerScope } from "./objection.ts";

/** One root run, its sub-agents included. */
export interface RunRow {
  readonly history: RunHistory;
  /** Millionths of a dollar for models. */
  readonly usd: { readonly held: bigint; readonly spent: bigint };
  /** What people said to it; absent: nothing yet. */
  readonly heard?: Heard;
}

/** Salted digests, the latest last: words that are no news. */
export interface Heard {
  readonly salt: string;
  readonly said: readonly string[];
}

/** Undefined where the run has heard nothing. */
export function runRowSalt(value: Json | undefined): string | undefined {
  return (value as { readonly heard?: Heard } | null | undefined)?.heard?.salt;
}

/** All stops in force: one row, which every call reads. */
export interface StopBoard {
  readonly epoch: number;
  readonly stops: readonly Stop[];
}

const BOARD = "board";
const NOTHING_SPENT: RunRow["usd"] = { held: 0n, spent: 0n };
/** Longer than the longest window that the calendar ends; the others say themselves how long they are. */
const WINDOW_MS = 62 * DAY_MS;

/** Breakers belong to an environment: a tool that fails in staging is not ill in production. */
export function breakerRowId(scope: BreakerScope, environment: string, name: string): string {
  return canonicalJson(scope === "run" ? [scope, name] : [scope, environment, name]);
}

/** What a breaker's id says. Undefined for what is none. */
export function parseBreakerRowId(id: string): { readonly scope: BreakerScope; readonly name: string } | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(id);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts) || parts.some((part) => typeof part !== "string")) return undefined;
  const [scope, ...names] = parts as string[];
  const name = names.at(-1);
  if (name === undefined || (scope !== "tool" && scope !== "agent" && scope !== "run")) return undefined;
  return { scope, name };
}

export function agentRowId(environment: string, agent: string): string {
  return canonicalJson([environment, agent]);
}

/** What one run did stands beside what agents did: no id of theirs has three members. */
function actsRowId(root: string, bucket: string | number): string {
  return canonicalJson(["run", root, String(bucket)]);
}

/** Reads and writes through one transaction. `now` is the store's time. */
export class ProtectionRows {
  readonly #rows: StateRows;
  readonly #now: number;

  constructor(rows: StateRows, now: number) {
    this.#rows = rows;
    this.#now = now;
  }

  board(): StopBoard {
    return (this.#rows.get("stops", BOARD) as StopBoard | undefined) ?? { epoch: 0, stops: [] };
  }

  setBoard(board: StopBoard): void {
    this.#rows.put("stops", BOARD, json(board), null);
  }

  /** `keys`: of the call whose act is of interest; others are not read. */
  run(root: string, keys?: Pick<CallKeys, "kind" | "identityKey" | "callKey">): RunRow {
    const row = this.#rows.get("run", root) as StoredRun | undefined;
    const history = row === undefined ? newRun(this.#now) : readHistory(row.history);
    const usd = row === undefined ? NOTHING_SPENT : { held: BigInt(row.usd.held), spent: BigInt(row.usd.spent) };
    const heard = row?.heard === undefined ? {} : { heard: row.heard };
    if (keys === undefined || !isEffectful(keys.kind)) return { history, usd, ...heard };
    const bucket = actBucket(actKey(keys));
    const acts = { [bucket]: this.#acts(root, bucket) ?? [], ...history.acts };
    return { history: { ...history, acts }, usd, ...heard };
  }

  /** What the run did has rows of its own: a call writes the one that it touches. */
  setRun(root: string, { usd, history, ...run }: RunRow): void {
    const { acts, ...kept } = history;
    const value = { history: kept, ...run, usd: { held: String(usd.held), spent: String(usd.spent) } };
    this.#rows.put("run", root, json(value), keptUntil(this.#now, KEPT_MS));
    for (const [bucket, done] of Object.entries(acts)) {
      if (done.length === 0 || this.#acts(root, bucket) === done) continue;
      this.#rows.put("act", actsRowId(root, bucket), json(done), keptUntil(this.#now, KEPT_MS));
    }
  }

  #acts(root: string, bucket: string | number): Bucket<Act> | undefined {
    return this.#rows.get("act", actsRowId(root, bucket)) as Bucket<Act> | undefined;
  }

  /** A run that joins again, because it goes on elsewhere, moves nothing. */
  join(root: string, run: string): void {
    const runs = treeOf(this.#rows.get("tree", root));
    if (!runs.includes(run) && runs.length <= LIMITS.historyRuns) {
      this.#rows.put("tree", root, json([...runs, run]), null);
    }
  }

  /** `keys`: of the call whose tool and recipients are of interest; others are not read. */
  agent(id: string, keys?: Pick<CallKeys, "tool" | "recipients">): AgentHistory {
    return readAgent(this.#rows, id, this.#now, keys);
  }

  /** `rateMs`: how long the calls of a tool count. */
  setAgent(id: string, agent: AgentHistory, rateMs = 0): void {
    writeAgent(this.#rows, id, this.#now, agent, rateMs);
  }

  breaker(id: string): Breaker {
    return (this.#rows.get("breaker", id) as Breaker | undefined) ?? CLOSED;
  }

  setBreaker(id: string, breaker: Breaker): void {
    // What is open or stopped stays until it is closed.
    this.#rows.put("breaker", id, json(breaker), breaker.state === "closed" ? keptUntil(this.#now, DAY_MS) : null);
  }

  act(agent: string, identityKey: string): Act | null {
    const act = this.#rows.get("act", canonicalJson([agent, identityKey])) as Act | undefined;
    return act === undefined || act.at <= this.#now - DAY_MS ? null : act;
  }

  setAct(agent: string, identityKey: string, act: Act | null): void {
    this.#rows.put("act", canonicalJson([agent, identityKey]), json(act), this.#now + DAY_MS);
  }

  pot(id: string): Pot | undefined {
    const row = this.#rows.get("pot", id);
    return row === undefined ? undefined : decodePot(row);
  }

  setPot(pot: Pot): void {
    this.#rows.put("pot", pot.id, encodePot(pot), isForEver(pot.id) ? null : this.#now + keptMs(pot.id));
  }

  hold(id: string): Hold | undefined {
    const row = this.#rows.get("hold", id);
    return row === undefined ? undefined : decodeHold(row);
  }

  setHold(hold: Hold): void {
    this.#rows.put("hold", hold.id, encodeHold(hold), dueOf(hold, this.#now));
  }

  dropHold(id: string): void {
    this.#rows.put("hold", id, null, null);
  }
}

/**
 * A model's hold is looked at after its deadline, since nothing else ends it; a call's ends with its call. One that is over
 * goes with its pots.
 */
function dueOf(hold: Hold, now: number): number | null {
  if (hold.state === "held") return hold.model === undefined ? null : hold.deadline;
  if (hold.parts.some(({ pot }) => isForEver(pot))) return null;
  return now + Math.max(WINDOW_MS, ...hold.parts.map(({ pot }) => keptMs(pot)));
}

/** Twice the window: no pot goes while it counts. */
function keptMs(pot: string): number {
  const [, ms = "0"] = /,"(?:fixed|sliding) (\d+)[^"]*"\]$/.exec(pot) ?? [];
  return Math.max(WINDOW_MS, 2 * Number(ms));
}

/** The last part of a pot's id is its window (`potId`). */
function isForEver(pot: string): boolean {
  return pot.endsWith(',"ever"]');
}

/** As `setRun` writes it. */
interface StoredRun {
  readonly history: StoredHistory;
  readonly usd: { readonly held: string; readonly spent: string };
  readonly heard?: Heard;
}

/** Rows of older stores count calls in lists and maps, and hold the run's acts; the oldest never took waiting off. */
type StoredHistory = Omit<RunHistory, "counts" | "acts" | "waitedTo"> & {
  readonly counts: RunHistory["counts"] | readonly number[] | Earlier<number>;
  readonly acts?: Earlier<Act>;
  readonly waitedTo?: number;
};

function readHistory(stored: StoredHistory): RunHistory {
  const { acts: earlier, waitedTo = stored.startedAt } = stored;
  const acts: Acts = earlier === undefined ? {} : fromEarlierActs(pairsOf(earlier));
  return { ...stored, waitedTo, counts: readCounts(stored.counts), acts };
}

function readCounts(counts: StoredHistory["counts"]): string {
  if (typeof counts === "string") return counts;
  return isNumbers(counts) ? fromEarlierNumbers(counts) : fromEarlierCounts(pairsOf(counts));
}

function isNumbers(counts: readonly number[] | Earlier<number>): counts is readonly number[] {
  return Array.isArray(counts) && typeof counts[0] === "number";
}

/** The runs of a root's sub-agents, as its row `tree` lists them; more than `LIMITS.historyRuns`: there are others. */
export function treeOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((id) => typeof id === "string") : [];
}

/** Immutable data that is JSON by its type. */
function json(value: object | null): Json {
  return value as Json;
}

/** As they are stored: integers beyond 2^53 as texts. */
type StoredPart = { readonly pot: string; readonly amount: string };
type StoredCounts = { readonly held: string; readonly spent: string };
type StoredPot = Omit<Pot, "held" | "spent" | "limit" | "raised" | "lent" | "sliding"> &
  StoredCounts & {
    readonly limit: string;
    readonly raised: string;
    readonly lent?: string;
    readonly sliding?: { readonly ms: number; readonly slices: readonly (StoredCounts & { readonly start: number })[] };
  };

function encodePot({ sliding, limit, raised, lent = 0n, ...pot }: Pot): Json {
  const loan = lent === 0n ? {} : { lent: String(lent) };
  const stored = { ...encodeCounts(pot), limit: String(limit), raised: String(raised), ...loan };
  return json(
    sliding === undefined ? stored : { ...stored, sliding: { ...sliding, slices: sliding.slices.map(encodeCounts) } },
  );
}

export function decodePot(value: Json): Pot {
  const { sliding, limit, raised, lent, ...stored } = value as object as StoredPot;
  const loan = lent === undefined ? {} : { lent: BigInt(lent) };
  const pot = { ...decodeCounts(stored), limit: BigInt(limit), raised: BigInt(raised), ...loan };
  return sliding === undefined ? pot : { ...pot, sliding: { ...sliding, slices: sliding.slices.map(decodeCounts) } };
}

function encodeCounts<Of extends { readonly held: bigint; readonly spent: bigint }>(of: Of) {
  return { ...of, held: String(of.held), spent: String(of.spent) };
}

function decodeCounts<Of extends StoredCounts>(of: Of) {
  return { ...of, held: BigInt(of.held), spent: BigInt(of.spent) };
}

function encodeHold(hold: Hold): Json {
  const model = hold.model === undefined ? {} : { model: { ...hold.model, usdMicros: String(hold.model.usdMicros) } };
  const stored = { ...hold, ...model, parts: hold.parts.map(encodePart) };
  return json(hold.state === "settled" ? { ...stored, spent: hold.spent.map(encodePart) } : stored);
}

type StoredHold = Omit<Hold, "parts" | "model"> & {
  readonly parts: readonly StoredPart[];
  readonly spent?: readonly StoredPart[];
  readonly model?: Omit<ModelHold, "usdMicros"> & { readonly usdMicros: string };
};

export function decodeHold(value: Json): Hold {
  const { spent, model, ...stored } = value as object as StoredHold;
  const of = model === undefined ? {} : { model: { ...model, usdMicros: BigInt(model.usdMicros) } };
  const hold = { ...stored, ...of, parts: stored.parts.map(decodePart) };
  return (spent === undefined ? hold : { ...hold, spent: spent.map(decodePart) }) as Hold;
}

function encodePart({ pot, amount }: HoldPart): StoredPart {
  return { pot, amount: String(amount) };
}

function decodePart({ pot, amount }: StoredPart): HoldPart {
  return { pot, amount: BigInt(amount) };
}
