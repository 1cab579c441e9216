/** The arguments that an approver may change, as fields made from the tool's schema. */
import { choicesOf, type FormField, fieldText, isTypeable } from "@saferun/core";
import { SelectField, TextArea, TextField } from "../../ui/field.tsx";
import { Untrusted } from "../../ui/text.tsx";

export interface EditFormProps {
  readonly fields: readonly FormField[];
  readonly typed: ReadonlyMap<string, string>;
  readonly mistakes: ReadonlyMap<string, string>;
  readonly onType: (path: string, text: string) => void;
}

export function EditForm({ fields, typed, mistakes, onType }: EditFormProps) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      {fields.map((field) => (
        <OneField
          key={field.path}
          field={field}
          text={typed.get(field.path) ?? field.text}
          error={mistakes.get(field.path)}
          onType={(text) => onType(field.path, text)}
        />
      ))}
    </div>
  );
}

interface OneFieldProps {
  readonly field: FormField;
  readonly text: string;
  readonly error: string | undefined;
  readonly onType: (text: string) => void;
}

function OneField({ field, text, error, onType }: OneFieldProps) {
  const label = (
    <>
      <Untrusted>{field.label}</Untrusted>
      {field.label === field.path ? null : (
        <code className="ml-2 text-sm font-normal text-muted">
          <Untrusted>{field.path}</Untrusted>
        </code>
      )}
    </>
  );
  const choices = choicesOf(field);
  if (!isTypeable(field)) {
    return (
      <p>
        <span className="font-medium">{label}</span>
        <span className="mt-1 block text-sm text-muted">
          It holds characters that cannot be seen, so it stays as it is.
        </span>
      </p>
    );
  }
  const shared = { label, hint: fieldText(field), error, value: text };
  if (choices.length > 0) {
    const texts = choices.map((choice) => choice.text);
    const all = texts.includes(text) ? texts : [text, ...texts];
    return <SelectField {...shared} choices={all} onChange={(event) => onType(event.target.value)} />;
  }
  if (field.type === "json" || text.includes("\n") || text.length > 80) {
    return (
      <div className="sm:col-span-2">
        <TextArea
          {...shared}
          rows={Math.min(12, text.split("\n").length + 1)}
          className="font-mono"
          onChange={(event) => onType(event.target.value)}
        />
      </div>
    );
  }
  const number = field.type === "integer" || field.type === "number";
  return (
    <TextField
      {...shared}
      inputMode={number ? "decimal" : "text"}
      autoComplete="off"
      onChange={(event) => onType(event.target.value)}
    />
  );
}
