/** One question: what will run, why it was paused, who else must agree, until when; and the answer. */
import { spanText } from "@saferun/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { messageOf } from "../../api/problem.ts";
import { Badge, StateBadge } from "../../ui/badge.tsx";
import { Card } from "../../ui/card.tsx";
import { Difference } from "../../ui/difference.tsx";
import { JsonTree } from "../../ui/json-tree.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time, useNow } from "../../ui/time.tsx";
import { valueAt } from "../../ui/value-at.ts";
import { words } from "../../ui/words.ts";
import { Answer } from "./answer.tsx";
import { type Approval, argumentsOf, proposedOf, readApproval } from "./approval.ts";
import { useDecision } from "./decide.ts";
import { Decided } from "./decided.tsx";
import { Part } from "./part.tsx";
import { People } from "./people.tsx";

export function ApprovalCard({ id, current }: { readonly id: string; readonly current: boolean }) {
  const { data, error, refetch } = useQuery({ queryKey: ["approvals", id], queryFn: () => readApproval(id) });
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  return data === undefined ? <Skeleton lines={3} /> : <Question approval={data} current={current} />;
}

function Question({ approval, current }: { readonly approval: Approval; readonly current: boolean }) {
  // The answer to an answer outlives the version that it was given to.
  const decision = useDecision(approval);
  const inTime = useInTime(approval);
  const open = inTime && (approval.state === "pending" || approval.state === "suspended");
  return (
    <Card className={words(current && "ring-2 ring-accent")}>
      <article aria-labelledby={`tool-${approval.id}`} id={approval.id} className="scroll-mt-4 p-4 md:p-5">
        <Head approval={approval} />
        {open ? null : <Decided approval={approval} />}
        <Reasons approval={approval} />
        <People approval={approval} />
        <Arguments approval={approval} />
        {decision.isError ? (
          <p role="alert" className="mt-4 rounded-md bg-deny-soft px-3 py-2 text-deny">
            {messageOf(decision.error)}
          </p>
        ) : null}
        {open ? <Answer key={approval.version} approval={approval} decision={decision} /> : null}
      </article>
    </Card>
  );
}

/** Turns once, when the deadline is over: the list is read again then, and says what became of it. */
function useInTime({ deadline, state }: Approval): boolean {
  const queries = useQueryClient();
  const inTime = useNow() < Date.parse(deadline);
  useEffect(() => {
    if (!inTime && state === "pending") void queries.invalidateQueries({ queryKey: ["approvals"] });
  }, [inTime, state, queries]);
  return inTime;
}

function Head({ approval }: { readonly approval: Approval }) {
  return (
    <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-1">
      <div className="min-w-0">
        <h2 id={`tool-${approval.id}`} className="text-lg font-semibold wrap-anywhere">
          <Untrusted>{approval.tool}</Untrusted>
        </h2>
        <p className="text-muted wrap-anywhere">
          <Untrusted>{approval.agent}</Untrusted> in <Untrusted>{approval.environment}</Untrusted>,{" "}
          <Time at={approval.created_at} /> ·{" "}
          <Link to="/runs/$id" params={{ id: approval.run }} className="text-accent underline underline-offset-2">
            the run
          </Link>
        </p>
      </div>
      {approval.state === "pending" ? <Deadline at={approval.deadline} /> : <StateBadge state={approval.state} />}
    </div>
  );
}

const SOON_MS = 60_000;

function Deadline({ at }: { readonly at: string }) {
  const left = Date.parse(at) - useNow();
  if (left <= 0) return <Badge tone="deny">the time is over</Badge>;
  return <Badge tone={left < SOON_MS ? "deny" : "pause"}>silence denies it in {spanText(left)}</Badge>;
}

function Reasons({ approval }: { readonly approval: Approval }) {
  return (
    <Part title="Why it was paused">
      <ul className="space-y-1">
        {approval.reasons.map(({ id, reason }) => (
          <li key={id}>
            <Untrusted>{reason}</Untrusted>{" "}
            <code className="text-sm text-muted">
              <Untrusted>{id}</Untrusted>
            </code>
          </li>
        ))}
      </ul>
    </Part>
  );
}

/** What rules want shown comes first and larger; nothing is hidden. */
function Arguments({ approval }: { readonly approval: Approval }) {
  const args = argumentsOf(approval);
  const first = [...new Set(approval.reasons.flatMap(({ show }) => show))].flatMap((path) => {
    const value = valueAt(args, path);
    return value === undefined ? [] : [{ path, value }];
  });
  return (
    <Part title="What will run">
      {first.length === 0 ? null : (
        <dl className="mb-3 flex flex-wrap gap-x-8 gap-y-2">
          {first.map(({ path, value }) => (
            <div key={path}>
              <dt className="text-sm text-muted">
                <Untrusted>{path}</Untrusted>
              </dt>
              <dd className="text-xl font-semibold tabular-nums">
                {typeof value === "number" ? value.toLocaleString() : <JsonTree value={value} />}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <JsonTree value={args} marked={new Set(approval.editable_paths)} />
      {approval.edit === null ? null : (
        <div className="mt-3">
          <p className="mb-1 font-medium">
            Edited by <Untrusted>{approval.edit.by}</Untrusted>
          </p>
          <Difference before={proposedOf(approval)} after={argumentsOf(approval)} />
        </div>
      )}
    </Part>
  );
}
