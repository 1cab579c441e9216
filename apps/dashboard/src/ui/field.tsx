import { printable } from "@saferun/core";
import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from "react";
import { words } from "./words.ts";

const BOX =
  "w-full rounded-md border border-line-strong bg-surface px-3 py-2 text-ink placeholder:text-muted min-h-11 md:min-h-9";

interface FieldProps {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
}

export function TextField({
  label,
  hint,
  error,
  className,
  ...rest
}: FieldProps & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <Labelled {...{ id, label, hint, error }}>
      <input
        id={id}
        aria-describedby={`${id}-about`}
        aria-invalid={error !== undefined}
        className={words(BOX, className)}
        {...rest}
      />
    </Labelled>
  );
}

export function TextArea({
  label,
  hint,
  error,
  className,
  ...rest
}: FieldProps & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const id = useId();
  return (
    <Labelled {...{ id, label, hint, error }}>
      <textarea
        id={id}
        aria-describedby={`${id}-about`}
        aria-invalid={error !== undefined}
        className={words(BOX, className)}
        {...rest}
      />
    </Labelled>
  );
}

function Labelled({
  id,
  label,
  hint,
  error,
  children,
}: FieldProps & { readonly id: string; readonly children: ReactNode }) {
  return (
    <div>
      <label htmlFor={id} className="mb-1 block font-medium">
        {label}
      </label>
      {children}
      <p id={`${id}-about`} className={words("mt-1 text-sm", error === undefined ? "text-muted" : "text-deny")}>
        {error ?? hint}
      </p>
    </div>
  );
}

export function SelectField({
  label,
  hint,
  error,
  choices,
  texts = {},
  className,
  ...rest
}: FieldProps & {
  readonly choices: readonly string[];
  /** What a choice is called, where it is not its own name. */
  readonly texts?: Readonly<Record<string, string>>;
} & SelectHTMLAttributes<HTMLSelectElement>) {
  const id = useId();
  return (
    <Labelled {...{ id, label, hint, error }}>
      <select
        id={id}
        aria-describedby={`${id}-about`}
        aria-invalid={error !== undefined}
        className={words(BOX, className)}
        {...rest}
      >
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {printable(texts[choice] ?? choice)}
          </option>
        ))}
      </select>
    </Labelled>
  );
}
