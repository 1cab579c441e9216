/** An approval's editable arguments as a form, and what was typed into it as arguments again. */
import { type ApprovalRecord, versionOf } from "../approval/approval.ts";
import { withEditedValue } from "../approval/edited-value.ts";
import type { Json } from "../value/json.ts";
import { type FormField, formFields, typedValue } from "./edit-form.ts";

/** What is asked about: as proposed, or as the latest approver edited it. Once it is decided: as proposed. */
export function argumentsOf(approval: ApprovalRecord): Json {
  const { bytes } = approval.decision === null ? versionOf(approval) : approval;
  return JSON.parse(bytes) as Json;
}

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

/** What a person typed or chose, by path; of several choices their texts. A path that is missing here keeps its value. */
export function typedArguments(
  approval: ApprovalRecord,
  typed: ReadonlyMap<string, string | readonly string[]>,
): Typed {
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
