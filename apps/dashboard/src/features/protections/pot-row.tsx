import { amountText, formatDecimal, parseDecimal, printable, scaleOf } from "@saferun/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";
import { ReasonDialog } from "../../ui/reason-dialog.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { useToast } from "../../ui/toast.tsx";
import { words } from "../../ui/words.ts";
import type { Protections } from "./page.tsx";

const NEAR = 0.8;

/** Undefined while what is typed is no amount. */
function raisedTo({ limit, unit }: Protections["pots"][number], by: string): string | undefined {
  const scale = scaleOf(unit);
  const [now, more] = [parseDecimal(limit, scale), parseDecimal(by, scale)];
  return now === undefined || more === undefined ? undefined : formatDecimal(now + more, scale);
}

export function PotRow({ pot }: { readonly pot: Protections["pots"][number] }) {
  const [raising, setRaising] = useState(false);
  const [by, setBy] = useState("");
  const queries = useQueryClient();
  const say = useToast();
  const raise = useMutation({
    mutationFn: (reason: string) => ask(api.budgets.raise.$post({ json: { pot: pot.id, by, reason } })),
    async onSuccess() {
      await queries.invalidateQueries({ queryKey: ["protections"] });
      say(`${pot.budget} was raised by ${by} ${pot.unit}`);
      setRaising(false);
    },
  });
  const after = raisedTo(pot, by.trim());
  const percent = Math.floor(pot.used * 100);
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 p-4">
      <div className="min-w-56 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium">
            <Untrusted>{pot.budget}</Untrusted>
          </span>
          <span className="wrap-anywhere text-muted">
            <Untrusted>{[pot.environment, ...pot.key].join(", ")}</Untrusted> · <Untrusted>{pot.window}</Untrusted>
          </span>
          {pot.raised === "0" || Number(pot.raised) === 0 ? null : (
            <Badge tone="accent">raised by {amountText(pot.raised, pot.unit)}</Badge>
          )}
        </p>
        <div aria-hidden="true" className="mt-2 h-2 overflow-hidden rounded-full bg-sunken">
          <div
            className={words("h-full", percent >= 100 ? "bg-deny" : pot.used >= NEAR ? "bg-pause" : "bg-accent")}
            style={{ width: `${Math.min(100, percent)}%` }}
          />
        </div>
        <p className="mt-1 text-sm text-muted tabular-nums">
          {percent} % · {amountText(pot.spent, pot.unit)}
          {Number(pot.held) === 0 ? "" : ` spent and ${amountText(pot.held, pot.unit)} held`} of{" "}
          {amountText(pot.limit, pot.unit)}
        </p>
      </div>
      <Button onClick={() => setRaising(true)}>Raise…</Button>
      <ReasonDialog
        title={`Raise ${pot.budget}`}
        open={raising}
        onClose={() => setRaising(false)}
        act="Raise"
        ready={by.trim() !== ""}
        busy={raise.isPending}
        error={raise.error}
        onAct={(reason) => raise.mutate(reason)}
      >
        <p>This adds to the limit of this one pot. The policy's own limit stays what it is for all others.</p>
        <TextField
          label={`How much more, in ${printable(pot.unit)}`}
          inputMode="decimal"
          value={by}
          onChange={(event) => setBy(event.target.value)}
        />
        <p role="status">
          {after === undefined
            ? "It cannot be lowered again."
            : `It ends at ${amountText(after, pot.unit)} then, not at ${amountText(pot.limit, pot.unit)}. It cannot be lowered again.`}
        </p>
      </ReasonDialog>
    </li>
  );
}
