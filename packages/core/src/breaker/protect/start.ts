/** May this call start? Asked when it is proposed, and once more when a person has approved it. */
import { unreachable } from "../../errors.ts";
import { isEffectful } from "../../traits.ts";
import { stepBreaker } from "../latch.ts";
import { stepAgent } from "../loop/agent.ts";
import type { Finding } from "../loop/finding.ts";
import { withWaited } from "../loop/history.ts";
import { type RunEvent, recheckRun, stepRun } from "../loop/step.ts";
import { mayStart } from "../stop.ts";
import { giveBack, isSameMoney, type Money, reserveFor } from "./money.ts";
import type { Caller, CallMotion, Motion } from "./motion.ts";
import { type BreakerScope, objectionVerdict } from "./objection.ts";
import { agentRowId, breakerRowId, type RunRow } from "./rows.ts";
import { add, setBreaker, tripFor, type Work } from "./work.ts";

type Propose = Extract<Motion, { type: "propose" }>;
type Claim = Extract<Motion, { type: "claim" }>;
type Proposed = Extract<RunEvent, { type: "proposed" }>;

export function propose(work: Work, motion: Propose): void {
  const { callId, caller, settings } = motion;
  const run = work.rows.run(caller.root, motion.keys);
  barred(work, caller, { tool: motion.keys.tool, kind: motion.keys.kind });
  const heard = motion.verdict === "deny" || objectionVerdict(work.found) === "deny";
  const health = heard ? undefined : askTool(work, motion);
  const step = stepRun(run.history, proposedEvent(work, motion, run), work.now, settings);
  const agentId = agentRowId(caller.environment, caller.agent);
  const agent = stepAgent(
    work.rows.agent(agentId, motion.keys),
    { type: "proposed", keys: motion.keys },
    work.now,
    settings,
  );
  // What the rules deny is no loop yet: a storm of denials has its own detector.
  const findings = heard ? [] : observed([...step.findings, ...agent.findings], motion.observe);
  add(work, "findings", findings);
  work.rows.setAgent(agentId, agent.state, settings.rate.withinMs);

  const before = harder(motion, work);
  const money: Money = before === "deny" ? { ok: false } : reserveFor(work, { ...motion, id: callId, raised: [] });
  const verdict = harder(motion, work);
  switch (verdict) {
    case "allow":
      if (money.ok) money.book();
      health?.claim();
      begin(work, motion);
      work.rows.setRun(caller.root, { ...run, history: step.state });
      return;
    case "pause":
      // What is held while a person thinks; where there is no room, nothing is.
      if (money.ok) money.book();
      work.rows.setRun(caller.root, { ...run, history: step.state });
      return;
    case "deny": {
      const rules = [...motion.rules, ...shortOf(work).map(({ budget }) => `budget:${budget}`)];
      const denied = stepRun(step.state, { type: "denied", callId, tool: motion.keys.tool, rules }, work.now, settings);
      const storm = isStopped(work) ? [] : observed(denied.findings, motion.observe);
      add(work, "findings", storm);
      work.rows.setRun(caller.root, { ...run, history: denied.state });
      tripFor(work, caller, [...findings, ...storm], settings);
      return;
    }
    default:
      unreachable(verdict);
  }
}

/** A person said yes to the findings and shortages of then; what is new since is an objection. */
export function claim(work: Work, motion: Claim): void {
  const { callId, caller, settings, approved } = motion;
  barred(work, caller, { tool: motion.keys.tool, kind: motion.keys.kind });
  const run = work.rows.run(caller.root, motion.keys);
  const waited = withWaited(run.history, callId, work.now);
  const history = stepRun(waited, { type: "approved", findings: approved }, work.now, settings).state;
  const agentId = agentRowId(caller.environment, caller.agent);
  const keys = approved.map(({ key }) => key);
  const agent = stepAgent(work.rows.agent(agentId), { type: "approved", keys }, work.now, settings);
  const event = proposedEvent(work, motion, run);
  const findings = observed(recheckRun(history, event, work.now, settings), motion.observe);
  add(work, "findings", findings);
  const health = objectionVerdict(work.found) === "deny" ? undefined : askTool(work, motion);
  const kept = isSameMoney(work, work.rows.hold(callId), motion.claims);
  if (!kept) giveBack(work, callId);
  const money = kept ? undefined : reserveFor(work, { ...motion, id: callId });
  tripFor(work, caller, findings, settings);
  if (objectionVerdict(work.found) !== "allow") return;
  if (money?.ok === true) money.book();
  health?.claim();
  begin(work, motion);
  work.rows.setRun(caller.root, { ...run, history });
  if (keys.length > 0) work.rows.setAgent(agentId, agent.state);
}

