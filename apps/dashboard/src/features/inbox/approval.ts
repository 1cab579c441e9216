/** An approval as the API gives it, and its edit as the core reads it: the same form as in every other channel. */
import { type EditField, type FormField, formFields, type Json, typedValue, withEditedValue } from "@saferun/core";
import { api, ask } from "../../api/client.ts";

export type Approval = Awaited<ReturnType<typeof readApproval>>;
/** In the list: bounded, whatever the arguments are. */
export type Summary = Awaited<ReturnType<typeof readApprovals>>["approvals"][number];

export function readApprovals() {
  return ask(api.approvals.$get());
}

export function readApproval(id: string) {
  return ask(api.approvals[":id"].$get({ param: { id } }));
}

/** What the next approver agrees to: as proposed, or as an earlier approver edited it. */
export function argumentsOf(approval: Approval): Json {
  return approval.edit === null ? proposedOf(approval) : (approval.edit.args as Json);
}

export function proposedOf({ args }: Approval): Json {
  return args as Json;
}

export function fieldsOf(approval: Approval): readonly FormField[] {
  return formFields(argumentsOf(approval), { editable: approval.editable, form: approval.fields.map(fieldOf) });
}

function fieldOf(wire: Approval["fields"][number]): EditField {
  const fields = Object.entries(wire).map(([key, value]) => [
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(fields) as EditField;
}

/** What a person typed or, of several choices, chose, by path. */
export type TypedFields = ReadonlyMap<string, string | readonly string[]>;

export interface Typed {
  readonly args: Json;
  /** By path: what is wrong with what was typed there. */
  readonly mistakes: ReadonlyMap<string, string>;
}

/** A path that is missing keeps its value. */
export function typedArguments(approval: Approval, typed: TypedFields): Typed {
  const mistakes = new Map<string, string>();
  let args = argumentsOf(approval);
  for (const field of fieldsOf(approval)) {
    const text = typed.get(field.path);
    const value = text === undefined ? ({ unchanged: true } as const) : typedValue(field, text);
    if ("message" in value) mistakes.set(field.path, value.message);
    if (!("value" in value)) continue;
    const edited = withEditedValue(args, field.path, value.value);
    if (edited === undefined) mistakes.set(field.path, "the arguments have no place for it");
    else args = edited;
  }
  return { args, mistakes };
}
