/** The log, or what the search finds, as a file: read through the page, since its session stands in no link. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { gateFetch } from "../../api/client.ts";
import { messageOf } from "../../api/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { SelectField } from "../../ui/field.tsx";
import { saveFile } from "../../ui/save-file.ts";
import { useToast } from "../../ui/toast.tsx";

const FORMATS = {
  "JSON lines, with what proves them": { format: "jsonl", type: "application/x-ndjson" },
  "CSV, for a spreadsheet, without proofs": { format: "csv", type: "text/csv" },
} as const;
type Format = keyof typeof FORMATS;

export interface ExportDialogProps {
  readonly query: string;
  readonly open: boolean;
  readonly onClose: () => void;
}

export function ExportDialog({ query, open, onClose }: ExportDialogProps) {
  const [chosen, setChosen] = useState<Format>("JSON lines, with what proves them");
  const [bytes, setBytes] = useState(0);
  const say = useToast();
  const { format, type } = FORMATS[chosen];
  const download = useMutation({
    async mutationFn() {
      setBytes(0);
      const { body } = await gateFetch(`/v1/log-export?${new URLSearchParams({ format, q: query })}`);
      const parts: BlobPart[] = [];
      let read = 0;
      for await (const chunk of body ?? []) {
        parts.push(chunk);
        read += chunk.length;
        setBytes(read);
      }
      saveFile(new Blob(parts, { type }), `log.${format}`);
    },
    onSuccess() {
      say(`log.${format} is downloaded`);
      onClose();
    },
  });
  return (
    <Dialog title="Export" open={open} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          download.mutate();
        }}
      >
        {query === "" ? (
          <p>The whole log. As JSON lines it verifies offline, with `saferun log verify --export`.</p>
        ) : (
          <p>
            All entries of what <code className="font-mono break-all">{query}</code> finds. As JSON lines each has the
            proof that it stands in the signed log; nothing is shown about entries that are left out.
          </p>
        )}
        <SelectField
          label="As"
          choices={Object.keys(FORMATS)}
          value={chosen}
          onChange={(event) => setChosen(event.target.value as Format)}
        />
        <p className="text-muted">
          Payloads are in it. It is held in memory until it is whole; of a very large log{" "}
          <code className="font-mono">saferun log export</code> writes a file and goes on where it was cut off.
        </p>
        {download.error === null ? null : (
          <p role="alert" className="text-deny">
            {messageOf(download.error)}
          </p>
        )}
        <div className="flex items-center justify-end gap-2">
          {download.isPending ? <span className="text-muted tabular-nums">{sizeText(bytes)}</span> : null}
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" busy={download.isPending}>
            Download
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function sizeText(bytes: number): string {
  return bytes < 1_048_576 ? `${Math.ceil(bytes / 1_024)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
