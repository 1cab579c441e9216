/** A policy file that does not exist yet: as a draft, until it is put in force. */
import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { TextField } from "../../ui/field.tsx";

export const FIRST_TEXT = `saferun: policy/v1
environments:
  prod: { unmatched: { read: allow, none: allow, write: deny, destructive: deny } }
rules: []
`;
const MORE_TEXT = "saferun: policy/v1\nrules: []\n";

export interface NewFileProps {
  readonly taken: readonly string[];
  readonly open: boolean;
  readonly onClose: () => void;
  readonly onCreate: (file: string, text: string) => void;
}

export function NewFile({ taken, open, onClose, onCreate }: NewFileProps) {
  const [name, setName] = useState("");
  const file = /\.ya?ml$/.test(name.trim()) ? name.trim() : `${name.trim()}.yaml`;
  const path = taken.includes("policies.yaml") || file.includes("/") ? file : `policies/${file}`;
  const known = taken.includes(path) || !/^(policies\/)?[A-Za-z0-9][A-Za-z0-9._-]*$/.test(path);
  return (
    <Dialog title="New policy file" open={open} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          onCreate(path, taken.length === 0 ? FIRST_TEXT : MORE_TEXT);
          setName("");
          onClose();
        }}
      >
        <TextField
          label="Name"
          hint={name.trim() === "" ? "Letters, digits, dots and dashes, such as refunds." : `It becomes ${path}.`}
          error={name.trim() !== "" && known ? `${path} is there already, or cannot be a name` : undefined}
          value={name}
          autoFocus
          onChange={(event) => setName(event.target.value)}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" disabled={name.trim() === "" || known}>
            Begin it
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
