/**
 * What is remembered of a root run and its sub-agents. Plain JSON and bounded, so that it is stored with the run and a
 * restart forgets nothing.
 */
import { type Act, type Acts, actIn, actKey, withAct } from "./acts.ts";
import type { CallKeys, Fingerprint } from "./fingerprint.ts";

/** Finished calls that detectors look at; tools of kind `none` are not among them. */
const REMEMBERED = 32;
/** Polls that are remembered of one run. Beyond, the oldest are forgotten. */
const POLLS = 256;
/** Characters of `counts`: some 260 different calls of one run. Beyond, the rarest are forgotten. */
const COUNTED = 3_600;
const DENIALS = 64;

export interface OpenCall {
  readonly callId: string;
  readonly keys: CallKeys;
  readonly at: number;
}

export interface RunHistory {
  /** Moved on by the time that the run waited for people: that is not its own. */
  readonly startedAt: number;
  /** Until when waiting was taken off, so that two calls that wait at once are counted once. */
  readonly waitedTo: number;
  /** Proposed calls, whatever became of them. */
  readonly calls: number;
  /** Oldest first, since the last clearing. */
  readonly recent: readonly Fingerprint[];
  /** Proposed and not over. */
  readonly open: readonly OpenCall[];
  /**
   * How often each call was proposed in this run, by `countKey`: `;key=times;key=times`. Never cleared. One text, because it
   * is searched and stored with every call.
   */
  readonly counts: string;
  /** Effectful calls that succeeded, or may have. Never cleared. May hold only what the call at hand needs. */
  readonly acts: Acts;
  /** Call key → first and latest time of a declared poll, since the last clearing. */
  readonly polls: Readonly<Record<string, { readonly first: number; readonly last: number }>>;
  /** Oldest first. */
  readonly denials: readonly { readonly at: number; readonly rules: readonly string[] }[];
  /** Finding key → its count when a person approved it. */
  readonly approved: Readonly<Record<string, number>>;
  /** Finding keys that were refused since the last clearing: the next time trips the run. */
  readonly refused: readonly string[];
}

export function newRun(now: number): RunHistory {
  const lists = { recent: [], open: [], denials: [], refused: [] };
  return { startedAt: now, waitedTo: now, calls: 0, ...lists, counts: "", acts: {}, polls: {}, approved: {} };
}

export function withProposed(history: RunHistory, call: OpenCall, isPoll: boolean): RunHistory {
  const { callKey } = call.keys;
  const first = history.polls[callKey]?.first ?? call.at;
  return {
    ...history,
    calls: history.calls + 1,
    open: [...history.open.filter((other) => other.callId !== call.callId), call].slice(-REMEMBERED),
    counts: withTimes(history.counts, callKey, 1),
    ...(isPoll ? { polls: bounded({ ...history.polls, [callKey]: { first, last: call.at } }, oldest) } : {}),
  };
}

export function withFinished(history: RunHistory, print: Fingerprint): RunHistory {
  const open = history.open.filter((call) => call.callId !== print.callId);
  if (print.kind === "none") return { ...history, open };
  const act = actOf(print);
  const key = actKey(print);
  // What this run had not done before: the world is another one, and what was asked may have another answer.
  const fresh = print.outcome === "succeeded" && act !== undefined && actIn(history.acts, key) === undefined;
  const before = fresh ? cleared(history) : history;
  const recent = [...before.recent, print].slice(-REMEMBERED);
  return act === undefined
    ? { ...before, open, recent }
    : { ...before, open, recent, acts: withAct(history.acts, key, act) };
}

/** A call that waited for a person goes on, or is given up: the time of it is not the run's. */
export function withWaited(history: RunHistory, callId: string, now: number): RunHistory {
  const call = history.open.find((one) => one.callId === callId);
  if (call === undefined) return history;
  const waited = Math.max(0, now - Math.max(call.at, history.waitedTo));
  return { ...history, startedAt: history.startedAt + waited, waitedTo: Math.max(history.waitedTo, now) };
}

/** How often this call was proposed in the run. */
export function timesOf({ counts }: Pick<RunHistory, "counts">, callKey: string): number {
  return placeOf(counts, countKey(callKey))?.times ?? 0;
}

