/** The state rows of the protections with their types: what each kind's value holds, and under which id it stands. */

import { LIMITS } from "../../limits.ts";
import type { StateRows } from "../../ports.ts";
import { isEffectful } from "../../traits.ts";
import { canonicalJson, type Json } from "../../value/json.ts";
import type { Hold, HoldPart, ModelHold, Pot } from "../budget/hold.ts";
import { type Breaker, CLOSED } from "../latch.ts";
import { type Act, type Acts, actBucket, actKey, fromEarlierActs } from "../loop/acts.ts";
import { type AgentHistory, newAgent } from "../loop/agent.ts";
import type { Bucket } from "../loop/buckets.ts";
import { type Contacts, contactBucket, type EarlierContacts, fromEarlierContacts } from "../loop/contacts.ts";
import type { CallKeys } from "../loop/fingerprint.ts";
import { countKey, newRun, type RunHistory } from "../loop/history.ts";
import type { Stop } from "../stop.ts";
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
const HOUR_MS = 3_600_000;
/** How long an act is known to the agent's other runs, and a health breaker that nothing happens to. */
const DAY_MS = 24 * HOUR_MS;
/** How long an act is known to its own run, and a run or an agent that nothing happens to. */
const KEPT_MS = 30 * DAY_MS;
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

/** No agent has these ids: theirs end with a bracket. */
function contactsRowId(agent: string, bucket: string | number): string {
  return `${agent} contacts ${bucket}`;
}

/** Where all recipients of an agent stood before there were buckets. */
function earlierContactsRowId(agent: string): string {
  return `${agent} recipients`;
}

/** To the hour: a row that is written with every call keeps its place among those that are due. */
function keptUntil(now: number, ms: number): number {
  return Math.ceil((now + ms) / HOUR_MS) * HOUR_MS;
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

  /** `recipients`: those whose contacts are of interest; others are not read. */
  agent(id: string, recipients: readonly string[] = []): AgentHistory {
    const row = this.#rows.get("agent", id) as StoredAgent | undefined;
    const contacts = this.#contacts(id, recipients);
    // `fresh` is not there in rows from before there were buckets. What else is missing is no agent, and denies.
    return row === undefined ? { ...newAgent(), contacts } : { fresh: [], ...row, contacts };
  }

  /** Whom the agent wrote to has rows of its own: a call writes the few buckets that it touches. */
  setAgent(id: string, { contacts, ...agent }: AgentHistory): void {
    this.#rows.put("agent", id, json(agent), keptUntil(this.#now, KEPT_MS));
    for (const [bucket, contacted] of Object.entries(contacts)) {
      const row = contactsRowId(id, bucket);
      if (this.#rows.get("agent", row) !== contacted) {
        this.#rows.put("agent", row, json(contacted), keptUntil(this.#now, KEPT_MS));
      }
    }
  }

  #contacts(id: string, recipients: readonly string[]): Contacts {
    if (recipients.length === 0) return {};
    this.#moveEarlier(id);
    const buckets = [...new Set(recipients.map(contactBucket))];
    return Object.fromEntries(
      buckets.map((bucket) => [bucket, (this.#rows.get("agent", contactsRowId(id, bucket)) ?? []) as Contacts[number]]),
    );
  }

  /** Once for each agent of an older store. */
  #moveEarlier(id: string): void {
    const row = earlierContactsRowId(id);
    const earlier = this.#rows.get("agent", row) as EarlierContacts | undefined;
    if (earlier === undefined) return;
    for (const [bucket, contacted] of Object.entries(fromEarlierContacts(earlier))) {
      this.#rows.put("agent", contactsRowId(id, bucket), json(contacted), keptUntil(this.#now, KEPT_MS));
    }
    this.#rows.put("agent", row, null, null);
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

/** Rows of older stores do not say how many recipients were new. */
type StoredAgent = Omit<AgentHistory, "contacts" | "fresh"> & Partial<Pick<AgentHistory, "fresh">>;

/** As `setRun` writes it. */
interface StoredRun {
  readonly history: StoredHistory;
  readonly usd: { readonly held: string; readonly spent: string };
  readonly heard?: Heard;
}

/** Rows of older stores name each call that they count by its whole key, and hold the run's acts. */
type StoredHistory = Omit<RunHistory, "counts" | "acts"> & {
  readonly counts: RunHistory["counts"] | readonly (readonly [callKey: string, times: number])[];
  readonly acts?: Bucket<Act>;
};

function readHistory(stored: StoredHistory): RunHistory {
  const { counts, acts: earlier } = stored;
  const acts: Acts = earlier === undefined ? {} : fromEarlierActs(earlier);
  if (isNumbers(counts)) return { ...stored, counts, acts };
  return { ...stored, counts: counts.flatMap(([callKey, times]) => [countKey(callKey), times]), acts };
}

function isNumbers(counts: StoredHistory["counts"]): counts is RunHistory["counts"] {
  return counts.length === 0 || typeof counts[0] === "number";
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
