/** An approval's editable arguments as a form, and what was typed into it as arguments again. */
import { type ApprovalRecord, type FormField, formFields, type Json, typedValue, withEditedValue } from "@saferun/core";
import { argumentsOf } from "./shown.ts";

/** One field for each editable path; `lines[].amount` is one for each line. */
export function fieldsOf(approval: ApprovalRecord): readonly FormField[] {
  return formFields(argumentsOf(approval), approval);
}

export interface Mistake {
  readonly path: string;
  /** For the person, one line. */
  readonly message: string;
}

export type Typed = { readonly args: Json } | { readonly mistakes: readonly Mistake[] };

/** What a person typed, by path. A path that is missing here keeps its value. */
export function typedArguments(approval: ApprovalRecord, typed: ReadonlyMap<string, string>): Typed {
  let args = argumentsOf(approval);
  const mistakes: Mistake[] = [];
  for (const field of fieldsOf(approval)) {
    const { path } = field;
    const text = typed.get(path);
    const value = text === undefined ? ({ unchanged: true } as const) : typedValue(field, text);
    if ("message" in value) mistakes.push({ path, message: value.message });
    if (!("value" in value)) continue;
    const edited = withEditedValue(args, path, value.value);
    if (edited === undefined) mistakes.push({ path, message: "the arguments have no place for it" });
    else args = edited;
  }
  return mistakes.length > 0 ? { mistakes } : { args };
}