/** 52 bits of a key: two calls of a run that share them would be counted as one, and are not to be expected. */
function countKey(callKey: string): string {
  let [high, low] = [0x811c9dc5, 0x9e3779b9];
  for (let at = 0; at < callKey.length; at++) {
    const code = callKey.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x85ebca6b) + 1;
  }
  return ((high >>> 12) * 0x1_0000_0000 + (low >>> 0)).toString(36);
}

/** Where the count of a call stands. */
function placeOf(
  counts: string,
  key: string,
): { readonly from: number; readonly to: number; readonly times: number } | undefined {
  const at = counts.indexOf(`;${key}=`);
  if (at < 0) return undefined;
  const from = at + key.length + 2;
  const next = counts.indexOf(";", from);
  const to = next < 0 ? counts.length : next;
  return { from, to, times: Number(counts.slice(from, to)) };
}

function withTimes(counts: string, callKey: string, more: number): string {
  const key = countKey(callKey);
  const place = placeOf(counts, key);
  if (place !== undefined) {
    return `${counts.slice(0, place.from)}${Math.max(0, place.times + more)}${counts.slice(place.to)}`;
  }
  if (more < 0) return counts;
  const all = `${counts};${key}=${more}`;
  return all.length <= COUNTED ? all : withoutRarest(all);
}

/** An eighth at a time, so that sorting is rare. */
function withoutRarest(counts: string): string {
  const timesIn = (count: string) => Number(count.slice(count.indexOf("=") + 1));
  const all = counts
    .split(";")
    .slice(1)
    .sort((one, other) => timesIn(one) - timesIn(other));
  return countsOf(all.slice(Math.floor(all.length / 8)));
}

function countsOf(counts: readonly string[]): string {
  return counts.map((count) => `;${count}`).join("");
}

/** As they were kept before: with the whole key of each call; `numbers`: key, times, key, times … */
export function fromEarlierCounts(earlier: readonly (readonly [callKey: string, times: number])[]): string {
  return countsOf(earlier.map(([callKey, times]) => `${countKey(callKey)}=${times}`));
}

export function fromEarlierNumbers(numbers: readonly number[]): string {
  return countsOf(numbers.flatMap((key, at) => (at % 2 === 0 ? `${key.toString(36)}=${numbers[at + 1]}` : [])));
}

/** As if this call had never been proposed: for judging it once more after it waited. */
export function withoutCall(history: RunHistory, call: OpenCall): RunHistory {
  const { callId, keys } = call;
  return {
    ...history,
    calls: history.calls - 1,
    open: history.open.filter((other) => other.callId !== callId),
    counts: withTimes(history.counts, keys.callKey, -1),
  };
}

/** A person spoke, or something new was done: what came before is no loop any more. */
export function cleared(history: RunHistory): RunHistory {
  return { ...history, recent: [], polls: {}, refused: [], approved: withoutWindows(history.approved) };
}

export function withDenial(history: RunHistory, callId: string, rules: readonly string[], at: number): RunHistory {
  const open = history.open.filter((call) => call.callId !== callId);
  const own = rules.filter((rule) => !rule.startsWith("breaker:"));
  // A breaker's own refusals are counted where they are made.
  if (own.length === 0) return { ...history, open };
  return { ...history, open, denials: [...history.denials, { at, rules: own }].slice(-DENIALS) };
}

function actOf(print: Fingerprint): Act | undefined {
  const effectful = print.kind === "write" || print.kind === "destructive";
  if (!effectful || print.outcome === "failed") return undefined;
  return { callId: print.callId, at: print.at, outcome: print.outcome };
}

/** Approvals about the run as a whole outlive a clearing. */
function withoutWindows(approved: RunHistory["approved"]): RunHistory["approved"] {
  return Object.fromEntries(Object.entries(approved).filter(([key]) => /^(?:caps|raw|duplicate):/.test(key)));
}

type Compare<Value> = (one: Value, other: Value) => number;
const oldest: Compare<{ readonly last: number }> = (one, other) => one.last - other.last;

/** The map without its least entries once it is over the bound: an eighth at a time, so that sorting is rare. */
function bounded<Value>(
  map: Readonly<Record<string, Value>>,
  compare: Compare<Value>,
): Readonly<Record<string, Value>> {
  if (Object.keys(map).length <= POLLS) return map;
  return Object.fromEntries(
    Object.entries(map)
      .sort(([, one], [, other]) => compare(one, other))
      .slice(POLLS / 8),
  );
}
