/** Why it was let through, stopped or put before a person: rules with their places in the files, and what was answered. */
import { Link } from "@tanstack/react-router";
import { Badge, StateBadge } from "../../../ui/badge.tsx";
import { Untrusted } from "../../../ui/text.tsx";
import { Time } from "../../../ui/time.tsx";
import type { CallStep, Decision, Held } from "../tree.ts";
import { Part } from "./part.tsx";

export function DecisionTab({ step }: Pick<Held, "step">) {
  const decisions =
    step.kind === "call" ? step.decisions : step.kind === "model" && step.decision ? [step.decision] : [];
  const approvals = step.kind === "call" ? step.approvals : [];
  if (decisions.length + approvals.length === 0) return <p className="text-muted">Nothing was decided here.</p>;
  return (
    <>
      {decisions.map((decision) => (
        <OneDecision key={decision.seq} decision={decision} />
      ))}
      {approvals.map((approval) => (
        <OneApproval key={approval.id} approval={approval} />
      ))}
    </>
  );
}

function OneDecision({ decision }: { readonly decision: Decision }) {
  const { verdict, by, reason, fix, rules, would, revision, approval, at } = decision;
  return (
    <Part title={approval === null ? "What the policies said" : "What they said after the approval"}>
      <p className="flex flex-wrap items-center gap-x-2">
        <StateBadge state={verdict} />
        <span>
          {by.length === 0 ? "by no rule" : "by "}
          <Untrusted className="font-mono text-[0.92em]">{by.join(", ")}</Untrusted>
        </span>
        <span className="text-sm text-muted">
          <Time at={new Date(at).toISOString()} />
        </span>
      </p>
      {reason === null ? null : (
        <p className="mt-1.5">
          <Untrusted>{reason}</Untrusted>
        </p>
      )}
      {fix === null ? null : (
        <p className="mt-1">
          <span className="font-medium">Instead: </span>
          <Untrusted>{fix}</Untrusted>
        </p>
      )}
      {rules.length === 0 ? null : <Rules rules={rules} />}
      {would === null ? null : (
        <p className="mt-2 rounded-md bg-sunken px-3 py-2">
          Observed rules would have said <StateBadge state={would.verdict} /> by{" "}
          <Untrusted className="font-mono text-[0.92em]">{would.by.join(", ") || "no rule"}</Untrusted>.
        </p>
      )}
      {revision === null ? null : (
        <p className="mt-2 text-sm text-muted">
          revision <code className="font-mono">{revision.slice(0, 12)}</code>
        </p>
      )}
    </Part>
  );
}

export function Rules({ rules }: { readonly rules: Decision["rules"] }) {
  return (
    <ul className="mt-2 space-y-1">
      {rules.map(({ rule, matched, verdict, file, line, column, error }) => (
        <li key={`${rule} ${file} ${line}`} className="rounded-md border border-line px-3 py-1.5">
          <span className="flex flex-wrap items-center gap-x-2">
            <Untrusted className="font-mono text-[0.92em] font-medium">{rule}</Untrusted>
            {verdict === null ? <Badge>observed only</Badge> : <StateBadge state={verdict} />}
            {matched === "error" ? <Badge tone="deny">its condition failed</Badge> : null}
            {file === null ? null : (
              <Link
                to="/policies"
                search={{ file }}
                className="ml-auto font-mono text-sm text-accent underline underline-offset-2"
              >
                <Untrusted>{`${file}:${line}:${column}`}</Untrusted>
              </Link>
            )}
          </span>
          {error === null ? null : (
            <p className="mt-1 text-sm text-deny">
              <Untrusted>{error}</Untrusted>
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function OneApproval({ approval }: { readonly approval: CallStep["approvals"][number] }) {
  const { id, state, reasons, answers, deadline } = approval;
  return (
    <Part title="The question to people">
      <p className="flex flex-wrap items-center gap-x-2">
        <StateBadge state={state} />
        <Link to="/" search={{ approval: id }} className="text-accent underline underline-offset-2">
          {state === "waiting" ? "answer it" : "in the inbox"}
        </Link>
        {deadline === null || state !== "waiting" ? null : (
          <span className="text-sm text-muted">
            silence denies <Time at={new Date(deadline).toISOString()} />
          </span>
        )}
      </p>
      <ul className="mt-1.5 space-y-1">
        {reasons.map((one) => (
          <li key={one.id}>
            <Untrusted>{one.reason}</Untrusted> <Untrusted className="font-mono text-sm text-muted">{one.id}</Untrusted>
          </li>
        ))}
      </ul>
      <ul className="mt-2 space-y-1">
        {answers.map(({ at, by, via, verified, note, edited, verdict }) => (
          <li key={`${by} ${at}`}>
            <Badge tone={verdict === "deny" ? "deny" : "allow"}>{verdict === "deny" ? "denied" : "agreed"}</Badge>{" "}
            <Untrusted>{by ?? "nobody who is named"}</Untrusted>
            <span className="text-muted">
              {via === null ? "" : ` in ${via}`}
              {verified ? "" : ", not verified"}
              {edited ? ", with other arguments" : ""}, <Time at={new Date(at).toISOString()} />
            </span>
            {note === null ? null : (
              <p className="text-muted">
                “<Untrusted>{note}</Untrusted>”
              </p>
            )}
          </li>
        ))}
      </ul>
    </Part>
  );
}
