/** What the run was in one look: for whom, how long, how much, what went on. */
import { dollarsText, spanText } from "@saferun/core";
import type { ReactNode } from "react";
import { PageHead } from "../../ui/card.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { agentText, Liveness } from "../runs/row.tsx";
import { StageMark } from "./bars.tsx";
import { ContentView, shownOf } from "./content.tsx";
import type { Outline } from "./tree.ts";

export function RunHead({ outline, children }: { readonly outline: Outline; readonly children: ReactNode }) {
  const { run } = outline;
  const principal = shownOf(outline.principal);
  const id = typeof principal === "object" && principal !== null && "id" in principal ? principal.id : undefined;
  return (
    <>
      <PageHead
        title={
          <span className="inline-flex flex-wrap items-center gap-x-3">
            <Untrusted>{agentText(run)}</Untrusted>
            <span className="text-base">
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
            <span className="block font-mono text-sm break-all">{run.id}</span>
          </>
        }
      >
        {children}
      </PageHead>
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

function Words({ prompt }: Pick<Outline, "prompt">) {
  if (prompt === null) return null;
  const value = shownOf(prompt);
  const texts = Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
  return (
    <div className="mb-4 border-l-2 border-line-strong pl-3">
      <p className="text-sm text-muted">The person asked</p>
      {texts.length === 0 ? (
        <ContentView content={prompt} />
      ) : (
        <p className="line-clamp-3 break-words">
          <Untrusted>{texts.join("\n")}</Untrusted>
        </p>
      )}
    </div>
  );
}

function Totals({ totals, waiting }: { readonly totals: Outline["totals"]; readonly waiting: boolean }) {
  const models = totals.models > 0;
  return (
    <dl className="mb-5 flex flex-wrap gap-x-8 gap-y-3">
      <Figure name="calls">
        {totals.calls.toLocaleString()}
        {totals.denied === 0 ? null : (
          <span className="ml-1.5 text-base text-deny">{totals.denied.toLocaleString()} refused</span>
        )}
      </Figure>
      <Figure name="evaluate" mark={<StageMark stage="evaluate" />}>
        {spanText(totals.evaluate_ms)}
      </Figure>
      <Figure name="wait" mark={<StageMark stage="wait" />}>
        {spanText(totals.wait_ms)}
        {waiting ? <span className="ml-1.5 text-base text-pause">and going on</span> : null}
      </Figure>
      <Figure name="execute" mark={<StageMark stage="execute" />}>
        {spanText(totals.execute_ms)}
      </Figure>
      {models ? (
        <>
          <Figure name="model turns">
            {totals.models.toLocaleString()}
            <span className="ml-1.5 text-base text-muted">{spanText(totals.model_ms)}</span>
          </Figure>
          <Figure name="tokens in + out">
            {totals.input_tokens.toLocaleString()} + {totals.output_tokens.toLocaleString()}
          </Figure>
          <Figure name="cost">
            {dollarsText(totals.usd_micros)}
            {totals.estimated ? <span className="ml-1.5 text-base text-muted">in part estimated</span> : null}
            {totals.unpriced === 0 ? null : (
              <span className="ml-1.5 text-base text-muted">{totals.unpriced} without a price</span>
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
  children,
}: {
  readonly name: string;
  readonly mark?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <div>
      <dt className="flex items-center gap-1.5 text-sm text-muted">
        {mark}
        {name}
      </dt>
      <dd className="text-xl font-semibold tabular-nums">{children}</dd>
    </div>
  );
}
