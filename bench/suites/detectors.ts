/** What the detectors cost a call: fingerprints and steps alone, without rows or a store. */
import {
  callKeys,
  encodePart,
  LOOP_DEFAULTS,
  newAgent,
  newRun,
  resultKeys,
  resultText,
  stepAgent,
  stepRun,
} from "@saferun/core";
import { nodeHash } from "@saferun/store";
import { type Figures, figures } from "../measure.ts";
import { atMost, type Row, row } from "../report.ts";
import { callAt, mailAt, resultAt, START_MS, TRAITS } from "./support-run.ts";

const WARM_UP = 2_000;
export const CALLS = 10_000;
/** As many as a run may make unless its policies say otherwise. */
export const CALLS_OF_A_RUN = 200;
/** Results that a run remembers. */
const WINDOW = 32;
/** Whom the agent has written to before. */
export const RECIPIENTS = 2_000;

export function detectors(): Row[] {
  let [run, agent] = [newRun(START_MS), newAgent()];
  for (let index = 0; index < RECIPIENTS; index++) {
    const keys = callKeys(mailAt(index), TRAITS["mail.send"] ?? { kind: "write" }, nodeHash);
    agent = stepAgent(agent, { type: "proposed", keys }, START_MS, LOOP_DEFAULTS).state;
  }
  let remembered = 0;
  const samples: Record<"call" | "judge" | "agent" | "result" | "finish" | "all", number[]> = {
    call: [],
    judge: [],
    agent: [],
    result: [],
    finish: [],
    all: [],
  };
  for (let index = 0; index < WARM_UP + CALLS; index++) {
    const now = START_MS + index * 500;
    if (index % CALLS_OF_A_RUN === 0) run = newRun(now);
    const call = callAt(index);
    const traits = TRAITS[call.tool] ?? { kind: "read" };
    const callId = `call_${index}`;
    const result = resultAt(index);
    // Made for the record, whoever looks for loops.
    const recorded = encodePart(result);
    const started = performance.now();
    const keys = callKeys(call, traits, nodeHash);
    const keyed = performance.now();
    const spending = { depth: 0, usdMicros: 0n };
    const event = { type: "proposed", callId, keys, traits, spending, earlier: null } as const;
    run = stepRun(run, event, now, LOOP_DEFAULTS).state;
    const judged = performance.now();
    agent = stepAgent(agent, { type: "proposed", keys }, now, LOOP_DEFAULTS).state;
    const counted = performance.now();
    const shown = resultKeys(resultText(result, recorded), traits, nodeHash);
    const fingered = performance.now();
    const { tool, kind, callKey, identityKey } = keys;
    const known = {
      callId,
      at: now,
      tool,
      kind,
      callKey,
      identityKey,
      outcome: "succeeded",
      errorClass: null,
    } as const;
    run = stepRun(run, { type: "finished", print: { ...known, ...shown } }, now, LOOP_DEFAULTS).state;
    const ended = performance.now();
    remembered = Math.max(remembered, run.recent.length);
    // A run's first calls meet windows that are not full.
    if (index < WARM_UP || index % CALLS_OF_A_RUN < 2 * WINDOW) continue;
    samples.call.push((keyed - started) * 1_000);
    samples.judge.push((judged - keyed) * 1_000);
    samples.agent.push((counted - judged) * 1_000);
    samples.result.push((fingered - counted) * 1_000);
    samples.finish.push((ended - fingered) * 1_000);
    samples.all.push((ended - started) * 1_000);
  }
  if (remembered < WINDOW) throw new Error("the window of no run is full");
  const all: Figures = figures(samples.all);
  const p50 = (of: readonly number[]) => figures(of).p50;
  return [
    row("fingerprint of a call, p50", p50(samples.call), "µs"),
    row("the run's detectors over a proposed call, p50", p50(samples.judge), "µs"),
    row("the agent's detectors, p50", p50(samples.agent), "µs"),
    row("fingerprint of a result, p50", p50(samples.result), "µs"),
    row("the run's history after a result, p50", p50(samples.finish), "µs"),
    row("all detectors of one call, p50", all.p50, "µs", atMost(20)),
    row("all detectors of one call, p99", all.p99, "µs"),
  ];
}
