/** One step whole, in tabs; which one stands in the address. */
import { Link, useSearch } from "@tanstack/react-router";
import { memo } from "react";
import { useShortcuts } from "../../app/shortcuts.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { Failure } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time, useNow } from "../../ui/time.tsx";
import { words } from "../../ui/words.ts";
import { StageMark, stagesText } from "./bars.tsx";
import { ArgumentsTab } from "./tabs/arguments.tsx";
import { DecisionTab } from "./tabs/decision.tsx";
import { PromptTab } from "./tabs/prompt.tsx";
import { RawTab } from "./tabs/raw.tsx";
import { ResultTab } from "./tabs/result.tsx";
import { type Held, isOpen, nameOf, type Outline, type Step, type Stretch, stretchesOf } from "./tree.ts";
import { useHeld } from "./use-held.ts";

export const TABS = ["Arguments", "Decision", "Result", "Prompt", "Raw"] as const;
export type Tab = (typeof TABS)[number];

export interface DetailProps {
  readonly outline: Outline;
  readonly step: Step;
  /** Number of the run's last step. */
  readonly last: number;
  readonly onTab: (tab: Tab) => void;
}

export const Detail = memo(function Detail({ outline, step, last, onTab }: DetailProps) {
  const { tab: named } = useSearch({ from: "/runs/$id" });
  const tab = TABS.find((one) => one === named) ?? tellingTab(step);
  const { data: held, error, refetch } = useHeld(outline.run.id, step.number, last);
  useShortcuts(TABS.map((one, at) => ({ keys: `${at + 1}`, does: `show ${one}`, run: () => onTab(one) })));
  return (
    <section aria-label={`Step ${step.number}`} className="min-w-0">
      <Head step={step} />
      <nav aria-label="What is shown of the step" className="mt-3 flex gap-1 overflow-x-auto border-b border-line">
        {TABS.map((one) => (
          <Link
            key={one}
            to="."
            search={(search) => ({ ...search, step: step.number, tab: one })}
            replace
            aria-current={one === tab ? "page" : undefined}
            className={words(
              "-mb-px flex min-h-11 items-center border-b-2 px-3 md:min-h-9",
              one === tab ? "border-accent font-semibold" : "border-transparent text-muted hover:text-ink",
            )}
          >
            {one}
          </Link>
        ))}
      </nav>
      <div className="pt-4">
        {held !== undefined ? (
          <TabBody run={outline} held={held} tab={tab} />
        ) : error === null ? null : (
          <Failure error={error} retry={() => void refetch()} />
        )}
      </div>
    </section>
  );
});

/** Where nobody has chosen: why it was refused, what came of it, or what was asked for. */
function tellingTab({ kind, state }: Step): Tab {
  if (kind === "model") return "Result";
  if (state === "denied" || state === "expired" || state === "withdrawn") return "Decision";
  return state === "failed" ? "Result" : "Arguments";
}

function Head({ step }: { readonly step: Step }) {
  const { state } = step;
  return (
    <>
      <h2 className="flex flex-wrap items-center gap-2 text-lg font-semibold">
        <span className="text-muted tabular-nums">{step.number}</span>
        <Untrusted className="min-w-0 break-words">{nameOf(step)}</Untrusted>
        {state === null ? null : <StateBadge state={state} />}
      </h2>
      <p className="mt-0.5 text-sm wrap-anywhere text-muted">
        <Time at={new Date(step.at).toISOString()} />
        {step.agent === null ? null : (
          <>
            {" "}
            by <Untrusted>{step.agent}</Untrusted>
          </>
        )}
        {step.turn === null ? "" : `, turn ${step.turn}`}
      </p>
      <Stages step={step} />
    </>
  );
}

function Stages({ step }: { readonly step: Step }) {
  const stretches = stretchesOf(step);
  const stages = [...new Set(stretches.map(({ stage }) => stage))];
  return (
    <ul className="mt-1 flex flex-wrap gap-x-4 gap-y-1 text-sm">
      {stages.map((stage) => (
        <li key={stage} className="flex items-center gap-1.5 tabular-nums">
          <StageMark stage={stage} />
          <StageText stretches={stretches.filter((one) => one.stage === stage)} ticks={isOpen(step)} />
        </li>
      ))}
    </ul>
  );
}

function StageText({ stretches, ticks }: { readonly stretches: readonly Stretch[]; readonly ticks: boolean }) {
  return ticks ? <Ticking stretches={stretches} /> : stagesText(stretches, stretches[0]?.from ?? 0);
}

function Ticking({ stretches }: { readonly stretches: readonly Stretch[] }) {
  return stagesText(stretches, useNow());
}

interface TabBodyProps {
  readonly run: Outline;
  readonly held: Held;
  readonly tab: Tab;
}

const TabBody = memo(function TabBody({ run: { run, prompt }, held, tab }: TabBodyProps) {
  const { step } = held;
  switch (tab) {
    case "Arguments":
      return <ArgumentsTab held={held} />;
    case "Decision":
      return <DecisionTab step={step} />;
    case "Result":
      return <ResultTab step={step} />;
    case "Prompt":
      return <PromptTab run={run.id} words={prompt} number={step.number} />;
    case "Raw":
      return <RawTab key={step.number} run={run.id} step={step} />;
  }
});
