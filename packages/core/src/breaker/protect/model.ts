/** Calls of models: what they may cost is held before they are made, what they cost is booked after. */
import { type Hold, settle, voidHold } from "../budget/hold.ts";
import { noRoom, spentUp } from "../loop/conduct.ts";
import { reserveFor } from "./money.ts";
import type { Motion } from "./motion.ts";
import { objectionVerdict } from "./objection.ts";
import { barred } from "./start.ts";
import { add, endHold, tripFor, type Work } from "./work.ts";

type Of<Type extends Motion["type"]> = Extract<Motion, { type: Type }>;

export function reserveModel(work: Work, motion: Of<"reserve">): void {
  const { id, caller, settings, claims, observe, at, deadline } = motion;
  // A model call has no effect outside but its price.
  barred(work, caller, { tool: "", kind: "none" });
  const run = work.rows.run(caller.root);
  // Nobody is asked about a model call: what would ask at 80 % is said with the run's next tool call.
  const over = spentUp(settings.caps, run.usd.spent) ?? noRoom(settings.caps, run.usd, motion.usdMicros);
  const findings =
    over === undefined || objectionVerdict(work.found) === "deny"
      ? []
      : [observe ? { ...over, mode: "observe" as const } : over];
  add(work, "findings", findings);
  tripFor(work, caller, findings, settings);
  const money = reserveFor(work, { id, claims, observe, raised: [], deadline });
  if (!money.ok || objectionVerdict(work.found) !== "allow") return;
  money.book();
  const usdMicros = motion.usdMicros ?? 0n;
  const unheld: Hold = { id, call: id, attempt: 1, parts: [], at, deadline, state: "held" };
  const [own = caller.root] = caller.runs;
  const model = { run: own, root: caller.root, usdMicros };
  work.rows.setHold({ ...(work.rows.hold(id) ?? unheld), model });
  work.rows.setRun(caller.root, { ...run, usd: { ...run.usd, held: run.usd.held + usdMicros } });
}

export function settleModel(work: Work, { id, ran, actual, usdMicros, unbounded }: Of<"settle">): void {
  const hold = work.rows.hold(id);
  // Its deadline may have booked it before its answer came.
  if (hold?.model === undefined || hold.state !== "held") {
    work.found = { ...work.found, refused: "ended" };
    return;
  }
  const step = ran ? settle(hold, actual, work.now) : voidHold(hold, { by: "gate" }, work.now);
  if (!step.ok) return;
  endHold(work, { ...step, exceeded: false });
  const exceeded = step.changes.filter(({ pot, held, spent }) => spent > -held && !unbounded.includes(pot));
  add(
    work,
    "exceeded",
    exceeded.map(({ pot }) => pot),
  );
  if (hold.parts.length === 0) work.rows.dropHold(id);
  const { root, usdMicros: reserved } = hold.model;
  const run = work.rows.run(root);
  const spent = ran ? (usdMicros ?? reserved) : 0n;
  const held = run.usd.held > reserved ? run.usd.held - reserved : 0n;
  work.rows.setRun(root, { ...run, usd: { held, spent: run.usd.spent + spent } });
}
