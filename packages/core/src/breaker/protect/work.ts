/** One transaction's motions on their way: the rows, the time, and what has been found so far. */

import type { LoopSettings } from "../../detectors.ts";
import type { HoldStep, Mark, Pot } from "../budget/hold.ts";
import { booked, potAt } from "../budget/sliding.ts";
import { type Breaker, stepBreaker, type Trip } from "../latch.ts";
import { stepAgent } from "../loop/agent.ts";
import type { Finding } from "../loop/finding.ts";
import { ruleOf } from "../loop/finding.ts";
import type { Caller } from "./motion.ts";
import { type BreakerScope, NO_OBJECTION, type Objection } from "./objection.ts";
import { agentRowId, breakerRowId, type ProtectionRows } from "./rows.ts";

export interface Work {
  readonly rows: ProtectionRows;
  /** The store's time. */
  readonly now: number;
  found: Objection;
}

export function newWork(rows: ProtectionRows, now: number): Work {
  return { rows, now, found: NO_OBJECTION };
}

type Lists = Pick<Objection, "refusals" | "findings" | "shortages" | "marks" | "changes" | "exceeded">;

export function add<Key extends keyof Lists>(work: Work, key: Key, items: Objection[Key]): void {
  if (items.length > 0) work.found = { ...work.found, [key]: [...work.found[key], ...items] };
}

export function setBreaker(
  work: Work,
  of: { readonly id: string; readonly scope: BreakerScope; readonly name: string },
  before: Breaker,
  after: Breaker,
): void {
  if (after === before) return;
  work.rows.setBreaker(of.id, after);
  if (after.state === before.state) return;
  const trip = after.state === "stopped" ? after.trip : null;
  add(work, "changes", [{ breaker: of.id, scope: of.scope, name: of.name, to: after.state, trip }]);
}

/** What enforced findings stop: the run, and with too many of its runs the agent. */
export function tripFor(
  work: Work,
  caller: Pick<Caller, "root" | "agent" | "environment" | "principal">,
  findings: readonly Finding[],
  settings: LoopSettings,
): void {
  const { root, agent, environment, principal } = caller;
  const enforced = findings.filter(({ mode }) => mode === "enforce");
  const ofRun = enforced.find(({ reaction }) => reaction === "trip_run" || reaction === "trip_agent");
  if (ofRun === undefined) return;
  trip(work, { id: breakerRowId("run", environment, root), scope: "run", name: root }, ofRun);
  const agentId = agentRowId(environment, agent);
  const step = stepAgent(work.rows.agent(agentId), { type: "run_tripped", run: root, principal }, work.now, settings);
  work.rows.setAgent(agentId, step.state);
  add(work, "findings", step.findings);
  const ofAgent = [...enforced, ...step.findings].find(
    ({ mode, reaction }) => mode === "enforce" && reaction === "trip_agent",
  );
  if (ofAgent === undefined) return;
  trip(work, { id: breakerRowId("agent", environment, agent), scope: "agent", name: agent }, ofAgent);
}

function trip(
  work: Work,
  of: { readonly id: string; readonly scope: BreakerScope; readonly name: string },
  finding: Finding,
): void {
  const before = work.rows.breaker(of.id);
  const step = stepBreaker(before, { type: "trip", trip: tripOf(finding, work.now) }, work.now);
  if (step.ok) setBreaker(work, of, before, step.breaker);
}

function tripOf(finding: Finding, at: number): Trip {
  const cause = finding.detector === "denials" ? "denials" : finding.key === "caps:usd" ? "spend" : "loop";
  return { cause, reason: finding.text, by: ruleOf(finding), at };
}

/** Books the end of a hold in its pots. */
export function endHold(work: Work, step: HoldStep): void {
  if (!step.ok) return;
  work.rows.setHold(step.hold);
  for (const { pot: id, held, spent } of step.changes) {
    const pot = work.rows.pot(id);
    if (pot !== undefined) work.rows.setPot(booked(potAt(pot, work.now), { held, spent }, step.hold.at));
  }
  if (step.exceeded) {
    add(
      work,
      "exceeded",
      step.changes.filter(({ held, spent }) => spent > -held).map(({ pot }) => pot),
    );
  }
}

/** Books a hold that was reserved `at`, with the marks that it reached. */
export function bookHold(
  work: Work,
  pots: readonly Pot[],
  before: readonly Pot[],
  marks: readonly Mark[],
  at: number,
): void {
  for (const pot of pots) {
    const old = before.find(({ id }) => id === pot.id);
    if (old === undefined) continue;
    work.rows.setPot({ ...booked(old, { held: pot.held - old.held, spent: 0n }, at), marked: pot.marked });
  }
  add(work, "marks", marks);
}
