/** The second look before drafts are put in force: which lines change, and which recorded calls would have come out otherwise. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask } from "../../api/client.ts";
import { messageOf, RequestProblem } from "../../api/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { TextDifference } from "../../ui/text-difference.tsx";
import { useToast } from "../../ui/toast.tsx";
import { BacktestReport } from "./backtest.tsx";
import { backtestResult } from "./backtest-result.ts";
import type { Drafts } from "./drafts.ts";
import { backtest, type Policies } from "./read.ts";
import { useTakeBack } from "./take-back.ts";

export interface ActivateDialogProps {
  readonly policies: Policies;
  readonly drafts: Drafts;
  /** Of the drafts. */
  readonly revision: string | null;
  readonly open: boolean;
  readonly onClose: () => void;
}

export function ActivateDialog({ policies, drafts, revision, open, onClose }: ActivateDialogProps) {
  const queries = useQueryClient();
  const say = useToast();
  const takeBack = useTakeBack();
  const onDisk = new Map(policies.files.map(({ file, text }) => [file, text]));
  const tested = useQuery({
    queryKey: ["policy-backtest", revision],
    queryFn: () => backtest(drafts.texts, undefined),
    enabled: open && revision !== null,
  });
  const activate = useMutation({
    mutationFn: () => ask(api.policies.activate.$post({ json: { files: [...drafts.texts], base: drafts.base } })),
    async onSuccess({ revision: written }) {
      drafts.discard();
      await queries.invalidateQueries({ queryKey: ["policies"] });
      const before = policies.revision;
      // A file that is new stays: nothing is deleted by one press.
      const isNew = drafts.texts.some(({ file }) => !onDisk.has(file));
      const undo = before === null || isNew ? undefined : () => takeBack(before, written);
      say(`revision ${written.slice(0, 12)} is written; running gates take it within a second`, undo);
      onClose();
    },
    onError: () => queries.invalidateQueries({ queryKey: ["policies"] }),
  });
  const stale = drafts.stale || (activate.error instanceof RequestProblem && activate.error.code === "policy.stale");
  return (
    <Dialog title="Put in force" open={open} onClose={onClose} wide>
      <div className="space-y-5">
        {drafts.texts
          .filter(({ file }) => drafts.changed.includes(file))
          .map(({ file, text }) => (
            <section key={file} aria-label={`change of ${file}`}>
              <h3 className="mb-1 font-mono font-medium">
                <Untrusted>{file}</Untrusted>
                {onDisk.has(file) ? null : <span className="font-sans text-muted"> (new)</span>}
              </h3>
              <TextDifference before={onDisk.get(file) ?? ""} after={text} />
            </section>
          ))}
        <section aria-label="What it would have changed">
          <h3 className="mb-1 font-medium">On the calls of the record</h3>
          {tested.error !== null ? (
            <Failure error={tested.error} />
          ) : tested.data === undefined ? (
            <Skeleton lines={1} />
          ) : (
            <BacktestReport result={backtestResult(tested.data)} />
          )}
        </section>
        {stale ? (
          <div role="alert" className="rounded-md bg-pause-soft px-4 py-3">
            <p className="font-medium">The files were changed meanwhile, by an editor or another person.</p>
            <p className="mt-1">
              The difference above is from what they say now. If it is still what you mean, take that as the new ground;
              else close this and copy over what the others changed.
            </p>
            <Button
              className="mt-2"
              onClick={() => {
                drafts.rebase();
                activate.reset();
              }}
            >
              I have looked at it: go on from what they say now
            </Button>
          </div>
        ) : activate.error === null ? null : (
          <p role="alert" className="rounded-md bg-deny-soft px-4 py-3 text-deny">
            {messageOf(activate.error)}
          </p>
        )}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>Not yet</Button>
          <Button
            tone="primary"
            busy={activate.isPending}
            disabled={revision === null || stale}
            onClick={() => activate.mutate()}
          >
            Put in force
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
