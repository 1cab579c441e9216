/** Two runs side by side, aligned by their calls; what is equal is folded. */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { PageHead } from "../../ui/card.tsx";
import { Empty, Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import type { RunSummary } from "../runs/row.tsx";
import { type Comparison, folded, readComparison } from "./comparison.ts";
import { EqualPairs, OnePair } from "./pair.tsx";
import { Totals } from "./totals.tsx";

export function ComparisonPage() {
  const { id, other } = useParams({ from: "/runs/$id/beside/$other" });
  const { data, error, refetch } = useQuery({
    queryKey: ["runs", "comparison", id, other],
    queryFn: () => readComparison(id, other),
  });
  if (data === undefined)
    return error === null ? <Skeleton lines={8} /> : <Failure error={error} retry={() => void refetch()} />;
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
      <Pairs comparison={data} />
    </>
  );
}

function aboutText({ differs, steps }: Comparison): string {
  const pairs = folded(steps).reduce((sum, one) => sum + (one.kind === "other" ? 1 : 0), 0);
  if (!differs) return `All ${steps.length} steps are the same, but for cost and time.`;
  return `${pairs} of ${steps.length} steps differ in more than cost and time.`;
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
      <p className="text-muted">
        <Untrusted>{run.agent}</Untrusted> in <Untrusted>{run.environment}</Untrusted>, <Time at={run.started_at} />
      </p>
    </section>
  );
}

function Pairs({ comparison }: { readonly comparison: Comparison }): ReactNode {
  const { all = false } = useSearch({ from: "/runs/$id/beside/$other" });
  const { left, right, steps } = comparison;
  if (steps.length === 0) return <Empty title="Neither run has a call">There is nothing to lay side by side.</Empty>;
  return (
    <>
      <p className="mb-2 text-right text-sm">
        <Link to="." search={all ? {} : { all: true }} replace className="text-accent underline underline-offset-2">
          {all ? "Fold what is equal" : "Unfold everything"}
        </Link>
      </p>
      <ol className="space-y-2">
        {folded(steps).map((one) =>
          one.kind === "other" ? (
            <li key={keyOf(one.pair)}>
              <OnePair left={left.id} right={right.id} pair={one.pair} />
            </li>
          ) : (
            <li key={one.pairs.map(keyOf).join()}>
              <EqualPairs key={String(all)} left={left.id} right={right.id} pairs={one.pairs} open={all} />
            </li>
          ),
        )}
      </ol>
    </>
  );
}

function keyOf({ left, right }: Comparison["steps"][number]): string {
  return `${left?.number ?? ""}:${right?.number ?? ""}`;
}
