/** From incident to regression test: the run's calls as a policy test that passes now. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";

export interface TestDialogProps {
  readonly run: string;
  readonly open: boolean;
  readonly onClose: () => void;
}

export function TestDialog({ run, open, onClose }: TestDialogProps) {
  return (
    <Dialog title="A policy test of this run" open={open} onClose={onClose} wide>
      <TestText run={run} />
    </Dialog>
  );
}

function TestText({ run }: { readonly run: string }) {
  const [copied, setCopied] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: ["run", run, "test"],
    queryFn: () => ask(api.runs[":id"].test.$get({ param: { id: run } })),
  });
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Skeleton lines={4} />;
  return (
    <>
      <p className="text-muted">
        {data.calls === 1 ? "One call" : `${data.calls.toLocaleString()} calls`} with what the policies in force say of
        each{data.left === 0 ? "" : `; ${data.left} left out: masked, erased, or for another agent or principal`}. Save
        it beside the policies; <code className="font-mono">saferun test</code> runs it, and so does each reload.
      </p>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
        tabIndex={0}
        className="mt-3 max-h-[50dvh] overflow-auto rounded-md bg-sunken p-3 font-mono text-sm"
      >
        {data.text}
      </pre>
      <div className="mt-3 flex justify-end">
        <Button
          tone="primary"
          onClick={() => void navigator.clipboard.writeText(data.text).then(() => setCopied(true))}
        >
          {copied ? "Copied" : "Copy"}
        </Button>
      </div>
    </>
  );
}
