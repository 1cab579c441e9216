/** One question: what will run, why it was paused, who else must agree, until when; and the answer. */
import { spanText } from "@saferun/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { messageOf } from "../../api/problem.ts";
import { Badge, StateBadge } from "../../ui/badge.tsx";
import { Card } from "../../ui/card.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time, useNow } from "../../ui/time.tsx";
import { words } from "../../ui/words.ts";
import { Answer } from "./answer.tsx";
import { type Approval, readApproval } from "./approval.ts";
import { CardArguments } from "./card-arguments.tsx";
import { useDecision } from "./decide.ts";
import { Decided } from "./decided.tsx";
import { Part } from "./part.tsx";
import { People } from "./people.tsx";

const LOOK_AGAIN_MS = 10_000;

export function ApprovalCard({ id, current }: { readonly id: string; readonly current: boolean }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["approvals", id],
    queryFn: () => readApproval(id),
    // That the process which asked has ended is told by no event.
    refetchInterval: ({ state }) => (state.data?.state === "pending" && !state.data.asker_gone ? LOOK_AGAIN_MS : false),
  });
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
        {approval.asker_gone ? <AskerGone approval={approval} /> : null}
        <Reasons approval={approval} />
        <People approval={approval} />
        <CardArguments approval={approval} open={open} />
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

/** Deciding is of use all the same: a denial stays, and an approval waits for the run to be taken up. */
function AskerGone({ approval: { agent, state } }: { readonly approval: Approval }) {
  return (
    <p className="mt-3 rounded-md bg-pause-soft px-3 py-2">
      The process that asked has ended: {state === "approved" ? "nothing runs" : "an approval makes nothing run"} by
      itself. The call runs if <Untrusted>{agent}</Untrusted> takes up this run and asks again within 15 minutes of the
      approval.
    </p>
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
