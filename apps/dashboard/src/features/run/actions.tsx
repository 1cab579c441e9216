/** What can be done with a run. */
import { useState } from "react";
import { StopDialog } from "../../app/stop-dialog.tsx";
import { Button } from "../../ui/button.tsx";
import { useToast } from "../../ui/toast.tsx";
import type { RunSummary } from "../runs/row.tsx";
import { BesideDialog } from "./beside-dialog.tsx";
import { TestDialog } from "./test-dialog.tsx";
import { WhatIfDialog } from "./what-if-dialog.tsx";

export function RunActions({ run }: { readonly run: RunSummary }) {
  const [shown, setShown] = useState<"what-if" | "beside" | "test" | "stop" | null>(null);
  const say = useToast();
  const close = () => setShown(null);
  return (
    // One line on a phone, to be pushed aside: what the run did is what is wanted first.
    <div className="-mx-4 flex max-w-[100vw] gap-2 overflow-x-auto px-4 py-1 *:shrink-0 md:mx-0 md:flex-wrap md:px-0">
      <Button onClick={() => setShown("what-if")}>What if…</Button>
      <Button onClick={() => setShown("beside")}>Compare…</Button>
      <Button onClick={() => setShown("test")}>Make a test…</Button>
      <Button onClick={() => void navigator.clipboard.writeText(run.id).then(() => say("the run's id is copied"))}>
        Copy id
      </Button>
      <Button className="text-deny" onClick={() => setShown("stop")}>
        Stop this run
      </Button>
      <WhatIfDialog run={run.id} open={shown === "what-if"} onClose={close} />
      <BesideDialog run={run} open={shown === "beside"} onClose={close} />
      <TestDialog run={run.id} open={shown === "test"} onClose={close} />
      <StopDialog scope={{ run: run.id }} open={shown === "stop"} onClose={close} />
    </div>
  );
}
