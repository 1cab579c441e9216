/** An act that stands in the record: what it does, why, and the button that does it. */
import { type ReactNode, useState } from "react";
import { messageOf } from "../api/problem.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { TextField } from "./field.tsx";

export interface ReasonDialogProps {
  readonly title: string;
  readonly open: boolean;
  readonly onClose: () => void;
  /** What happens. */
  readonly children: ReactNode;
  readonly act: string;
  readonly danger?: boolean;
  readonly busy: boolean;
  readonly error: unknown;
  /** More that has to be right before it can be done. */
  readonly ready?: boolean;
  readonly onAct: (reason: string) => void;
}

export function ReasonDialog(props: ReasonDialogProps) {
  const { title, open, onClose, children, act, danger = false, busy, error, ready = true, onAct } = props;
  const [reason, setReason] = useState("");
  return (
    <Dialog title={title} open={open} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          onAct(reason);
        }}
      >
        {children}
        <TextField
          label="Reason"
          hint="It stands in the record beside your name."
          value={reason}
          required
          autoFocus
          onChange={(event) => setReason(event.target.value)}
          error={error === null ? undefined : messageOf(error)}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            tone={danger ? "danger" : "primary"}
            busy={busy}
            disabled={reason.trim() === "" || !ready}
          >
            {act}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
