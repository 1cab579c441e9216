/** How long a step was looked at, waited for and run: told apart by pattern and by word, never by colour alone. */
import { spanText } from "@saferun/core";
import { words } from "../../ui/words.ts";
import type { TimeScale } from "./time-scale.ts";
import type { Stage, Stretch } from "./tree.ts";

const LOOKS: Readonly<Record<Stage, string>> = {
  evaluate: "bar-evaluate",
  wait: "bar-wait",
  execute: "bar-execute",
};

/** Of the line, so that a stretch of no length is still seen. */
const LEAST_PERCENT = 0.6;

export function Bars({ stretches, scale }: { readonly stretches: readonly Stretch[]; readonly scale: TimeScale }) {
  return (
    <span aria-hidden="true" className="relative block h-2 w-full overflow-hidden rounded-full bg-sunken">
      {stretches.map(({ stage, from, to }) => {
        const left = scale(from) * 100;
        const width = Math.max(LEAST_PERCENT, (to === null ? 100 : scale(to) * 100) - left);
        return (
          <span
            key={`${stage} ${from}`}
            className={words("absolute inset-y-0 rounded-full", LOOKS[stage], to === null && "opacity-70")}
            style={{ left: `${Math.min(left, 100 - LEAST_PERCENT)}%`, width: `${width}%` }}
          />
        );
      })}
    </span>
  );
}

export function StageMark({ stage }: { readonly stage: Stage }) {
  return (
    <span aria-hidden="true" className={words("inline-block h-2.5 w-4 shrink-0 rounded-sm bg-sunken", LOOKS[stage])} />
  );
}

/** `evaluate 2 ms · wait 3 min · execute 41 ms`. */
export function stagesText(stretches: readonly Stretch[], now: number): string {
  const sums = new Map<Stage, { ms: number; open: boolean }>();
  for (const { stage, from, to } of stretches) {
    const sum = sums.get(stage) ?? { ms: 0, open: false };
    sums.set(stage, { ms: sum.ms + Math.max(0, (to ?? now) - from), open: sum.open || to === null });
  }
  return [...sums].map(([stage, { ms, open }]) => `${stage} ${spanText(ms)}${open ? " so far" : ""}`).join(" · ");
}
