/** A run, step by step. Which step and which tab is shown stands in the address. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { memo, useCallback, useDeferredValue, useLayoutEffect, useMemo } from "react";
import { Card } from "../../ui/card.tsx";
import { Empty, Unread } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { words } from "../../ui/words.ts";
import { RunActions } from "./actions.tsx";
import { StageMark } from "./bars.tsx";
import { Detail, type Tab } from "./detail.tsx";
import { RunHead } from "./head.tsx";
import { Scrubber } from "./scrubber.tsx";
import { firstLook, isOpen, isStep, nameOf, type Outline, readRun, type Step } from "./tree.ts";
import { useStep } from "./use-step.ts";
import { Waterfall } from "./waterfall.tsx";

export function RunPage() {
  const { id } = useParams({ from: "/runs/$id" });
  // Another run begins at its own top, wherever one came from.
  useLayoutEffect(() => {
    if (id !== "") scrollTo(0, 0);
  }, [id]);
  const { data, error, refetch } = useQuery({ queryKey: ["run", id], queryFn: () => readRun(id) });
  if (data === undefined) return <Unread title="Run" error={error} retry={() => void refetch()} />;
  return (
    <div data-wide>
      <RunHead key={id} outline={data}>
        <RunActions run={data.run} />
      </RunHead>
      <Steps key={id} outline={data} />
    </div>
  );
}

function Steps({ outline }: { readonly outline: Outline }) {
  const { rows } = outline;
  const steps = useMemo(() => rows.filter(isStep), [rows]);
  const first = useMemo(() => firstLook(steps), [steps]);
  const [current, go] = useStep(first, Math.max(1, steps.length));
  const { scale = false } = useSearch({ from: "/runs/$id" });
  const navigate = useNavigate({ from: "/runs/$id" });
  // The slider follows the hand at once; the list and the step's content follow when there is time for them.
  const followed = useDeferredValue(current);
  const shown = steps[followed - 1];
  const setTab = useCallback(
    (tab: Tab) => void navigate({ search: (search) => ({ ...search, step: followed, tab }), replace: true }),
    [navigate, followed],
  );
  if (steps.length === 0) {
    return <Empty title="Nothing has happened in this run yet">Its first step appears here at once.</Empty>;
  }
  return (
    <>
      <Pending steps={steps} onChoose={go} />
      <Card className="overflow-hidden">
        <div className="border-b border-line px-3 py-2">
          <Scrubber steps={steps} current={current} onChoose={go} />
        </div>
        <div className="grid lg:grid-cols-2">
          <div className="min-w-0 border-b border-line lg:border-r lg:border-b-0">
            <Legend toScale={scale} />
            <Waterfall outline={outline} current={followed} toScale={scale} onChoose={go} />
          </div>
          <div className="min-w-0 p-4 lg:max-h-[calc(62dvh+2.75rem)] lg:overflow-y-auto">
            {shown === undefined ? null : <Detail outline={outline} step={shown} last={steps.length} onTab={setTab} />}
          </div>
        </div>
      </Card>
      <p className="mt-2 hidden flex-wrap gap-x-5 text-sm text-muted lg:flex">
        {HINTS.map(([keys, does]) => (
          <span key={keys}>
            <kbd className="font-mono text-ink">{keys}</kbd> {does}
          </span>
        ))}
      </p>
    </>
  );
}

/** What one needs most; `?` shows all. */
const HINTS = [
  ["← →", "step by step"],
  ["n p", "what waits or went wrong"],
  ["1–5", "tabs"],
  ["[ ]", "newer, older run"],
  ["u", "back to the list"],
  ["?", "all keys"],
] as const;

/** What is not over comes first: it is what somebody may have to do something about. */
const Pending = memo(function Pending({
  steps,
  onChoose,
}: {
  readonly steps: readonly Step[];
  readonly onChoose: (step: number) => void;
}) {
  const open = steps.filter(isOpen);
  if (open.length === 0) return null;
  return (
    <section aria-label="Not over yet" className="mb-4 rounded-card border border-pause bg-pause-soft px-4 py-3">
      <ul className="space-y-1.5">
        {open.slice(0, MOST_PENDING).map((step) => (
          <li key={step.number} className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <button
              type="button"
              className="font-semibold underline underline-offset-2"
              onClick={() => onChoose(step.number)}
            >
              {step.number}. <Untrusted>{nameOf(step)}</Untrusted>
            </button>
            <span>{OPEN_TEXT[step.state ?? ""]}</span>
            <AnswerLink step={step} />
          </li>
        ))}
      </ul>
      {open.length > MOST_PENDING ? <p className="mt-1.5">and {open.length - MOST_PENDING} more</p> : null}
    </section>
  );
});

const MOST_PENDING = 5;
const OPEN_TEXT: Readonly<Record<string, string>> = {
  waiting: "waits for a person",
  suspended: "is suspended",
  approved: "was approved and has not started yet",
  executing: "runs",
  pending: "waits for the model",
};

function AnswerLink({ step }: { readonly step: Step }) {
  if (step.approval === null) return null;
  return (
    <Link to="/" search={{ approval: step.approval }} className="font-medium text-accent underline underline-offset-2">
      answer it
    </Link>
  );
}

function Legend({ toScale }: { readonly toScale: boolean }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-2 text-sm text-muted">
      {(["evaluate", "wait", "execute"] as const).map((stage) => (
        <span key={stage} className="flex items-center gap-1.5">
          <StageMark stage={stage} />
          {stage}
        </span>
      ))}
      <Link
        to="."
        search={({ scale: _, ...search }) => (toScale ? search : { ...search, scale: true })}
        replace
        className={words("ml-auto underline underline-offset-2", toScale ? "font-medium text-ink" : "text-accent")}
        title={toScale ? "Show short steps beside long waits" : "Lengths are squeezed: the longer, the more"}
      >
        {toScale ? "squeeze long waits" : "draw to scale"}
      </Link>
    </div>
  );
}
