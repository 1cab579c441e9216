/** What follows a proposal: the call ends, is given up, or is explained by a person. */

import { LOOP_DEFAULTS } from "../../detectors.ts";
import { isEffectful } from "../../traits.ts";
import { settle, voidHold } from "../budget/hold.ts";
import { stepBreaker } from "../latch.ts";
import type { Act } from "../loop/acts.ts";
import type { Fingerprint } from "../loop/fingerprint.ts";
import { withFinished, withWaited } from "../loop/history.ts";
import { stepRun } from "../loop/step.ts";
import type { Motion } from "./motion.ts";
import { breakerRowId, type RunRow } from "./rows.ts";
import { add, endHold, setBreaker, tripFor, type Work } from "./work.ts";

type Of<Type extends Motion["type"]> = Extract<Motion, { type: Type }>;

export function release(work: Work, motion: Of<"release">): void {
  const { callId, caller, tool, settings, rules } = motion;
  const hold = work.rows.hold(callId);
  if (hold !== undefined) endHold(work, voidHold(hold, { by: "gate" }, work.now));
  const run = work.rows.run(caller.root);
  const event = { type: "denied", callId, tool, rules } as const;
  const step = stepRun(withWaited(run.history, callId, work.now), event, work.now, settings ?? LOOP_DEFAULTS);
  work.rows.setRun(caller.root, { ...run, history: step.state });
  if (settings === null) return;
  add(work, "findings", step.findings);
  tripFor(work, caller, step.findings, settings);
}

export function finish(work: Work, motion: Of<"finish">): void {
  const { callId, root, agent, environment, tool, outcome, healthy, jitter } = motion;
  const print = motion.print ?? lostPrint(work.rows.run(root), motion, work.now);
  if (print !== undefined) {
    const run = work.rows.run(root, print);
    work.rows.setRun(root, { ...run, history: withFinished(run.history, print) });
    if (print.identityKey !== null && isEffectful(print.kind)) noteAct(work, agent, print.identityKey, callId, outcome);
  }
  const hold = work.rows.hold(callId);
  // A hold of a call whose outcome nobody knows stays until somebody does.
  if (hold !== undefined && outcome === "succeeded") endHold(work, settle(hold, motion.actual, work.now));
  if (hold !== undefined && outcome === "failed") endHold(work, voidHold(hold, { by: "gate" }, work.now));
  if (healthy === null) return;
  const id = breakerRowId("tool", environment, tool);
  const before = work.rows.breaker(id);
  const step = stepBreaker(before, { type: "report", callId, healthy, jitter }, work.now);
  if (step.ok) setBreaker(work, { id, scope: "tool", name: tool }, before, step.breaker);
}

/** How many messages a run knows again. */
const HEARD = 32;

/** The same words after a restart are no message, and neither are those of whom another process was faster to hear. */
export function person(work: Work, { root, salt, said }: Of<"person">): void {
  const run = work.rows.run(root);
  const { heard = { salt, said: [] } } = run;
  if (heard.salt !== salt || heard.said.includes(said)) return;
  const step = stepRun(run.history, { type: "person" }, work.now, LOOP_DEFAULTS);
  work.rows.setRun(root, { ...run, history: step.state, heard: { salt, said: [...heard.said, said].slice(-HEARD) } });
}

export function reconcile(work: Work, { callId, ran, by, reason }: Of<"reconcile">): void {
  const hold = work.rows.hold(callId);
  if (hold === undefined) return;
  const step = ran ? settle(hold, [], work.now) : voidHold(hold, { by: "person", actor: by, reason }, work.now);
  if (step.ok) endHold(work, step);
  else if (step.why === "no-proof") work.found = { ...work.found, refused: "not-allowed" };
}

/** The act that was begun has an outcome: it was done, may have been done, or surely was not. */
function noteAct(
  work: Work,
  agent: string,
  identityKey: string,
  callId: string,
  outcome: Fingerprint["outcome"],
): void {
  const known = work.rows.act(agent, identityKey);
  // Another call's act is not this one's to take back.
  if (outcome === "failed") {
    if (known?.callId === callId) work.rows.setAct(agent, identityKey, null);
    return;
  }
  const act: Act = { callId, at: work.now, outcome };
  work.rows.setAct(agent, identityKey, act);
}

function lostPrint(run: RunRow, { callId, outcome }: Of<"finish">, now: number): Fingerprint | undefined {
  const open = run.history.open.find((call) => call.callId === callId);
  if (open === undefined) return undefined;
  const { tool, kind, callKey, identityKey } = open.keys;
  const result = { resultKey: "lost", minHash: "", outcome, errorClass: null };
  return { callId, at: now, tool, kind, callKey, identityKey, ...result };
}
