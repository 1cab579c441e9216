/** A tool of an agent as one line; unfolded, every answer that the rules have, with a call that gets it. */
import { Badge, StateBadge } from "../../ui/badge.tsx";
import { CountBadges } from "../../ui/counts.tsx";
import { JsonTree } from "../../ui/json-tree.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { valueAt } from "../../ui/value-at.ts";
import type { Answers, ToolLine } from "./tools.ts";

export function ToolRow({ line: { tool, kind, called, answers } }: { readonly line: ToolLine }) {
  const line = (
    <span className="grid grow grid-cols-[1fr_auto] items-center gap-x-4 gap-y-1 md:grid-cols-[minmax(10rem,1fr)_11rem_minmax(16rem,1fr)]">
      <span className="min-w-0 font-mono wrap-anywhere">
        <Untrusted>{tool}</Untrusted>{" "}
        {kind === undefined ? (
          <Badge tone="pause">not in the policies</Badge>
        ) : (
          <span className="text-sm text-muted">{kind}</span>
        )}
      </span>
      <Verdicts answers={answers} />
      <span className="col-span-2 flex items-center gap-3 text-muted md:col-span-1 md:justify-end">
        {called === undefined ? (
          "never called"
        ) : (
          <>
            <CountBadges counts={called.counts} />
            <Time at={called.last_seen} />
          </>
        )}
      </span>
    </span>
  );
  if (answers === undefined || answers.length === 0) return <li className="flex px-4 py-2.5 pl-9">{line}</li>;
  return (
    <li>
      <details className="group">
        <summary className="flex cursor-pointer list-none items-center gap-2 px-4 py-2.5 hover:bg-sunken focus-visible:-outline-offset-2">
          <span aria-hidden="true" className="w-3 text-muted group-open:rotate-90">
            ›
          </span>
          {line}
        </summary>
        <AnswerList answers={answers} />
      </details>
    </li>
  );
}

/** Each verdict once: with one, every call gets it; with several, the arguments decide. */
function Verdicts({ answers }: { readonly answers: Answers | undefined }) {
  if (answers === undefined) return <span />;
  const verdicts = [...new Set(answers.map(({ verdict }) => verdict))];
  return (
    <span className="flex flex-wrap justify-end gap-1.5 md:justify-start">
      <span className="sr-only">by the rules:</span>
      {verdicts.map((verdict) => (
        <StateBadge key={verdict} state={verdict} />
      ))}
      {answers.some(({ would }) => would !== null) ? <Badge>observed only</Badge> : null}
    </span>
  );
}

function AnswerList({ answers }: { readonly answers: Answers }) {
  return (
    <dl className="space-y-3 bg-sunken py-3 pr-4 pl-9">
      {answers.map((answer) => (
        <div key={JSON.stringify(answer)} className="grid gap-x-4 gap-y-1 md:grid-cols-[minmax(12rem,1fr)_2fr]">
          <dt>
            <StateBadge state={answer.verdict} />{" "}
            {answer.would === null ? null : (
              <>
                instead of <StateBadge state={answer.would.verdict} />{" "}
              </>
            )}
            by{" "}
            <Untrusted className="font-mono text-sm wrap-anywhere">{(answer.would ?? answer).by.join(", ")}</Untrusted>
            {answer.principal === null ? null : (
              <>
                {" "}
                for <Untrusted className="font-mono text-sm">{answer.principal}</Untrusted>
              </>
            )}
          </dt>
          <dd>
            <span className="text-sm text-muted">such as</span> <JsonTree value={valueAt(answer.example, "args")} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
