/** Through the run by hand: the slider, its keys, and where on the way something waits or went wrong. */
import { printable } from "@saferun/core";
import { memo } from "react";
import { useShortcuts } from "../../app/shortcuts.ts";
import { Button } from "../../ui/button.tsx";
import { words } from "../../ui/words.ts";
import { isOpen, isWrong, nameOf, type Step } from "./tree.ts";

export interface ScrubberProps {
  readonly steps: readonly Step[];
  readonly current: number;
  readonly onChoose: (number: number) => void;
}

export function Scrubber({ steps, current, onChoose }: ScrubberProps) {
  const last = steps.length;
  const step = steps[current - 1];
  const notable = (by: 1 | -1) => () => {
    const found =
      by === 1
        ? steps.find((one) => one.number > current && (isWrong(one) || isOpen(one)))
        : steps.findLast((one) => one.number < current && (isWrong(one) || isOpen(one)));
    if (found !== undefined) onChoose(found.number);
  };
  useShortcuts([
    { keys: "ArrowRight", does: "next step", run: () => onChoose(current + 1) },
    { keys: "ArrowLeft", does: "previous step", run: () => onChoose(current - 1) },
    { keys: "j", does: "next step", run: () => onChoose(current + 1) },
    { keys: "k", does: "previous step", run: () => onChoose(current - 1) },
    { keys: "Home", does: "first step", run: () => onChoose(1) },
    { keys: "End", does: "last step", run: () => onChoose(last) },
    { keys: "n", does: "next step that waits or went wrong", run: notable(1) },
    { keys: "p", does: "the one before", run: notable(-1) },
  ]);
  return (
    <div className="flex items-center gap-3">
      <Button aria-label="Previous step" disabled={current === 1} onClick={() => onChoose(current - 1)}>
        ‹
      </Button>
      <div className="relative min-w-0 flex-1">
        <Marks steps={steps} />
        <input
          type="range"
          aria-label="Step"
          aria-valuetext={step === undefined ? "" : valueText(step, last)}
          min={1}
          max={last}
          step={1}
          value={current}
          onChange={(event) => onChoose(event.target.valueAsNumber)}
          className="h-11 w-full accent-accent md:h-9"
        />
      </div>
      <span className="shrink-0 text-sm text-muted tabular-nums">
        <span className="font-semibold text-ink">{current.toLocaleString()}</span> of {last.toLocaleString()}
      </span>
      <Button aria-label="Next step" disabled={current === last} onClick={() => onChoose(current + 1)}>
        ›
      </Button>
    </div>
  );
}

function valueText(step: Step, last: number): string {
  return [`${step.number} of ${last}`, printable(nameOf(step)), step.state ?? ""].filter(Boolean).join(", ");
}

const MOST_MARKS = 300;

const Marks = memo(function Marks({ steps }: { readonly steps: readonly Step[] }) {
  const marked = steps.filter((step) => isWrong(step) || isOpen(step)).slice(0, MOST_MARKS);
  return (
    <span aria-hidden="true" className="pointer-events-none absolute inset-x-2 top-0 h-1.5">
      {marked.map((step) => (
        <span
          key={step.number}
          className={words("absolute top-0 h-1.5 w-0.5", isOpen(step) ? "bg-pause" : "bg-deny")}
          style={{ left: `${((step.number - 1) / Math.max(1, steps.length - 1)) * 100}%` }}
        />
      ))}
    </span>
  );
});
