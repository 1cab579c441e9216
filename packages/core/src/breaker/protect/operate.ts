/** What people do to the protections: stop, lift, reset, raise. Each with a name, a role and a reason. */
import { raiseLimit } from "../budget/hold.ts";
import { stepBreaker } from "../latch.ts";
import { cleared } from "../loop/history.ts";
import { isEverything, liftStop, placeStop } from "../stop.ts";
import type { Motion } from "./motion.ts";
import { parseBreakerRowId } from "./rows.ts";
import { setBreaker, type Work } from "./work.ts";

type Of<Type extends Motion["type"]> = Extract<Motion, { type: Type }>;

/** Stops in force at once: beyond, stopping everything is what is left, once. */
const MOST_STOPS = 1_000;

export function stop(work: Work, { id, scope, reason, by }: Of<"stop">): void {
  const { epoch, stops } = work.rows.board();
  const last = isEverything(scope) && !stops.some((one) => isEverything(one.scope));
  if (stops.length >= MOST_STOPS && !last) {
    refuse(work, "too-many");
    return;
  }
  const placed = placeStop({ id, scope, reason, epoch: epoch + 1 }, by, work.now);
  if (!placed.ok) {
    refuse(work, placed.why);
    return;
  }
  work.rows.setBoard({ epoch: epoch + 1, stops: [...stops, placed.stop] });
}

export function lift(work: Work, { id, reason, by }: Of<"lift">): void {
  const { epoch, stops } = work.rows.board();
  const found = stops.find((one) => one.id === id);
  if (found === undefined) {
    refuse(work, "missing");
    return;
  }
  const step = liftStop(found, by, reason, work.now);
  if (!step.ok) {
    refuse(work, step.why);
    return;
  }
  // A lifted stop stands in the log; the board holds what is in force.
  const rest = stops.flatMap((one) => (one.id !== id ? [one] : step.stop.lifted === null ? [step.stop] : []));
  work.rows.setBoard({ epoch: epoch + 1, stops: rest });
}

export function reset(work: Work, { breaker: id, reason, by }: Of<"reset">): void {
  const of = parseBreakerRowId(id);
  if (of === undefined) {
    refuse(work, "missing");
    return;
  }
  const before = work.rows.breaker(id);
  const step = stepBreaker(before, { type: "reset", by, reason }, work.now);
  if (!step.ok) {
    refuse(work, step.why);
    return;
  }
  setBreaker(work, { id, ...of }, before, step.breaker);
  if (of.scope === "run") {
    const run = work.rows.run(of.name);
    // The caps count anew, or the next call would trip it again; what was done stays known.
    const history = { ...cleared(run.history), denials: [], calls: 0, startedAt: work.now, waitedTo: work.now };
    work.rows.setRun(of.name, { ...run, history, usd: { held: run.usd.held, spent: 0n } });
  }
  if (of.scope === "agent") {
    const agentId = id.replace(/^\["agent",/, "[");
    work.rows.setAgent(agentId, { ...work.rows.agent(agentId), trips: [] });
  }
}

export function raise(work: Work, { pot: id, amount, reason, by }: Of<"raise">): void {
  const pot = work.rows.pot(id);
  if (pot === undefined) {
    refuse(work, "missing");
    return;
  }
  const raised = raiseLimit(pot, amount, by, reason);
  if (raised === undefined) {
    refuse(work, "not-allowed");
    return;
  }
  work.rows.setPot(raised);
}

function refuse(work: Work, why: string): void {
  work.found = { ...work.found, refused: why };
}
