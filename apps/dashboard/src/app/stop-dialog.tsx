/** The switch: stopping is cheap and reversible by a person, so it asks for a reason and nothing else. */
import { printable } from "@saferun/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../api/client.ts";
import { messageOf } from "../api/problem.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { useToast } from "../ui/toast.tsx";

export interface StopScope {
  readonly agent?: string;
  readonly tool?: string;
  readonly run?: string;
}

export function StopDialog({
  scope,
  open,
  onClose,
}: {
  readonly scope: StopScope;
  readonly open: boolean;
  readonly onClose: () => void;
}) {
  const [reason, setReason] = useState("");
  const queries = useQueryClient();
  const say = useToast();
  const { agent = null, tool = null, run = null } = scope;
  const stop = useMutation({
    mutationFn: () => ask(api.stops.$post({ json: { scope: { agent, tool, run }, reason } })),
    async onSuccess() {
      await queries.invalidateQueries({ queryKey: ["protections"] });
      say(`${scopeText(scope)} stopped`);
      setReason("");
      onClose();
    },
  });
  const text = scopeText(scope);
  return (
    <Dialog title={`Stop ${text}`} open={open} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          stop.mutate();
        }}
      >
        <p className="wrap-anywhere">
          From the moment this is recorded no call of {text} starts, in any process that uses this store. Calls under
          way get their abort signal, and questions that wait are suspended.
        </p>
        <TextField
          label="Reason"
          hint="It stands in the record, and the agent is told."
          value={reason}
          required
          autoFocus
          onChange={(event) => setReason(event.target.value)}
          error={stop.isError ? messageOf(stop.error) : undefined}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="danger" busy={stop.isPending} disabled={reason.trim() === ""} className="min-w-0">
            <span className="truncate">Stop {text}</span>
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** As it can be shown: names are what strangers have written. */
export function scopeText({ agent, tool, run }: StopScope): string {
  const parts = [
    ...(agent === undefined ? [] : [`agent ${printable(agent)}`]),
    ...(tool === undefined ? [] : [`tool ${printable(tool)}`]),
    ...(run === undefined ? [] : [`run ${printable(run)}`]),
  ];
  return parts.length === 0 ? "everything" : parts.join(", ");
}
