/** The run as evidence: its entries with what proves them, for somebody who has no store. */
import { useMutation } from "@tanstack/react-query";
import { gateFetch } from "../../api/client.ts";
import { messageOf } from "../../api/problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { saveFile } from "../../ui/save-file.ts";
import { useToast } from "../../ui/toast.tsx";

const FORMS = {
  page: { type: "text/html", ending: "html" },
  bundle: { type: "text/plain", ending: "bundle" },
} as const;

export interface BundleDialogProps {
  readonly run: string;
  readonly open: boolean;
  readonly onClose: () => void;
}

export function BundleDialog({ run, open, onClose }: BundleDialogProps) {
  const say = useToast();
  const download = useMutation({
    async mutationFn(as: keyof typeof FORMS) {
      const answer = await gateFetch(`/v1/runs/${encodeURIComponent(run)}/bundle?as=${as}`);
      const { type, ending } = FORMS[as];
      const name = `${run.replace(/[^\w.-]/g, "_")}.${ending}`;
      saveFile(new Blob([await answer.arrayBuffer()], { type }), name);
      return name;
    },
    onSuccess(name) {
      say(`${name} is downloaded, and the record says so`);
      onClose();
    },
  });
  return (
    <Dialog title="Evidence of this run" open={open} onClose={onClose}>
      <p>
        All entries of the run with their content, the proof that each stands in the log, and the signed checkpoint that
        the proofs lead to. That it was taken out is recorded.
      </p>
      <ul className="mt-3 space-y-3">
        <li>
          <Button tone="primary" busy={download.isPending} onClick={() => download.mutate("page")}>
            Download a page that verifies itself
          </Button>
          <p className="mt-1 text-sm text-muted">Opens in any browser, without a network: for an auditor.</p>
        </li>
        <li>
          <Button busy={download.isPending} onClick={() => download.mutate("bundle")}>
            Download the bundle
          </Button>
          <p className="mt-1 text-sm text-muted">
            For <code className="font-mono">saferun log verify FILE --pin KEY</code>, with the key that you kept.
          </p>
        </li>
      </ul>
      {download.error === null ? null : (
        <p role="alert" className="mt-3 text-deny">
          {messageOf(download.error)}
        </p>
      )}
    </Dialog>
  );
}
