/** What the run was in one look: for whom, how long, how much, what went on. */
import { dollarsText, spanText } from "@saferun/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { PageHead } from "../../ui/card.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { words } from "../../ui/words.ts";
import { agentText, Liveness } from "../runs/row.tsx";
import { StageMark } from "./bars.tsx";
import { ContentView, shownOf } from "./content.tsx";
import { RunNav } from "./nav.tsx";
import { Stopped } from "./stopped.tsx";
import type { Outline } from "./tree.ts";

export function RunHead({ outline, children }: { readonly outline: Outline; readonly children: ReactNode }) {
  const { run } = outline;
  const principal = shownOf(outline.principal);
  const id = typeof principal === "object" && principal !== null && "id" in principal ? principal.id : undefined;
  return (
    <>
      <RunNav id={run.id} />
      <div className="relative max-md:*:mb-3 max-md:*:gap-y-0">
        <PageHead
          title={
            <span className="flex min-h-11 flex-wrap items-center gap-x-3 max-md:pr-24 md:min-h-0">
              <Untrusted className="min-w-0 wrap-anywhere">{agentText(run)}</Untrusted>
              <span className="flex flex-wrap gap-1.5 text-base">
                <Liveness run={run} />
              </span>
            </span>
          }
          about={
            <>
              in <Untrusted>{run.environment}</Untrusted>
              {typeof id === "string" && id !== "" ? (
                <>
                  {" "}
                  for <Untrusted>{id}</Untrusted>
                </>
              ) : null}
              , <Time at={run.started_at} />, lasted {spanText(outline.last_at - outline.started_at)}
              <span className="block truncate font-mono text-sm" title={run.id}>
                {run.id}
              </span>
              <Around runs={outline.around} />
            </>
          }
        >
          {children}
        </PageHead>
      </div>
      <Stopped run={run} />
      {outline.gaps.map(({ from, to }) => (
        <p key={from} role="alert" className="mb-3 rounded-md bg-deny-soft px-3 py-2 text-deny">
          Entries {from} to {to} of this run are not in the log: this is not the whole run.
        </p>
      ))}
      <Words prompt={outline.prompt} />
      <Totals totals={outline.totals} waiting={run.waiting > 0} />
    </>
  );
}

/** Whose sub-agent it was. */
function Around({ runs }: { readonly runs: readonly string[] }) {
  const [outer] = runs;
  if (outer === undefined) return null;
  return (
    <span className="block truncate text-sm">
      started within{" "}
      <Link to="/runs/$id" params={{ id: outer }} className="text-accent underline underline-offset-2">
        run <span className="font-mono">{outer}</span>
      </Link>
    </span>
  );
}

function Words({ prompt }: Pick<Outline, "prompt">) {
  if (prompt === null) return null;
  const value = shownOf(prompt);
  const texts = Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
  return (
    <div className="mb-3 border-l-2 border-line-strong pl-3 md:mb-4">
      <p className="text-sm text-muted">The person asked</p>
      {texts.length === 0 ? (
        <ContentView content={prompt} />
      ) : (
        <p className="line-clamp-2 break-words md:line-clamp-3">
          <Untrusted>{texts.join("\n")}</Untrusted>
        </p>
      )}
    </div>
  );
}

function Totals({ totals, waiting }: { readonly totals: Outline["totals"]; readonly waiting: boolean }) {
  const models = totals.models > 0;
  return (
    <dl className="mb-3 flex flex-wrap gap-x-4 gap-y-0.5 md:mb-5 md:gap-x-8 md:gap-y-3">
      <Figure name="calls">
        {totals.calls.toLocaleString()}
        {totals.denied === 0 ? null : (
          <span className="ml-1.5 text-sm text-deny md:text-base">{totals.denied.toLocaleString()} refused</span>
        )}
      </Figure>
      <Figure less name="evaluate" mark={<StageMark stage="evaluate" />}>
        {spanText(totals.evaluate_ms)}
      </Figure>
      <Figure name="wait" mark={<StageMark stage="wait" />}>
        {spanText(totals.wait_ms)}
        {waiting ? <span className="ml-1.5 text-sm text-pause md:text-base">and going on</span> : null}
      </Figure>
      <Figure name="execute" mark={<StageMark stage="execute" />}>
        {spanText(totals.execute_ms)}
      </Figure>
      {models ? (
        <>
          <Figure name="model turns">
            {totals.models.toLocaleString()}
            <span className="ml-1.5 text-sm text-muted md:text-base">{spanText(totals.model_ms)}</span>
          </Figure>
          <Figure less name="tokens in + out">
            {totals.input_tokens.toLocaleString()} + {totals.output_tokens.toLocaleString()}
          </Figure>
          <Figure name="cost">
            {dollarsText(totals.usd_micros)}
            {totals.estimated ? (
              <span className="ml-1.5 text-sm text-muted md:text-base">in part estimated</span>
            ) : null}
            {totals.unpriced === 0 ? null : (
              <span className="ml-1.5 text-sm text-muted md:text-base">{totals.unpriced} without a price</span>
            )}
          </Figure>
        </>
      ) : null}
    </dl>
  );
}

function Figure({
  name,
  mark,
  less = false,
  children,
}: {
  readonly name: string;
  /** Not on a phone: each step says it of itself. */
  readonly less?: boolean;
  readonly mark?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <div className={words("items-baseline gap-1.5 md:block", less ? "hidden" : "flex")}>
      <dt className="flex items-center gap-1.5 text-sm text-muted">
        {mark}
        {name}
      </dt>
      <dd className="font-semibold tabular-nums md:text-xl">{children}</dd>
    </div>
  );
}
