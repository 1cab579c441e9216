/** Calls of models: what they may cost is held before they are made, what they cost is booked after. */
import { settle, voidHold } from "../budget/hold.ts";
import { caps } from "../loop/conduct.ts";
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
  const wanted = motion.usdMicros ?? 0n;
  const usdMicros = run.usd.held + run.usd.spent + wanted;
  // Nobody is asked about a model call: what would ask at 80 % is said with the run's next tool call.
  const over = caps(run.history, "", settings.caps, { depth: caller.depth, usdMicros }, work.now)
    .filter(({ reaction, key }) => reaction === "trip_run" && key === "caps:usd")
    .map((finding) => (observe ? { ...finding, mode: "observe" as const } : finding));
  add(work, "findings", over);
  tripFor(work, caller, over, settings);
  if (objectionVerdict(work.found) !== "allow") return;
  const money = reserveFor(work, { id, claims, observe, raised: [], at, deadline });
  if (!money.ok) return;
  money.book();
  work.rows.setRun(caller.root, { ...run, usd: { ...run.usd, held: run.usd.held + wanted } });
}

export function settleModel(work: Work, { id, root, ran, actual, usdMicros, reserved }: Of<"settle">): void {
  const hold = work.rows.hold(id);
  if (hold !== undefined) {
    endHold(work, ran ? settle(hold, actual, work.now) : voidHold(hold, { by: "gate" }, work.now));
  }
  const run = work.rows.run(root);
  const spent = ran ? (usdMicros ?? reserved) : 0n;
  const held = run.usd.held > reserved ? run.usd.held - reserved : 0n;
  work.rows.setRun(root, { ...run, usd: { held, spent: run.usd.spent + spent } });
}
