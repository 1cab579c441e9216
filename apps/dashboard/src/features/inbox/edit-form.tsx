/** The arguments that an approver may change, as fields made from the tool's schema. */
import { choicesOf, chosenTexts, type FormField, fieldText, isTypeable } from "@saferun/core";
import { SelectField, TextArea, TextField } from "../../ui/field.tsx";
import { Untrusted } from "../../ui/text.tsx";
import type { TypedFields } from "./approval.ts";

export interface EditFormProps {
  readonly fields: readonly FormField[];
  readonly typed: TypedFields;
  readonly mistakes: ReadonlyMap<string, string>;
  readonly onType: (path: string, typed: string | readonly string[]) => void;
}

export function EditForm({ fields, typed, mistakes, onType }: EditFormProps) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      {fields.map((field) => {
        const { path } = field;
        const now = typed.get(path);
        const shared = {
          field,
          error: mistakes.get(path),
          onType: (typed: string | readonly string[]) => onType(path, typed),
        };
        return field.type === "enums" && isTypeable(field) ? (
          <Several key={path} {...shared} chosen={Array.isArray(now) ? now : chosenTexts(field)} />
        ) : (
          <OneField key={path} {...shared} text={typeof now === "string" ? now : field.text} />
        );
      })}
    </div>
  );
}

interface OneFieldProps {
  readonly field: FormField;
  readonly text: string;
  readonly error: string | undefined;
  readonly onType: (text: string) => void;
}

interface SeveralProps {
  readonly field: FormField;
  readonly chosen: readonly string[];
  readonly error: string | undefined;
  readonly onType: (chosen: readonly string[]) => void;
}

/** A list of distinct values out of a few. */
function Several({ field, chosen, error, onType }: SeveralProps) {
  return (
    <fieldset>
      <legend className="mb-1 font-medium">
        <FieldLabel field={field} />
      </legend>
      {choicesOf(field).map(({ text }) => (
        <label key={text} className="flex min-h-11 items-center gap-2 md:min-h-8">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={chosen.includes(text)}
            onChange={() => onType(chosen.includes(text) ? chosen.filter((one) => one !== text) : [...chosen, text])}
          />
          <Untrusted>{text}</Untrusted>
        </label>
      ))}
      <p className={error === undefined ? "text-sm text-muted" : "text-sm text-deny"}>{error ?? fieldText(field)}</p>
    </fieldset>
  );
}

function FieldLabel({ field: { label, path } }: { readonly field: FormField }) {
  return (
    <>
      <Untrusted>{label}</Untrusted>
      {label === path ? null : (
        <code className="ml-2 text-sm font-normal text-muted">
          <Untrusted>{path}</Untrusted>
        </code>
      )}
    </>
  );
}

function OneField({ field, text, error, onType }: OneFieldProps) {
  const label = <FieldLabel field={field} />;
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
  const shared = { label, hint: fieldText({ ...field, text }), error, value: text };
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
