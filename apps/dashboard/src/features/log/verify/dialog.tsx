/** The log, verified here: the gate sends what is stored, this browser computes what it comes to. */
import { useState } from "react";
import { Button } from "../../../ui/button.tsx";
import { Dialog } from "../../../ui/dialog.tsx";
import { TextArea } from "../../../ui/field.tsx";
import { Result } from "./result.tsx";
import { useVerifier } from "./use-verifier.ts";

export function VerifyDialog({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  return (
    <Dialog title="Verify the log" open={open} onClose={onClose} wide>
      <Verify />
    </Dialog>
  );
}

function Verify() {
  const [pinned, setPinned] = useState("");
  const { state, start, stop } = useVerifier();
  const running = state.kind === "progress";
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        start(pinned.trim());
      }}
    >
      <p>
        This browser reads every entry as it is stored and computes the tree, the chains and the signatures itself. It
        finds whatever was changed, removed, inserted or reordered.
      </p>
      <TextArea
        label="The key you kept"
        hint="What `saferun log key` printed, from a place that is not this machine. Without it nobody can say who signed."
        rows={2}
        spellCheck={false}
        className="font-mono"
        placeholder="saferun.local/…+…+…"
        value={pinned}
        onChange={(event) => setPinned(event.target.value)}
      />
      <div className="flex flex-wrap items-center gap-3">
        <Button type="submit" tone="primary" busy={running}>
          Verify
        </Button>
        {running ? <Button onClick={stop}>Stop</Button> : null}
      </div>
      {running ? (
        <div role="status">
          <progress
            className="h-2 w-full accent-accent"
            aria-label="verified"
            value={state.entries}
            max={Math.max(state.of, 1)}
          />
          <p className="text-sm text-muted tabular-nums">
            {state.entries.toLocaleString()}
            {state.of === 0 ? "" : ` of ${state.of.toLocaleString()}`} entries
          </p>
        </div>
      ) : null}
      {state.kind === "failed" ? (
        <p role="alert" className="rounded-md bg-deny-soft px-4 py-3 text-deny">
          {state.message}
        </p>
      ) : null}
      {state.kind === "done" ? <Result result={state.result} pinned={state.pinned} /> : null}
    </form>
  );
}
