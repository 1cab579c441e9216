/**
 * The loop detectors of one root run as one pure step. The gate judges a proposed call on the results of earlier calls,
 * and stores the new state in the transaction that records the call.
 */

import type { LoopSettings } from "../../detectors.ts";
import type { ToolTraits } from "../../traits.ts";
import type { Act } from "./acts.ts";
import { caps, denials, duplicate, type Spending } from "./conduct.ts";
import { type Finding, makeFinding } from "./finding.ts";
import type { CallKeys, Fingerprint } from "./fingerprint.ts";
import { cleared, type RunHistory, withDenial, withFinished, withoutCall, withProposed } from "./history.ts";
import { errors, raw, varied } from "./outcomes.ts";
import { cycle, repeat, similar } from "./repetition.ts";

export type RunEvent =
  | {
      readonly type: "proposed";
      readonly callId: string;
      readonly keys: CallKeys;
      readonly traits: ToolTraits;
      readonly spending: Spending;
      /** The same business act by this agent in another run, within 24 hours; from the store. */
      readonly earlier: Act | null;
    }
  | { readonly type: "finished"; readonly print: Fingerprint }
  /** By rules or a person; `rules` as in the decision. */
  | { readonly type: "denied"; readonly callId: string; readonly tool: string; readonly rules: readonly string[] }
  /** A person approved a call that these findings paused. */
  | { readonly type: "approved"; readonly findings: readonly { readonly key: string; readonly count: number }[] }
  /** A message from a person. Never from the agent, and never a tool's result. */
  | { readonly type: "person" };

export interface RunStep {
  readonly state: RunHistory;
  readonly findings: readonly Finding[];
}

/** Pure. `now` is the store's clock, ms. Observed findings are reported and change nothing else. */
export function stepRun(state: RunHistory, event: RunEvent, now: number, settings: LoopSettings): RunStep {
  switch (event.type) {
    case "proposed":
      return proposed(state, event, now, settings);
    case "finished":
      return { state: withFinished(state, event.print), findings: [] };
    case "denied": {
      const next = withDenial(state, event.callId, event.rules, now);
      // Only a new denial can be one too many.
      const finding = next.denials === state.denials ? undefined : denials(next, event.tool, settings.denials, now);
      return { state: next, findings: finding === undefined ? [] : [finding] };
    }
    case "approved": {
      const counts = event.findings.map(({ key, count }): [string, number] => [key, count]);
      return { state: { ...state, approved: { ...state.approved, ...Object.fromEntries(counts) } }, findings: [] };
    }
    case "person":
      return { state: { ...cleared(state), denials: [] }, findings: [] };
  }
}

type Proposed = Extract<RunEvent, { type: "proposed" }>;

/**
 * Judges a call that waited for a person once more, before it is claimed: what was approved is silent, what happened
 * meanwhile is not. Counts nothing.
 */
export function recheckRun(
  state: RunHistory,
  event: Proposed,
  now: number,
  settings: LoopSettings,
): readonly Finding[] {
  const before = withoutCall(state, { callId: event.callId, keys: event.keys, at: now });
  return detect(before, event, now, settings).filter((finding) => !isApproved(finding, state));
}

function proposed(state: RunHistory, event: Proposed, now: number, settings: LoopSettings): RunStep {
  const { callId, keys, traits } = event;
  const judged = detect(state, event, now, settings).filter((finding) => !isApproved(finding, state));
  const findings = judged.map((finding) => (isSecond(finding, state) ? tripped(finding) : finding));
  const repeated = judged.filter((finding) => finding.reaction === "deny").map((finding) => finding.key);
  // A call that came through is no repetition of a refused one any more.
  const kept = state.refused.filter((key) => key !== `repeat:${keys.callKey}`);
  const refused = [...new Set([...kept, ...repeated])].slice(-32);
  const next = withProposed({ ...state, refused }, { callId, keys, at: now }, traits.poll !== undefined);
  return { state: next, findings };
}

function detect(state: RunHistory, event: Proposed, now: number, settings: LoopSettings): readonly Finding[] {
  const { keys, traits, spending, earlier } = event;
  const found = [
    ...repetitions(state, keys, traits, now, settings),
    errors(state, keys, settings.errors),
    duplicate(state, keys, settings.duplicate, earlier),
    ...caps(state, keys.tool, settings.caps, spending, now),
  ];
  return found.filter((finding) => finding !== undefined);
}

function repetitions(
  state: RunHistory,
  keys: CallKeys,
  traits: ToolTraits,
  now: number,
  settings: LoopSettings,
): readonly (Finding | undefined)[] {
  const poll = pollOf(state, keys, traits, now);
  if (poll === "due") return [];
  const often = traits.paginate === undefined && poll !== "early" ? raw(state, keys, settings.raw) : undefined;
  // Thinking aloud gives no results to compare.
  if (keys.kind === "none") return [often];
  return [
    often,
    repeat(state, keys, settings.repeat),
    cycle(state, keys, settings.cycle),
    similar(state, keys, settings.similar, traits.progress !== undefined),
    traits.paginate === undefined ? varied(state, keys, settings.varied) : undefined,
  ];
}

/** Where a call stands in the poll that its tool declares. */
function pollOf(
  state: RunHistory,
  keys: CallKeys,
  { poll }: ToolTraits,
  now: number,
): "none" | "due" | "early" | "over" {
  if (poll === undefined) return "none";
  const before = state.polls[keys.callKey];
  if (before === undefined) return "due";
  if (now - before.first > poll.forMs) return "over";
  return now - before.last >= poll.everyMs ? "due" : "early";
}

/** A person has approved this loop, and it has not grown by as much as made it one. A trip needs a reset, no approval. */
function isApproved({ key, count, limit, reaction }: Finding, state: RunHistory): boolean {
  const at = state.approved[key];
  if (at === undefined || reaction === "trip_run" || reaction === "trip_agent") return false;
  // A cap asks once; what comes after is the trip.
  return key.startsWith("caps:") || count < at + limit;
}

function isSecond({ key, reaction }: Finding, state: RunHistory): boolean {
  return reaction === "deny" && state.refused.includes(key);
}

/** The same loop after it was refused: the run stops. */
function tripped(finding: Finding): Finding {
  const observed = "A call that was refused as a repetition was made once more.";
  return makeFinding({ ...finding, reaction: "trip_run", observed, allowed: "" });
}
