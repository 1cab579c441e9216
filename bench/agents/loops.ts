/** Recorded runs through the loop detectors with their default settings: which loops end in time, which work is disturbed. */
import {
  type CallKeys,
  callKeys,
  type Finding,
  type Fingerprint,
  newAgent,
  newRun,
  normalize,
  REACTIONS,
  resultKeys,
  resultText,
  stepAgent,
  stepRun,
  type ToolTraits,
} from "@saferun/core";
import { loadPolicies } from "@saferun/document";
import { nodeHash } from "@saferun/store";
import { traitsOf } from "./loop-tools.ts";
import { readTraces, type Trace, type TraceCall } from "./loop-trace.ts";

/** As a policy set has them that says nothing of `breakers`. */
const SETTINGS = (() => {
  const text = "saferun: policy/v1\nenvironments: { bench: {} }\n";
  const loaded = loadPolicies([{ file: "bench.yaml", text }], { hash: nodeHash });
  if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join("; "));
  return loaded.policies.detectors({ agent: "bench", environment: "bench", tool: "any" });
})();

/** Where a trace has no times, its calls are so far apart. */
const APART_MS = 10_000;

export interface Shares {
  /** Of the loop traces: first asked, refused or stopped within one call of the onset. Null without loop traces. */
  readonly recall: number | null;
  /** Of the harmless traces: a call refused, or the run stopped. */
  readonly false_stops: number | null;
  /** Of the harmless traces: a person asked. */
  readonly false_pauses: number | null;
}

export interface LoopReport extends Shares {
  readonly by_source: Readonly<Record<string, Shares & { readonly loops: number; readonly harmless: number }>>;
}

interface Hit {
  readonly at: number;
  readonly finding: Finding;
}

export interface Judged {
  readonly trace: Trace;
  readonly hits: readonly Hit[];
}

export function judgeLoops(data: string): readonly Judged[] {
  return readTraces(data).map((trace) => ({ trace, hits: replay(trace) }));
}

export function reportLoops(judged: readonly Judged[]): LoopReport {
  const sources = [...new Set(judged.map(({ trace }) => trace.source))].sort();
  const bySource = sources.map((source) => {
    const own = judged.filter(({ trace }) => trace.source === source);
    return [source, { ...shares(own), loops: labelled(own, "loop").length, harmless: labelled(own, "no_loop").length }];
  });
  return { ...shares(judged), by_source: Object.fromEntries(bySource) };
}

/** The first time that anything happens is the onset, give or take one call: earlier is a guess, later is late. */
export function isCaught({ trace, hits }: Judged): boolean {
  const first = hits.find(({ finding }) => severity(finding) >= PAUSE);
  return first !== undefined && trace.onset !== null && Math.abs(first.at - trace.onset) <= 1;
}

export const isStopped = ({ hits }: Judged): boolean => hits.some(({ finding }) => severity(finding) > PAUSE);
export const isPaused = ({ hits }: Judged): boolean => hits.some(({ finding }) => severity(finding) === PAUSE);

const PAUSE = REACTIONS.indexOf("pause");

function severity({ mode, reaction }: Finding): number {
  return mode === "enforce" ? REACTIONS.indexOf(reaction) : -1;
}

function shares(judged: readonly Judged[]): Shares {
  const loops = labelled(judged, "loop");
  const harmless = labelled(judged, "no_loop");
  return {
    recall: share(loops, isCaught),
    false_stops: share(harmless, isStopped),
    false_pauses: share(harmless, isPaused),
  };
}

export function labelled(judged: readonly Judged[], label: string): readonly Judged[] {
  return judged.filter(({ trace }) => trace.label === label);
}

function share(judged: readonly Judged[], test: (one: Judged) => boolean): number | null {
  return judged.length === 0 ? null : judged.filter(test).length / judged.length;
}

/** Every call is proposed, judged on what came before, and then finishes as it was recorded, whatever the verdict. */
function replay(trace: Trace): readonly Hit[] {
  let run = newRun(0);
  let agent = newAgent();
  const hits: Hit[] = [];
  let turn = trace.calls[0]?.turn;
  trace.calls.forEach((call, at) => {
    const now = call.t === undefined ? at * APART_MS : Math.round(call.t * 1_000);
    const callId = `call_${at}`;
    const traits = traitsOf(call, trace);
    const keys = keysOf(call, traits);
    if (call.turn !== turn) run = stepRun(run, { type: "person" }, now, SETTINGS).state;
    turn = call.turn;
    const spending = { depth: 0, usdMicros: null };
    const judged = stepRun(run, { type: "proposed", callId, keys, traits, spending, earlier: null }, now, SETTINGS);
    const activity = stepAgent(agent, { type: "proposed", keys }, now, SETTINGS);
    for (const finding of [...judged.findings, ...activity.findings]) hits.push({ at, finding });
    agent = activity.state;
    run = stepRun(
      judged.state,
      { type: "finished", print: printOf(call, callId, keys, traits, now) },
      now,
      SETTINGS,
    ).state;
  });
  return hits;
}

function keysOf(call: TraceCall, traits: ToolTraits): CallKeys {
  if (call.args_h === undefined) {
    const args = typeof call.args === "object" ? call.args : { value: call.args };
    const input = { tool: call.tool, args, agent: "bench", environment: "bench" };
    const normalized = normalize(input, nodeHash);
    if (!normalized.ok) throw new Error(normalized.malformed.message);
    return callKeys(normalized.call, traits, nodeHash);
  }
  const callKey = `${call.tool} ${call.args_h}`;
  return { tool: call.tool, kind: traits.kind, callKey, identityKey: null, recipients: [] };
}

function printOf(call: TraceCall, callId: string, keys: CallKeys, traits: ToolTraits, at: number): Fingerprint {
  const { tool, kind, callKey, identityKey } = keys;
  const result =
    call.result === undefined
      ? { resultKey: call.state_h ?? call.result_h ?? "", minHash: call.result_mh ?? "" }
      : resultKeys(resultText(call.result), traits, nodeHash);
  const outcome = call.error ? "failed" : "succeeded";
  const errorClass = call.error ? (call.error_class ?? "error") : null;
  return { callId, at, tool, kind, callKey, identityKey, ...result, outcome, errorClass };
}
