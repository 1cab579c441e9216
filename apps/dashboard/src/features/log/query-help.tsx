/** The query language in examples that can be pressed. */
import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";

const EXAMPLES = [
  ["verdict:deny since:1d", "what was denied in the last day"],
  ["tool:stripe.* args.amount>50000", "large amounts of one service; args.… reads arguments"],
  ['"duplicate charge"', "words side by side, anywhere in arguments, results, prompts, reasons"],
  ["outcome:failed OR outcome:unknown", "what went wrong; OR needs one of them"],
  ["type:approval.decided -verdict:deny", "what people approved; - leaves out"],
  ["agent:support run:run_4f0c*", "one agent, one run by the start of its id"],
  ["type:stop.placed", "when somebody pressed stop, and why"],
] as const;

export function QueryHelp({ onChoose }: { readonly onChoose: (query: string) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button tone="quiet" onClick={() => setOpen(true)}>
        How to search
      </Button>
      <Dialog title="How to search" open={open} onClose={() => setOpen(false)}>
        <p className="mb-3 text-muted">Terms side by side must all hold. Press one to try it.</p>
        <ul className="space-y-1">
          {EXAMPLES.map(([query, about]) => (
            <li key={query}>
              <button
                type="button"
                className="w-full rounded-md px-3 py-2 text-left hover:bg-sunken"
                onClick={() => {
                  setOpen(false);
                  onChoose(query);
                }}
              >
                <code className="font-mono text-accent">{query}</code>
                <span className="block text-sm text-muted">{about}</span>
              </button>
            </li>
          ))}
        </ul>
      </Dialog>
    </>
  );
}
