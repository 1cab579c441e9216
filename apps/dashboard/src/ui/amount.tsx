/** A value as a person reads it, `$4,500.00`, and beside it the one that runs. */
import { printable } from "@saferun/core";

export function Amount({ text, value }: { readonly text: string; readonly value: unknown }) {
  return (
    <>
      <span className="text-ink">{text}</span>{" "}
      <span className="font-normal text-muted">({printable(JSON.stringify(value))})</span>
    </>
  );
}
