/** An approval as the API gives it, and its edit as the core reads it: the same form as in every other channel. */
import {
  type AmountAt,
  amountsAt,
  type EditField,
  type FormField,
  formFields,
  type Json,
  typedValue,
  unitsAt,
  withEditedValue,
} from "@saferun/core";
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

/** @param args Those whose units are meant: what is asked about, or what somebody makes of it. */
export function fieldsOf(approval: Approval, args = argumentsOf(approval)): readonly FormField[] {
  const { editable, fields, units } = approval;
  const unitAt = unitsAt(units, proposedOf(approval), args);
  return formFields(argumentsOf(approval), { editable, form: fields.map(fieldOf), unitAt });
}

/** What values of such arguments are to a person: `$4,500.00`. */
export function amountsIn(approval: Approval): (args: Json) => AmountAt {
  return (args) => amountsAt(approval.units, proposedOf(approval), args);
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
