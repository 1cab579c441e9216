/** The recorded calls under a draft of the policies: nothing is run, recorded or put in force. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client.ts";
import { messageOf } from "../../api/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { SelectField, TextArea } from "../../ui/field.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";
import { changed, type DraftSet, draftsOf, judgedBy, withFiles } from "./draft-set.ts";
import { TakeFiles, type Taken } from "./take-files.tsx";
import { WhatIfReport } from "./what-if-report.tsx";

export interface WhatIfDialogProps {
  readonly run: string;
  readonly open: boolean;
  readonly onClose: () => void;
}

export function WhatIfDialog({ run, open, onClose }: WhatIfDialogProps) {
  return (
    <Dialog title="What if other policies had been in force?" open={open} onClose={onClose} wide>
      <DraftOf run={run} onClose={onClose} />
    </Dialog>
  );
}

/** The files of this place, as they lie there, until somebody changes them here. */
function DraftOf({ run, onClose }: { readonly run: string; readonly onClose: () => void }) {
  const policies = useQuery({ queryKey: ["policies"], queryFn: () => ask(api.policies.$get()) });
  const [draft, setDraft] = useState<DraftSet | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const judged = useMutation({
    mutationFn: (set: DraftSet) =>
      ask(api.runs[":id"]["what-if"].$post({ param: { id: run }, json: { files: [...judgedBy(set)] } })),
  });
  if (policies.isError) return <Failure error={policies.error} retry={() => void policies.refetch()} />;
  if (policies.isPending) return <Skeleton lines={4} />;
  const set = draft ?? draftsOf(policies.data.files);
  const file = chosen !== null && set.has(chosen) ? chosen : ([...set.keys()][0] ?? "policies.yaml");
  const one = set.get(file);
  const put = (next: DraftSet) => {
    setDraft(next);
    setSaid(null);
    judged.reset();
  };
  const take = ({ files, instead, left }: Taken) => {
    put(instead ? draftsOf(files) : withFiles(set, files));
    setChosen(null);
    setSaid(takenText(files.length, left));
  };
  return (
    <div className="space-y-4">
      {judged.isSuccess ? <WhatIfReport run={run} report={judged.data} onLeave={onClose} /> : null}
      {judged.isError ? (
        <p role="alert" className="rounded-md bg-deny-soft px-3 py-2 whitespace-pre-wrap text-deny">
          {messageOf(judged.error)}
        </p>
      ) : null}
      {set.size > 1 ? (
        <div className="flex flex-wrap items-end gap-2">
          <div className="min-w-48 flex-1">
            <SelectField
              label="File"
              choices={[...set.keys()]}
              texts={Object.fromEntries(
                [...set].flatMap(([name, { out }]) => (out ? [[name, `${name}, left out`]] : [])),
              )}
              value={file}
              onChange={({ target }) => setChosen(target.value)}
            />
          </div>
          <Button className="mb-1" onClick={() => put(changed(set, file, { out: one?.out !== true }))}>
            {one?.out === true ? "Take it back" : "Leave it out"}
          </Button>
        </div>
      ) : null}
      <TextArea
        label={`Draft of ${file}`}
        hint="Only here: the file on disk stays as it is. Rules, budgets and breakers all count."
        className="font-mono text-sm"
        rows={judged.isSuccess ? 8 : 16}
        spellCheck={false}
        disabled={one?.out === true}
        value={one?.text ?? ""}
        onChange={({ target }) => put(changed(set, file, { text: target.value }))}
      />
      {said === null ? null : (
        <p role="status" className="text-sm text-muted">
          {said}
        </p>
      )}
      <div className="flex flex-wrap items-center justify-end gap-2">
        <TakeFiles onTaken={take} />
        <Button
          tone="primary"
          busy={judged.isPending}
          disabled={judgedBy(set).length === 0}
          onClick={() => judged.mutate(set)}
        >
          Judge the run again
        </Button>
      </div>
    </div>
  );
}

function takenText(count: number, left: readonly string[]): string {
  const taken =
    count === 0 ? "no policy file was found" : `${count} ${count === 1 ? "file is" : "files are"} in the draft`;
  if (left.length === 0) return taken;
  return `${taken}; left out, because TypeScript is run from its own place only: ${left.join(", ")}`;
}
