/** What can be done with a run. */
import { useState } from "react";
import { StopDialog } from "../../app/stop-dialog.tsx";
import { Button } from "../../ui/button.tsx";
import { useToast } from "../../ui/toast.tsx";
import { words } from "../../ui/words.ts";
import type { RunSummary } from "../runs/row.tsx";
import { BesideDialog } from "./beside-dialog.tsx";
import { BundleDialog } from "./bundle-dialog.tsx";
import { TestDialog } from "./test-dialog.tsx";
import { WhatIfDialog } from "./what-if-dialog.tsx";

export function RunActions({ run }: { readonly run: RunSummary }) {
  const [shown, setShown] = useState<"what-if" | "beside" | "test" | "bundle" | "stop" | null>(null);
  const [open, setOpen] = useState(false);
  const say = useToast();
  const close = () => setShown(null);
  return (
    <>
      {/* On a phone they unfold: what the run did is what is wanted first. */}
      <Button className="absolute top-0 right-0 md:hidden" aria-expanded={open} onClick={() => setOpen(!open)}>
        Actions
      </Button>
      <div className={words("w-full flex-wrap gap-2 md:mt-0 md:flex md:w-auto", open ? "mt-2 flex" : "hidden")}>
        <Button onClick={() => setShown("what-if")}>What if…</Button>
        <Button onClick={() => setShown("beside")}>Compare…</Button>
        <Button onClick={() => setShown("test")}>Make a test…</Button>
        <Button onClick={() => setShown("bundle")}>Evidence…</Button>
        <Button onClick={() => void navigator.clipboard.writeText(run.id).then(() => say("the run's id is copied"))}>
          Copy id
        </Button>
        {run.stopped ? null : (
          <Button className="text-deny" onClick={() => setShown("stop")}>
            Stop this run
          </Button>
        )}
      </div>
      <WhatIfDialog run={run.id} open={shown === "what-if"} onClose={close} />
      <BesideDialog run={run} open={shown === "beside"} onClose={close} />
      <TestDialog run={run.id} open={shown === "test"} onClose={close} />
      <BundleDialog run={run.id} open={shown === "bundle"} onClose={close} />
      <StopDialog scope={{ run: run.id }} open={shown === "stop"} onClose={close} />
    </>
  );
}
