/** Two runs side by side, aligned by their calls; what is equal is folded. */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { PageHead } from "../../ui/card.tsx";
import { Empty, Unread } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { WindowList } from "../../ui/window-list.tsx";
import { agentText, type RunSummary } from "../runs/row.tsx";
import { type Comparison, countOther, linesOf, readComparison } from "./comparison.ts";
import { EqualPair, Fold, OneDifference, OnePair } from "./pair.tsx";
import { Totals } from "./totals.tsx";

export function ComparisonPage() {
  const { id, other } = useParams({ from: "/runs/$id/beside/$other" });
  const { data, error, refetch } = useQuery({
    queryKey: ["runs", "comparison", id, other],
    queryFn: () => readComparison(id, other),
  });
  if (data === undefined) return <Unread title="Two runs" error={error} retry={() => void refetch()} />;
  return (
    <>
      <PageHead title="Two runs" about={aboutText(data)}>
        <Link
          to="/runs/$id/beside/$other"
          params={{ id: other, other: id }}
          className="font-medium text-accent underline underline-offset-2"
        >
          Swap sides
        </Link>
      </PageHead>
      <div className="mb-5 grid gap-3 md:grid-cols-2">
        <Side name="First" run={data.left} />
        <Side name="Second" run={data.right} />
      </div>
      <Totals left={data.totals.left} right={data.totals.right} />
      {data.about.length === 0 ? null : (
        <section aria-label="The runs as a whole" className="mb-5 rounded-card border border-line bg-surface px-4 py-3">
          <h2 className="font-semibold">The runs as a whole</h2>
          {data.about.map((difference) => (
            <OneDifference key={difference.what} difference={difference} />
          ))}
        </section>
      )}
      <Pairs comparison={data} />
    </>
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

function Pairs({ comparison }: { readonly comparison: Comparison }): ReactNode {
  const { all = false } = useSearch({ from: "/runs/$id/beside/$other" });
  const { left, right, steps } = comparison;
  const [{ of, turned }, setTurned] = useState({ of: all, turned: NONE });
  // Folding or unfolding everything forgets what was turned one by one.
  const own = of === all ? turned : NONE;
  const lines = useMemo(() => linesOf(steps, all, own), [steps, all, own]);
  const keys = useMemo(() => lines.map(({ key }) => key), [lines]);
  if (steps.length === 0) return <Empty title="Neither run has a call">There is nothing to lay side by side.</Empty>;
  const turn = (fold: string) => {
    const next = new Set(own);
    if (!next.delete(fold)) next.add(fold);
    setTurned({ of: all, turned: next });
  };
  const row = (index: number): ReactNode => {
    const line = lines[index];
    switch (line?.kind) {
      case undefined:
        return null;
      case "other":
        return <OnePair left={left.id} right={right.id} pair={line.pair} />;
      case "fold":
        return <Fold count={line.count} open={line.open} onTurn={() => turn(line.key)} />;
      case "equal":
        return <EqualPair left={left.id} right={right.id} pair={line.pair} />;
    }
  };
  return (
    <>
      <p className="mb-2 text-right text-sm">
        <Link to="." search={all ? {} : { all: true }} replace className="text-accent underline underline-offset-2">
          {all ? "Fold what is equal" : "Unfold everything"}
        </Link>
      </p>
      <WindowList label="Steps of both runs" keys={keys} row={row} rowPx={LINE_PX} gapPx={8} few={60} />
    </>
  );
}

const LINE_PX = 60;
