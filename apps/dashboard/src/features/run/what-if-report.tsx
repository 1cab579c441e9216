/** Every decision that would have come out otherwise. */
import { NOT_REPRODUCIBLE } from "@saferun/core";
import { Link } from "@tanstack/react-router";
import type { api, ask } from "../../api/client.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Rules } from "./tabs/decision.tsx";

type WhatIf = (typeof api.runs)[":id"]["what-if"];
export type Report = Awaited<ReturnType<typeof ask<Awaited<ReturnType<WhatIf["$post"]>>>>>;
type Change = Report["changes"][number];

export interface WhatIfReportProps {
  readonly run: string;
  readonly report: Report;
  readonly onLeave: () => void;
}

export function WhatIfReport({ run, report, onLeave }: WhatIfReportProps) {
  const { changes, judged, not_reproducible: left } = report;
  return (
    <section role="status" aria-label="What would have been">
      <p className="font-semibold">
        {changes.length === 0 ? "Nothing would be other" : `${changes.length} would be other`} of {judged}{" "}
        {judged === 1 ? "decision" : "decisions"}.
      </p>
      <p className="text-sm text-muted">
        Budgets and detectors begin empty here: what other runs had spent or done before is not counted.
      </p>
      <ol className="mt-3 space-y-2">
        {changes.map((change) => (
          <li key={`${change.kind} ${change.id}`} className="rounded-md border border-line px-3 py-2.5">
            <ChangedDecision run={run} change={change} onLeave={onLeave} />
          </li>
        ))}
      </ol>
      {left.length === 0 ? null : (
        <ul className="mt-3 text-sm text-muted">
          {left.map(({ step, tool, why }, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two of them may be the same, and none ever moves
            <li key={at}>
              Not reproducible: <StepLink run={run} step={step} onLeave={onLeave} /> <Untrusted>{tool}</Untrusted>,{" "}
              {NOT_REPRODUCIBLE[why].why}; {NOT_REPRODUCIBLE[why].instead}.
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function ChangedDecision({
  run,
  change,
  onLeave,
}: {
  readonly run: string;
  readonly change: Change;
  readonly onLeave: () => void;
}) {
  const { tool, step, before, after } = change;
  return (
    <>
      <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <StepLink run={run} step={step} onLeave={onLeave} />
        <Untrusted className="font-semibold">{tool}</Untrusted>
        <StateBadge state={before.verdict} />
        <span aria-hidden="true">→</span>
        <span className="sr-only">would become</span>
        <StateBadge state={after.verdict} />
        <span className="font-medium">{wouldText(change)}</span>
      </p>
      {after.reason === null ? null : (
        <p className="mt-1">
          <Untrusted>{after.reason}</Untrusted>
        </p>
      )}
      {after.changed === null || after.changed === before.changed ? null : (
        <p className="mt-1 text-sm break-words">
          It would run with <Untrusted className="font-mono">{after.changed}</Untrusted>
        </p>
      )}
      <Rules rules={after.rules.filter(({ verdict }) => verdict === after.verdict)} />
    </>
  );
}

interface StepLinkProps extends Pick<WhatIfReportProps, "run" | "onLeave"> {
  readonly step: number | null;
}

function StepLink({ run, step, onLeave }: StepLinkProps) {
  if (step === null) return null;
  return (
    <Link
      to="/runs/$id"
      params={{ id: run }}
      search={{ step, tab: "Decision" }}
      onClick={onLeave}
      className="text-accent underline underline-offset-2"
    >
      step {step}
    </Link>
  );
}

/** In words of what really happens: a call that ran and would not is what one looks for. */
function wouldText({ before, after }: Change): string {
  if (before.ran && after.verdict === "deny") return "would have been denied";
  if (before.ran && !after.ran) return "would have waited for a person";
  if (!before.ran && after.ran) return "would have run";
  return after.verdict === "deny"
    ? "would be denied"
    : after.verdict === "pause"
      ? "would be asked about"
      : "would be let through";
}
