/** Which run to look at beside this one. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, ask } from "../../api/client.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { agentText, type RunSummary } from "../runs/row.tsx";

export interface BesideDialogProps {
  readonly run: RunSummary;
  readonly open: boolean;
  readonly onClose: () => void;
}

export function BesideDialog({ run, open, onClose }: BesideDialogProps) {
  return (
    <Dialog title="Compare with another run" open={open} onClose={onClose}>
      <Choices run={run} onChosen={onClose} />
    </Dialog>
  );
}

function Choices({ run, onChosen }: { readonly run: RunSummary; readonly onChosen: () => void }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["runs", "of", run.agent_id],
    queryFn: () => ask(api.runs.$get({ query: { agent: run.agent_id } })),
  });
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Skeleton lines={4} />;
  const others = data.runs.filter(({ id }) => id !== run.id);
  if (others.length === 0) return <p className="text-muted">This agent has no other run yet.</p>;
  return (
    <>
      <p className="mb-2 wrap-anywhere text-muted">
        Other runs of <Untrusted>{agentText(run)}</Untrusted>, the newest first.
      </p>
      <ul className="divide-y divide-line">
        {others.map((other) => (
          <li key={other.id}>
            <Link
              to="/runs/$id/beside/$other"
              params={{ id: run.id, other: other.id }}
              onClick={onChosen}
              className="flex min-h-11 items-center justify-between gap-4 px-1 hover:bg-sunken"
            >
              <span className="truncate font-mono text-sm">{other.id}</span>
              <span className="text-sm text-muted">
                {other.counts === null ? "" : `${other.counts.calls} calls, `}
                <Time at={other.started_at} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
