/** What agents do and did, the newest run first; it grows while one watches. */
import { Link, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { PageHead } from "../../ui/card.tsx";
import { Empty, Failure, Skeleton } from "../../ui/states.tsx";
import { keyOf, partsOf, type RunFilter } from "./filter.ts";
import { Filters, Lift } from "./filters.tsx";
import { Newer, RunList, useFollows } from "./list.tsx";
import type { RunAnswer } from "./read.ts";
import { useRuns } from "./use-runs.ts";

export function RunsPage() {
  const filter = useSearch({ from: "/runs" });
  const follows = useFollows(filter);
  const [sight, setSight] = useState({ first: 0, last: 0 });
  const runs = useRuns(filter, follows, sight);
  const { answer, total, newer, error, retry } = runs;
  return (
    <>
      <PageHead title="Runs" about={<About filter={filter} answer={answer} />} />
      <Filters filter={filter} tally={answer?.tally} />
      {error === null ? null : (
        <div className="mb-4">
          <Failure error={error} retry={retry} />
        </div>
      )}
      <Newer count={newer} />
      {answer === undefined && total === 0 ? (
        error === null ? (
          <Skeleton lines={6} />
        ) : null
      ) : total > 0 ? (
        <RunList key={keyOf(filter)} filter={filter} runs={runs} onSight={setSight} />
      ) : answer === undefined ? null : (
        <NoRuns filter={filter} answer={answer} />
      )}
      {answer === undefined || total === 0 ? null : <Reach answer={answer} filter={filter} />}
    </>
  );
}

function About({ filter, answer }: { readonly filter: RunFilter; readonly answer: RunAnswer | undefined }) {
  if (answer === undefined) return "What agents do, the newest first. It grows while you watch.";
  const asked = partsOf(filter).length > 0;
  if (answer.total === 0) return "What agents do, the newest first. It grows while you watch.";
  return (
    <span className="tabular-nums">
      {answer.total.toLocaleString()} {answer.total === 1 ? "run" : "runs"}
      {asked ? " like that" : ""}, the newest first.{asked ? "" : " It grows while you watch."}
    </span>
  );
}

/** What the list does not reach: said where it ends, never left out in silence. */
function Reach({ answer: { reach }, filter }: { readonly answer: RunAnswer; readonly filter: RunFilter }) {
  const counted = reach.from === 0;
  const asks = filter.tool !== undefined || filter.principal !== undefined || filter.happened !== undefined;
  if (reach.whole && counted) return null;
  return (
    <p className="mt-4 text-center text-sm text-muted">
      {reach.whole ? "" : `The list reaches back ${reach.runs.toLocaleString()} runs. `}
      {counted
        ? ""
        : `What happened in a run is counted from entry ${reach.from.toLocaleString()} on${asks ? ": older runs are not found by it" : ""}. `}
      <Link to="/log" className="text-accent underline underline-offset-2">
        The log finds older ones
      </Link>
      .
    </p>
  );
}

function NoRuns({ filter, answer }: { readonly filter: RunFilter; readonly answer: RunAnswer }) {
  if (partsOf(filter).length > 0) {
    return (
      <>
        <Empty title="No run is like that">
          Nothing fits all of what is asked for.
          <Lift filter={filter} answer={answer} />
        </Empty>
        <Reach answer={answer} filter={filter} />
      </>
    );
  }
  return (
    <Empty title="No agent has run yet">
      <p>
        A run is one execution of an agent: its model's turns and the calls of its tools, each with what the policies
        said of it.{" "}
        <Link to="/" className="font-medium text-accent underline underline-offset-2">
          The inbox has the lines
        </Link>{" "}
        that put the gate in front of yours; its run then appears here while it goes on.
      </p>
    </Empty>
  );
}
