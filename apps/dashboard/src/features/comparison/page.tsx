/** Two runs side by side, aligned by their calls; what is equal is folded. */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useShortcuts } from "../../app/shortcuts.ts";
import { Button } from "../../ui/button.tsx";
import { PageHead } from "../../ui/card.tsx";
import { Empty, Unread } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { WindowList, type WindowListHandle } from "../../ui/window-list.tsx";
import { agentText, type RunSummary } from "../runs/row.tsx";
import { type Comparison, countOther, linesOf, readComparison } from "./comparison.ts";
import { EqualPair, Fold, numbersText, OneDifference, OnePair } from "./pair.tsx";
import { Totals } from "./totals.tsx";

export function ComparisonPage() {
  const { id, other } = useParams({ from: "/runs/$id/beside/$other" });
  useLayoutEffect(() => {
    scrollTo(0, 0);
  }, []);
  const { data, error, refetch } = useQuery({
    queryKey: ["runs", "comparison", id, other],
    queryFn: () => readComparison(id, other),
  });
  if (data === undefined) return <Unread title="Two runs" error={error} retry={() => void refetch()} />;
  return (
    <div data-wide>
      <PageHead title="Two runs" about={aboutText(data)}>
        <Link
          to="/runs/$id/beside/$other"
          params={{ id: other, other: id }}
          className="font-medium text-accent underline underline-offset-2"
        >
          Swap sides
        </Link>
      </PageHead>
      <div className="mb-5 grid gap-x-4 gap-y-3 md:grid-cols-2">
        <Side name="First" run={data.left} />
        <Side name="Second" run={data.right} />
      </div>
      <Pairs comparison={data}>
        <Totals left={data.totals.left} right={data.totals.right} />
        {data.about.length === 0 ? null : (
          <section
            aria-label="The runs as a whole"
            className="mb-5 rounded-card border border-line bg-surface px-4 py-3"
          >
            <h2 className="font-semibold">The runs as a whole</h2>
            {data.about.map((difference) => (
              <OneDifference key={difference.what} difference={difference} />
            ))}
          </section>
        )}
      </Pairs>
    </div>
  );
}

function aboutText({ first, steps }: Comparison): string {
  if (first === null) return `All ${steps.length} steps are the same, but for cost and time.`;
  return `${countOther(steps)} of ${steps.length} steps differ in more than cost and time.`;
}

function Side({ name, run }: { readonly name: string; readonly run: RunSummary }) {
  return (
    <section aria-label={`${name} run`} className="rounded-card border border-line bg-surface px-4 py-3">
      <h2 className="text-sm font-semibold text-muted">{name}</h2>
      <Link
        to="/runs/$id"
        params={{ id: run.id }}
        className="font-mono text-sm break-all text-accent underline underline-offset-2"
      >
        {run.id}
      </Link>
      <p className="wrap-anywhere text-muted">
        <Untrusted>{agentText(run)}</Untrusted> in <Untrusted>{run.environment}</Untrusted>,{" "}
        <Time at={run.started_at} />
      </p>
    </section>
  );
}

const NONE: ReadonlySet<string> = new Set();

interface PairsProps {
  readonly comparison: Comparison;
  /** What stands between the way to the first difference and the steps. */
  readonly children: ReactNode;
}

function Pairs({ comparison, children }: PairsProps): ReactNode {
  const { all = false } = useSearch({ from: "/runs/$id/beside/$other" });
  const { left, right, steps } = comparison;
  const [{ of, turned }, setTurned] = useState({ of: all, turned: NONE });
  const list = useRef<WindowListHandle>(null);
  /** The difference that was jumped to. */
  const [current, setCurrent] = useState<string | null>(null);
  // Folding or unfolding everything forgets what was turned one by one.
  const own = of === all ? turned : NONE;
  const lines = useMemo(() => linesOf(steps, all, own), [steps, all, own]);
  const keys = useMemo(() => lines.map(({ key }) => key), [lines]);
  if (steps.length === 0) {
    return (
      <>
        {children}
        <Empty title="Neither run has a call">There is nothing to lay side by side.</Empty>
      </>
    );
  }
  const turn = (fold: string) => {
    const next = new Set(own);
    if (!next.delete(fold)) next.add(fold);
    setTurned({ of: all, turned: next });
  };
  const others = lines.flatMap(({ kind, key }) => (kind === "other" ? [key] : []));
  const jump = (to: string | undefined) => {
    if (to === undefined) return;
    setCurrent(to);
    list.current?.show(to, "start");
  };
  const at = others.indexOf(current ?? "");
  const row = (index: number): ReactNode => {
    const line = lines[index];
    switch (line?.kind) {
      case undefined:
        return null;
      case "other":
        return <OnePair left={left.id} right={right.id} pair={line.pair} current={line.key === current} />;
      case "fold":
        return <Fold count={line.count} open={line.open} onTurn={() => turn(line.key)} />;
      case "equal":
        return <EqualPair left={left.id} right={right.id} pair={line.pair} />;
    }
  };
  const first = lines.find(({ kind }) => kind === "other");
  return (
    <>
      <Jumps onNext={() => jump(others[at + 1])} onBefore={() => jump(others[at - 1])} />
      <div className="mb-4 flex flex-wrap items-center justify-between gap-x-4">
        {first?.kind === "other" ? (
          <Button onClick={() => jump(first.key)}>
            First difference: {numbersText(first.pair)}
            <kbd className="font-mono text-xs text-muted max-sm:hidden">n</kbd>
          </Button>
        ) : (
          <span />
        )}
        <Link
          to="."
          search={all ? {} : { all: true }}
          replace
          className="inline-flex min-h-11 items-center text-sm text-accent underline underline-offset-2 md:min-h-9"
        >
          {all ? "Fold what is equal" : "Unfold everything"}
        </Link>
      </div>
      {children}
      {/* Which column is which stays in sight. */}
      <div className="sticky top-[3.3rem] z-10 mb-2 hidden grid-cols-2 gap-x-4 border-b border-line bg-canvas px-4 py-1.5 text-sm lg:grid">
        <Column name="First" run={left} />
        <Column name="Second" run={right} />
      </div>
      <WindowList
        ref={list}
        label="Steps of both runs"
        keys={keys}
        row={row}
        rowPx={LINE_PX}
        gapPx={8}
        few={60}
        kept={current}
        topPx={TOP_PX}
      />
    </>
  );
}

/** The bar of the page, and the names of the columns below it. */
const TOP_PX = 100;

function Jumps({ onNext, onBefore }: { readonly onNext: () => void; readonly onBefore: () => void }) {
  useShortcuts([
    { keys: "n", does: "next difference", run: onNext },
    { keys: "p", does: "the one before", run: onBefore },
  ]);
  return null;
}

function Column({ name, run }: { readonly name: string; readonly run: RunSummary }) {
  return (
    <span className="truncate text-muted">
      <span className="font-semibold text-ink">{name}</span> <span className="font-mono">{run.id}</span>
    </span>
  );
}

const LINE_PX = 60;
