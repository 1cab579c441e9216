/** The recorded calls under a draft of the policies: nothing is run, recorded or put in force. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client.ts";
import { messageOf } from "../../api/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { SelectField, TextArea } from "../../ui/field.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";
import { WhatIfReport } from "./what-if-report.tsx";

export interface WhatIfDialogProps {
  readonly run: string;
  readonly open: boolean;
  readonly onClose: () => void;
}

export function WhatIfDialog({ run, open, onClose }: WhatIfDialogProps) {
  return (
    <Dialog title="What if other policies had been in force?" open={open} onClose={onClose} wide>
      <Draft run={run} onClose={onClose} />
    </Dialog>
  );
}

function Draft({ run, onClose }: { readonly run: string; readonly onClose: () => void }) {
  const policies = useQuery({ queryKey: ["policies"], queryFn: () => ask(api.policies.$get()) });
  const [drafts, setDrafts] = useState<ReadonlyMap<string, string>>(new Map());
  const [chosen, setChosen] = useState<string | null>(null);
  const files = new Map([...(policies.data?.files.map(({ file, text }) => [file, text] as const) ?? []), ...drafts]);
  const judged = useMutation({
    mutationFn: () =>
      ask(
        api.runs[":id"]["what-if"].$post({
          param: { id: run },
          json: { files: [...files].map(([file, text]) => ({ file, text })) },
        }),
      ),
  });
  if (policies.isError) return <Failure error={policies.error} retry={() => void policies.refetch()} />;
  if (policies.isPending) return <Skeleton lines={4} />;
  const file = chosen ?? [...files.keys()][0] ?? "policies.yaml";
  const write = (name: string, text: string) => {
    setDrafts((before) => new Map(before).set(name, text));
    judged.reset();
  };
  return (
    <div className="space-y-4">
      {judged.isSuccess ? <WhatIfReport run={run} report={judged.data} onLeave={onClose} /> : null}
      {judged.isError ? (
        <p role="alert" className="rounded-md bg-deny-soft px-3 py-2 whitespace-pre-wrap text-deny">
          {messageOf(judged.error)}
        </p>
      ) : null}
      {files.size > 1 ? (
        <SelectField
          label="File"
          choices={[...files.keys()]}
          value={file}
          onChange={({ target }) => setChosen(target.value)}
        />
      ) : null}
      <TextArea
        label={`Draft of ${file}`}
        hint="Only here: the file on disk stays as it is."
        className="font-mono text-sm"
        rows={judged.isSuccess ? 8 : 16}
        spellCheck={false}
        value={files.get(file) ?? ""}
        onChange={({ target }) => write(file, target.value)}
      />
      <div className="flex flex-wrap items-center justify-end gap-2">
        <Upload
          onText={(text) => {
            write(file, text);
          }}
        />
        <Button tone="primary" busy={judged.isPending} onClick={() => judged.mutate()}>
          Judge the run again
        </Button>
      </div>
    </div>
  );
}

function Upload({ onText }: { readonly onText: (text: string) => void }) {
  return (
    <label className="mr-auto inline-flex min-h-11 cursor-pointer items-center rounded-md border border-line px-3.5 font-medium focus-within:outline-2 focus-within:outline-accent hover:bg-sunken md:min-h-9">
      Take a file's text…
      <input
        type="file"
        accept=".yaml,.yml,.json"
        className="sr-only"
        onChange={({ target }) => {
          void target.files?.[0]?.text().then(onText);
          target.value = "";
        }}
      />
    </label>
  );
}
