/** Files that were put in force from here, and the way back to them. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client.ts";
import { messageOf } from "../../api/problem.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { useToast } from "../../ui/toast.tsx";
import { restore } from "./read.ts";
import { useTakeBack } from "./take-back.ts";

/** `now`: the revision on disk. */
export function Revisions({ now }: { readonly now: string | null }) {
  const { data, error } = useQuery({
    queryKey: ["policies", "revisions"],
    queryFn: () => ask(api.policies.revisions.$get()),
  });
  const [chosen, setChosen] = useState<string | null>(null);
  if (error !== null) return <Failure error={error} />;
  if (data === undefined) return <Skeleton lines={2} />;
  if (data.revisions.length === 0) {
    return (
      <p className="text-muted">Nothing was put in force from here yet. What is, is kept here with what it replaced.</p>
    );
  }
  return (
    <>
      <ul aria-label="Revisions" className="-mx-4 divide-y divide-line border-y border-line">
        {data.revisions.map(({ revision, at, files, current }) => (
          <li key={revision} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5">
            <div className="min-w-0 flex-1">
              <p>
                <code className="font-mono font-medium">{revision.slice(0, 12)}</code>{" "}
                {current ? <Badge tone="allow">on disk</Badge> : null}
              </p>
              <p className="truncate text-sm text-muted">
                <Time at={at} /> · <Untrusted>{files.join(", ")}</Untrusted>
              </p>
            </div>
            {current ? null : <Button onClick={() => setChosen(revision)}>Go back to it…</Button>}
          </li>
        ))}
      </ul>
      <RollBack revision={chosen} now={now} onClose={() => setChosen(null)} />
    </>
  );
}

interface RollBackProps {
  readonly revision: string | null;
  readonly now: string | null;
  readonly onClose: () => void;
}

function RollBack({ revision, now, onClose }: RollBackProps) {
  const queries = useQueryClient();
  const takeBack = useTakeBack();
  const say = useToast();
  const back = useMutation({
    mutationFn: (wanted: string) => restore(wanted, now),
    async onSuccess({ revision: written }) {
      await queries.invalidateQueries({ queryKey: ["policies"] });
      say(`back at revision ${written.slice(0, 12)}`, now === null ? undefined : () => takeBack(now, written));
      onClose();
    },
  });
  return (
    <Dialog title={`Go back to ${revision?.slice(0, 12) ?? ""}`} open={revision !== null} onClose={onClose}>
      <p>
        The files are written as they were at that revision. What they say now stays in this list, so that you can come
        back to it. Running gates take them within a second.
      </p>
      {back.error === null ? null : (
        <p role="alert" className="mt-3 text-deny">
          {messageOf(back.error)}
        </p>
      )}
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="primary" busy={back.isPending} onClick={() => revision !== null && back.mutate(revision)}>
          Go back
        </Button>
      </div>
    </Dialog>
  );
}
