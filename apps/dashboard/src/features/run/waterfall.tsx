/** The steps on the run's clock. Only what is in sight is in the page: a run of thousands scrolls like one of ten. */
import { spanText } from "@saferun/core";
import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useMemo, useRef } from "react";
import { StateBadge } from "../../ui/badge.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { words } from "../../ui/words.ts";
import { Bars, stagesText } from "./bars.tsx";
import { clockScale, squeezedScale, type TimeScale } from "./time-scale.ts";
import { type InnerRun, nameOf, type Outline, type Step, stretchesOf } from "./tree.ts";

export interface WaterfallProps {
  readonly outline: Outline;
  /** Number of the step that is shown. */
  readonly current: number;
  readonly toScale: boolean;
  readonly onChoose: (number: number) => void;
}

const ROW_PX = 54;

export const Waterfall = memo(function Waterfall({ outline, current, toScale, onChoose }: WaterfallProps) {
  const { rows } = outline;
  const place = useRef<HTMLElement>(null);
  const scale = useMemo(() => scaleOf(outline, toScale), [outline, toScale]);
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_PX,
    overscan: 3,
    // Rows that come in sight by a scroll may wait for a frame: nothing else has to.
    useFlushSync: false,
  });
  const index = useMemo(() => rows.findIndex((row) => row.kind !== "run" && row.number === current), [rows, current]);
  useEffect(() => {
    if (index >= 0) list.scrollToIndex(index, { align: "auto" });
  }, [index, list]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section ref={place} tabIndex={0} aria-label="Steps" className="max-h-[44dvh] overflow-y-auto lg:max-h-[62dvh]">
      <ol className="relative" style={{ height: list.getTotalSize() }}>
        {list.getVirtualItems().map(({ index: at, start }) => {
          const row = rows[at];
          return row === undefined ? null : (
            <li
              key={at}
              aria-setsize={rows.length}
              aria-posinset={at + 1}
              className="absolute inset-x-0"
              style={{ height: ROW_PX, transform: `translateY(${start}px)` }}
            >
              {row.kind === "run" ? (
                <RunLine run={row} scale={scale} />
              ) : (
                <StepLine
                  step={row}
                  scale={scale}
                  started={outline.started_at}
                  current={at === index}
                  onChoose={onChoose}
                />
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
});

function scaleOf({ rows, started_at, last_at }: Outline, toScale: boolean): TimeScale {
  const stretches = rows.flatMap(stretchesOf);
  const ends = stretches.flatMap(({ from, to }) => (to === null ? [from] : [from, to]));
  // Beyond the last moment there is room in which what goes on goes on.
  const open = stretches.some(({ to }) => to === null);
  const to = ends.reduce((latest, end) => Math.max(latest, end), last_at);
  const last = open ? to + Math.max(1, Math.ceil((to - started_at) / 5)) : to;
  return toScale ? clockScale(started_at, last) : squeezedScale([started_at, ...ends, last]);
}

const LINE = "flex h-full w-full flex-col justify-center gap-1.5 border-b border-line px-3 text-left";
const INDENT_PX = 14;
const DEEPEST = 8;

function indent(depth: number): { readonly paddingLeft: number } {
  return { paddingLeft: 12 + Math.min(depth, DEEPEST) * INDENT_PX };
}

interface StepLineProps {
  readonly step: Step;
  readonly scale: TimeScale;
  readonly started: number;
  readonly current: boolean;
  readonly onChoose: (number: number) => void;
}

const StepLine = memo(function StepLine({ step, scale, started, current, onChoose }: StepLineProps) {
  const { depth, state } = step;
  const stretches = stretchesOf(step);
  return (
    <button
      type="button"
      aria-current={current ? "step" : undefined}
      onClick={() => onChoose(step.number)}
      className={words(LINE, current ? "bg-accent-soft" : "hover:bg-sunken")}
      style={indent(depth)}
    >
      <span className="flex w-full items-center gap-2">
        <span className="w-7 shrink-0 text-right text-xs text-muted tabular-nums">{step.number}</span>
        <Untrusted className={words("truncate", step.kind === "event" ? "text-muted" : "font-medium")}>
          {nameOf(step)}
        </Untrusted>
        {state === null ? null : <StateBadge state={state} />}
        <span className="ml-auto shrink-0 text-xs text-muted tabular-nums">+{spanText(step.at - started)}</span>
      </span>
      {stretches.length === 0 ? null : (
        <span className="block w-full pl-9">
          <Bars stretches={stretches} scale={scale} />
          <span className="sr-only">{stagesText(stretches, step.at)}</span>
        </span>
      )}
    </button>
  );
});

function RunLine({ run, scale }: { readonly run: InnerRun; readonly scale: TimeScale }) {
  return (
    <Link to="/runs/$id" params={{ id: run.run }} className={words(LINE, "hover:bg-sunken")} style={indent(run.depth)}>
      <span className="flex w-full items-center gap-2">
        <span aria-hidden="true" className="w-7 shrink-0 text-right text-xs text-muted">
          ↳
        </span>
        <span className="truncate text-accent underline underline-offset-2">
          run of <Untrusted>{run.agent ?? "an agent"}</Untrusted>
        </span>
        <span className="ml-auto shrink-0 text-xs text-muted">{run.calls} calls</span>
      </span>
      <span className="block w-full pl-9">
        <Bars stretches={stretchesOf(run)} scale={scale} />
      </span>
    </Link>
  );
}
