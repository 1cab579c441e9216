import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, ask } from "../../api/client.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { ReasonDialog } from "../../ui/reason-dialog.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time, useNow } from "../../ui/time.tsx";
import { useToast } from "../../ui/toast.tsx";
import type { Protections } from "./page.tsx";

export function BreakerRow({ breaker }: { readonly breaker: Protections["breakers"][number] }) {
  const { trip } = breaker;
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 p-4">
      <div className="min-w-56 flex-1">
        <p className="font-medium wrap-anywhere">
          <StateBadge state={breaker.state} /> {breaker.scope} <Name breaker={breaker} />
          {breaker.environment === null ? null : (
            <span className="text-muted">
              {" in "}
              <Untrusted>{breaker.environment}</Untrusted>
            </span>
          )}
        </p>
        <p className="text-muted">
          {trip === null ? null : (
            <>
              {trip.cause}: <Untrusted>{trip.reason}</Untrusted> · <Time at={trip.at} />
            </>
          )}
          {breaker.until === null ? null : <Probe at={breaker.until} />}
          {breaker.state === "half_open" ? "one call finds out whether the tool works" : null}
        </p>
      </div>
      {trip === null ? null : <ResetButton breaker={breaker} />}
    </li>
  );
}

/** Lets go on what was stopped. */
export function ResetButton({ breaker }: { readonly breaker: Protections["breakers"][number] }) {
  const [resetting, setResetting] = useState(false);
  const queries = useQueryClient();
  const say = useToast();
  const reset = useMutation({
    mutationFn: (reason: string) => ask(api.breakers.reset.$post({ json: { breaker: breaker.id, reason } })),
    async onSuccess() {
      await queries.invalidateQueries({ queryKey: ["protections"] });
      say(`${breaker.name} may go on`);
      setResetting(false);
    },
  });
  return (
    <>
      <Button onClick={() => setResetting(true)}>Reset…</Button>
      <ReasonDialog
        title={`Reset ${breaker.name}`}
        open={resetting}
        onClose={() => setResetting(false)}
        act="Reset"
        busy={reset.isPending}
        error={reset.error}
        onAct={(reason) => reset.mutate(reason)}
      >
        <p>
          It was stopped because of <strong>{breaker.trip?.cause}</strong>. After the reset its calls are judged anew;
          what it did before stays in the record.
        </p>
      </ReasonDialog>
    </>
  );
}

function Probe({ at }: { readonly at: string }) {
  if (Date.parse(at) <= useNow()) return "the next call finds out whether the tool works again";
  return (
    <>
      it asks the tool again <Time at={at} />
    </>
  );
}

/** What a run did stands on its own page. */
function Name({ breaker: { scope, name } }: { readonly breaker: Protections["breakers"][number] }) {
  if (scope !== "run") return <Untrusted className="break-words">{name}</Untrusted>;
  return (
    <Link to="/runs/$id" params={{ id: name }} className="break-all text-accent underline underline-offset-2">
      <Untrusted>{name}</Untrusted>
    </Link>
  );
}
