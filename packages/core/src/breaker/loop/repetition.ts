/** Detectors of calls that come back with what is already known: repeat, cycle, similar. Pure; at most 32 calls are read. */

import type { LoopSettings } from "../../detectors.ts";
import { isEffectful } from "../../traits.ts";
import { isOfHealth } from "../error-class.ts";
import { type Finding, makeFinding, named } from "./finding.ts";
import type { CallKeys, Fingerprint } from "./fingerprint.ts";
import type { RunHistory } from "./history.ts";
import { equalSlots } from "./minhash.ts";

const STILL_ALLOWED =
  "Still allowed: other arguments, other tools, or an answer to the person that says what is missing.";

/** The same call with the same result, not necessarily in a row. Calls still in flight count: nothing new can be hoped of them. */
export function repeat(history: RunHistory, keys: CallKeys, settings: LoopSettings["repeat"]): Finding | undefined {
  const effectful = isEffectful(keys.kind);
  const limit = effectful ? settings.writes : settings.same;
  const window = history.recent.slice(-settings.last);
  const latest = window.findLast((print) => print.callKey === keys.callKey);
  const flying = history.open.filter((call) => call.keys.callKey === keys.callKey);
  if (latest === undefined && flying.length < limit) return undefined;
  const same = latest === undefined || isLeftToHealth(latest) ? [] : window.filter((print) => isSame(print, latest));
  const count = same.length + flying.length;
  if (count < limit) return undefined;
  if (!effectful && flying.length === 0 && besideProgress(window, keys.callKey)) return undefined;
  return makeFinding({
    detector: "repeat",
    reaction: settings.over,
    mode: settings.mode,
    key: `repeat:${keys.callKey}`,
    tool: keys.tool,
    count,
    limit,
    calls: [...same.map((print) => print.callId), ...flying.map((call) => call.callId)],
    observed: `The tool ${named(keys.tool)} was called ${count} times with these arguments and gave nothing new.`,
    allowed: STILL_ALLOWED,
  });
}

/**
 * Waiting beside a poll: between any two of these calls stands one and the same other call, and its result was new each
 * time (`sleep 5`, read output, `sleep 5`, read output). Bounded by `raw`, since a clock would do as the other call.
 */
function besideProgress(window: readonly Fingerprint[], callKey: string): boolean {
  const positions = window.flatMap((print, at) => (print.callKey === callKey ? [at] : []));
  const [first = 0] = positions;
  const after = window.slice(first + 1);
  const others = new Set(after.map((print) => print.callKey).filter((key) => key !== callKey));
  return [...others].some((other) => {
    const results = after.filter((print) => print.callKey === other).map((print) => print.resultKey);
    if (results.length < positions.length || new Set(results).size < results.length) return false;
    return positions.every((from, index) => {
      const gap = window.slice(from + 1, positions[index + 1] ?? window.length);
      return gap.some((print) => print.callKey === other && print.outcome === "succeeded");
    });
  });
}

/** Rounds of several calls that all come back unchanged, and the proposed call is the next of the round. */
export function cycle(history: RunHistory, keys: CallKeys, settings: LoopSettings["cycle"]): Finding | undefined {
  const { recent } = history;
  for (let period = 2; period <= settings.longest; period++) {
    const length = period * settings.rounds;
    if (recent[recent.length - length]?.callKey !== keys.callKey) continue;
    const tail = recent.slice(-length);
    const round = tail.slice(0, period);
    // One call on its own is `repeat`'s; a round without two different calls is none.
    if (round.every((print) => print.callKey === keys.callKey)) continue;
    if (!tail.every((print, at) => isSame(print, round[at % period])) || round.some(isLeftToHealth)) continue;
    return makeFinding({
      detector: "cycle",
      reaction: settings.over,
      mode: settings.mode,
      key: `cycle:${[...new Set(round.map((print) => print.callKey))].sort().join(",")}`,
      tool: keys.tool,
      count: settings.rounds,
      limit: settings.rounds,
      calls: tail.map((print) => print.callId),
      observed: `The same round of ${period} calls was made ${settings.rounds} times and every result was the same each time.`,
      allowed: STILL_ALLOWED,
    });
  }
  return undefined;
}

/** The same call in a row with results that are nearly the same, or without the progress that the tool declares. */
export function similar(
  history: RunHistory,
  keys: CallKeys,
  settings: LoopSettings["similar"],
  progress: boolean,
): Finding | undefined {
  const other = history.recent.findLastIndex((print) => print.callKey !== keys.callKey || isOfHealth(print.errorClass));
  const row = history.recent.slice(other + 1);
  if (row.length < Math.min(settings.alike, settings.progress)) return undefined;
  const alike = lastRow(row, (one, next) => equalSlots(one.minHash, next.minHash) >= settings.slots);
  const stuck = progress ? lastRow(row, (one, next) => one.resultKey === next.resultKey) : [];
  const [found, limit] = stuck.length >= settings.progress ? [stuck, settings.progress] : [alike, settings.alike];
  if (found.length < limit) return undefined;
  return makeFinding({
    detector: "similar",
    reaction: settings.over,
    mode: settings.mode,
    key: `similar:${keys.callKey}`,
    tool: keys.tool,
    count: found.length,
    limit,
    calls: found.map((print) => print.callId),
    observed: `The tool ${named(keys.tool)} was called ${found.length} times in a row with these arguments and the results hardly differed.`,
    allowed: STILL_ALLOWED,
  });
}

/** The longest end of `row` in which each neighbour agrees with the next. */
function lastRow(
  row: readonly Fingerprint[],
  agrees: (one: Fingerprint, next: Fingerprint) => boolean,
): readonly Fingerprint[] {
  let from = row.length - 1;
  for (; from > 0; from--) {
    const [one, next] = [row[from - 1], row[from]];
    if (one === undefined || next === undefined || !agrees(one, next)) break;
  }
  return row.slice(Math.max(0, from));
}

/**
 * A rate limit and a server's error say "later", not "no": the health breaker makes the agent wait. But a write that met a
 * server's error may have been done, and is not made over and over on that account.
 */
function isLeftToHealth({ errorClass, kind }: Fingerprint): boolean {
  return isOfHealth(errorClass) && (errorClass === "rate_limit" || !isEffectful(kind));
}

function isSame(print: Fingerprint, other: Fingerprint | undefined): boolean {
  return (
    print.callKey === other?.callKey && print.resultKey === other.resultKey && print.errorClass === other.errorClass
  );
}
