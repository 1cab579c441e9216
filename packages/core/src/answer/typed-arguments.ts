/** An approval's editable arguments as a form, and what was typed into it as arguments again. */
import { type ApprovalRecord, versionOf } from "../approval/approval.ts";
import { withEditedValue } from "../approval/edited-value.ts";
import { type AmountAt, amountsAt, type UnitAt, unitsAt } from "../argument-units.ts";
import type { Json } from "../value/json.ts";
import { leavesOf } from "../value/leaves.ts";
import { knownAmount } from "../value/money.ts";
import { type FormField, type FormTerms, formFields, typedValue } from "./edit-form.ts";

/** What is asked about: as proposed, or as the latest approver edited it. Once it is decided: as proposed. */
export function argumentsOf(approval: ApprovalRecord): Json {
  const { bytes } = approval.decision === null ? versionOf(approval) : approval;
  return JSON.parse(bytes) as Json;
}

/** What the arguments count that are asked about, or others in their place. */
export function unitsOf(approval: ApprovalRecord, args: Json = argumentsOf(approval)): UnitAt {
  return unitsAt(approval.units, JSON.parse(approval.bytes) as Json, args);
}

/** The same as people read it. */
export function amountsOf(approval: ApprovalRecord, args: Json = argumentsOf(approval)): AmountAt {
  return amountsAt(approval.units, JSON.parse(approval.bytes) as Json, args);
}

/** One value that is shown as an amount of something; plain data. */
export interface ShownAmount {
  readonly path: string;
  readonly unit: string;
  /** `$4,500.00` */
  readonly text: string;
}

/** All amounts of what is asked about. */
export function shownAmounts(approval: ApprovalRecord): readonly ShownAmount[] {
  if (approval.units === undefined) return [];
  const args = argumentsOf(approval);
  const unitAt = unitsOf(approval, args);
  return leavesOf(args).flatMap(({ path, value }) => {
    const unit = unitAt(path);
    const text = unit === undefined ? undefined : knownAmount(value, unit);
    return unit === undefined || text === undefined ? [] : [{ path, unit, text }];
  });
}

/** What makes the fields of a form over these arguments: those that are asked about, or what somebody has made of them. */
export function formTerms(approval: ApprovalRecord, args: Json): FormTerms {
  const { editable, form } = approval;
  return { editable, ...(form === undefined ? {} : { form }), unitAt: unitsOf(approval, args) };
}

/** One field for each editable path; `lines[].amount` is one for each line. */
export function fieldsOf(approval: ApprovalRecord): readonly FormField[] {
  const args = argumentsOf(approval);
  return formFields(args, formTerms(approval, args));
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
