/** What the texts would have made of the recorded calls, call by call. */
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { StateBadge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { SelectField } from "../../ui/field.tsx";
import { Failure } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { type BacktestResult, backtestResult } from "./backtest-result.ts";
import { backtest, type PolicyText } from "./read.ts";

const DAY_MS = 86_400_000;
const SPANS = { "all calls": undefined, "the last day": 1, "the last 7 days": 7, "the last 30 days": 30 } as const;
type Span = keyof typeof SPANS;

export interface BacktestProps {
  readonly texts: readonly PolicyText[];
  readonly usable: boolean;
  /** Of the texts: a result of others says so. */
  readonly revision: string | null;
}

export function Backtest({ texts, usable, revision }: BacktestProps) {
  const [span, setSpan] = useState<Span>("all calls");
  const run = useMutation({
    mutationFn: () => {
      const days = SPANS[span];
      return backtest(texts, days === undefined ? undefined : new Date(Date.now() - days * DAY_MS).toISOString());
    },
  });
  return (
    <div className="space-y-4">
      <p className="text-muted">
        Judges what agents really called by the texts in the editor. Nothing is run or recorded.
      </p>
      <form
        className="flex flex-wrap items-end gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          run.mutate();
        }}
      >
        <SelectField
          label="Calls of"
          choices={Object.keys(SPANS)}
          value={span}
          onChange={(event) => setSpan(event.target.value as Span)}
        />
        <Button type="submit" tone="primary" busy={run.isPending} disabled={!usable} className="mb-1">
          Judge them again
        </Button>
      </form>
      {run.error === null ? null : <Failure error={run.error} />}
      {run.data === undefined ? null : (
        <>
          {run.data.revision === revision ? null : (
            <p className="rounded-md bg-pause-soft px-3 py-2">
              The texts were changed since: this is of what they said.
            </p>
          )}
          <BacktestReport result={backtestResult(run.data)} />
        </>
      )}
    </div>
  );
}

export function BacktestReport({ result }: { readonly result: BacktestResult }) {
  const { judged, changed, otherRules, missing, moves, changes, leftOut } = result;
  if (judged === 0 && missing.length === 0) return <p>The record holds no call of that time.</p>;
  return (
    <section aria-label="Backtest" aria-live="polite">
      <p className="font-medium">
        {changed === 0 ? "No verdict changes" : `${count(changed, "verdict")} ${changed === 1 ? "changes" : "change"}`}{" "}
        of {count(judged, "call")}.
      </p>
      <ul className="mt-2 flex flex-wrap gap-x-5 gap-y-1">
        {moves.map(({ from, to, calls }) => (
          <li key={`${from} ${to}`} className="flex items-center gap-1.5">
            <Move from={from} to={to} /> <span className="tabular-nums">{calls.toLocaleString()}</span>
          </li>
        ))}
      </ul>
      {otherRules === 0 ? null : (
        <p className="mt-1 text-muted">{count(otherRules, "call")} with the same verdict by other rules.</p>
      )}
      {missing.map(([why, calls]) => (
        <p key={why} className="mt-1 text-muted">
          {count(calls, "call")} cannot be judged again: {why}.
        </p>
      ))}
      {changes.length === 0 ? null : (
        <ul
          aria-label="Changed calls"
          className="mt-3 max-h-96 divide-y divide-line overflow-auto rounded-md border border-line"
        >
          {changes.map((change) => (
            <li key={change.call} className="px-3 py-2">
              <p className="flex flex-wrap items-center gap-2">
                <Move from={change.from} to={change.to} />
                <span className="font-mono break-all">
                  <Untrusted>{change.tool}</Untrusted>
                </span>
                {change.run === undefined ? null : (
                  <Link
                    to="/runs/$id"
                    params={{ id: change.run }}
                    search={change.step === undefined ? {} : { step: change.step }}
                    className="ml-auto text-accent underline underline-offset-2"
                  >
                    {change.step === undefined ? "its run" : `step ${change.step}`}
                  </Link>
                )}
              </p>
              <p className="font-mono text-sm break-all text-muted">
                <Untrusted>{change.by}</Untrusted>
              </p>
            </li>
          ))}
        </ul>
      )}
      {leftOut === 0 ? null : <p className="mt-1 text-muted">and {count(leftOut, "changed call")} more</p>}
    </section>
  );
}

function Move({ from, to }: { readonly from: string; readonly to: string }) {
  return (
    <span className="inline-flex items-center gap-1">
      <StateBadge state={from} />
      <span aria-hidden="true">→</span>
      <span className="sr-only">becomes</span>
      <StateBadge state={to} />
    </span>
  );
}

function count(number: number, word: string): string {
  return `${number.toLocaleString()} ${word}${number === 1 ? "" : "s"}`;
}
