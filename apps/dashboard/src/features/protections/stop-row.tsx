import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client.ts";
import { scopeText } from "../../app/stop-dialog.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { ReasonDialog } from "../../ui/reason-dialog.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Time } from "../../ui/time.tsx";
import { useToast } from "../../ui/toast.tsx";
import type { Protections } from "./page.tsx";

export function StopRow({ stop }: { readonly stop: Protections["stops"][number] }) {
  const text = textOf(stop);
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 p-4">
      <div className="min-w-56 flex-1">
        <p className="font-medium wrap-anywhere">
          <Badge tone="deny">stopped</Badge> <Untrusted>{text}</Untrusted>
        </p>
        <p className="text-muted">
          <Untrusted>{stop.reason}</Untrusted> · by <Untrusted>{stop.by}</Untrusted>, <Time at={stop.at} />
        </p>
        {stop.lifts.length === 0 ? null : (
          <p className="text-muted">
            wanted lifted by <Untrusted>{stop.lifts.map(({ by }) => by).join(", ")}</Untrusted>
          </p>
        )}
      </div>
      <LiftButton stop={stop} />
    </li>
  );
}

export function textOf({ scope: { agent, tool, run } }: Protections["stops"][number]): string {
  return scopeText({ ...(agent && { agent }), ...(tool && { tool }), ...(run && { run }) });
}

/** Lets go on what a person stopped. */
export function LiftButton({ stop }: { readonly stop: Protections["stops"][number] }) {
  const text = textOf(stop);
  const [lifting, setLifting] = useState(false);
  const queries = useQueryClient();
  const say = useToast();
  const lift = useMutation({
    mutationFn: (reason: string) => ask(api.stops[":id"].lift.$post({ param: { id: stop.id }, json: { reason } })),
    async onSuccess({ lifted }) {
      await queries.invalidateQueries({ queryKey: ["protections"] });
      say(lifted ? `${text} may go on` : "recorded; a second admin must agree before it is lifted");
      setLifting(false);
    },
  });
  return (
    <>
      <Button onClick={() => setLifting(true)}>Lift…</Button>
      <ReasonDialog
        title={`Lift the stop of ${text}`}
        open={lifting}
        onClose={() => setLifting(false)}
        act="Lift"
        busy={lift.isPending}
        error={lift.error}
        onAct={(reason) => lift.mutate(reason)}
      >
        <p>Calls of this scope may start again, and questions that were suspended are asked again.</p>
      </ReasonDialog>
    </>
  );
}