/** Stops and latched breakers: whatever anybody approved. */
export function barred(
  work: Work,
  caller: Caller,
  of: { readonly tool: string; readonly kind: CallMotion["keys"]["kind"] },
): void {
  const { agent, environment, root, runs } = caller;
  const call = { agent, tool: of.tool, kind: of.kind, runs };
  const start = mayStart(work.rows.board().stops, { kind: "transaction" }, call, work.now);
  if (!start.may && start.why === "stopped") work.found = { ...work.found, stop: start.stop };
  latched(work, "run", environment, root);
  latched(work, "agent", environment, agent);
}

function latched(work: Work, scope: BreakerScope, environment: string, name: string): void {
  const breaker = breakerRowId(scope, environment, name);
  const found = work.rows.breaker(breaker);
  // A run's and an agent's is closed or stopped: what says neither is no reason to start.
  if (found.state === "closed") return;
  const trip = found.state === "stopped" ? found.trip : null;
  add(work, "refusals", [{ breaker, scope, name, why: "stopped", trip }]);
}

/** The tool's health. What it answers is written only when the call is claimed: a call that waits is no probe. */
function askTool(work: Work, { callId, caller, keys, owner, leaseMs }: CallMotion): { claim(): void } {
  const id = breakerRowId("tool", caller.environment, keys.tool);
  const before = work.rows.breaker(id);
  const step = stepBreaker(before, { type: "ask", callId, owner, leaseMs }, work.now);
  if (step.ok) {
    return { claim: () => setBreaker(work, { id, scope: "tool", name: keys.tool }, before, step.breaker) };
  }
  const trip = before.state === "stopped" ? before.trip : null;
  const why = step.why === "open" || step.why === "probing" ? step.why : "stopped";
  add(work, "refusals", [{ breaker: id, scope: "tool", name: keys.tool, why, trip }]);
  return { claim: () => undefined };
}

function proposedEvent(work: Work, motion: CallMotion, run: RunRow): Proposed {
  const { callId, caller, keys, traits } = motion;
  // What is held for models under way is a bound, and most of it comes back.
  const spending = { depth: caller.depth, usdMicros: run.usd.spent };
  const earlier = keys.identityKey === null ? null : work.rows.act(caller.agent, keys.identityKey);
  return { type: "proposed", callId, keys, traits, spending, earlier: earlier?.callId === callId ? null : earlier };
}

/** From here the act may happen: another run of this agent must know, also while it is under way. */
function begin(work: Work, { callId, caller, keys }: CallMotion): void {
  if (keys.identityKey === null || !isEffectful(keys.kind)) return;
  work.rows.setAct(caller.agent, keys.identityKey, { callId, at: work.now, outcome: "unknown" });
}

/** The rules' verdict, and what the protections make of it. */
function harder(motion: Propose, work: Work): Propose["verdict"] {
  const ours = objectionVerdict(work.found);
  if (motion.verdict === "deny" || ours === "deny") return "deny";
  return motion.verdict === "pause" || ours === "pause" ? "pause" : "allow";
}

function shortOf({ found }: Work): Work["found"]["shortages"] {
  return found.shortages.filter(({ observed }) => observed !== true);
}

function isStopped({ found }: Work): boolean {
  return found.stop !== null || found.refusals.length > 0;
}

function observed(findings: readonly Finding[], observe: boolean): readonly Finding[] {
  return observe ? findings.map((finding) => ({ ...finding, mode: "observe" })) : findings;
}
