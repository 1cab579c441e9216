/** An approver's edit: one value at a path of the arguments. */
import {
  changedPaths,
  editedValue,
  type FormTerms,
  fieldText,
  formField,
  type Json,
  typedValue,
  withEditedValue,
} from "@saferun/core";
import { usage } from "../exit.ts";
import { printable } from "../output/printable.ts";

/**
 * `path=value` applied to a copy: read and checked as the field that the tool's schema describes; where none does, a text
 * stays a text and anything else is JSON.
 * @throws CommandError (usage) when the path does not exist in the arguments or the value does not fit its field.
 */
export function withSetting(args: Json, setting: string, terms: FormTerms): Json {
  const at = setting.indexOf("=");
  if (at <= 0) throw usage(`\`--set ${printable(setting)}\` is not \`path=value\``);
  const path = setting.slice(0, at);
  const field = formField(args, path, terms);
  const typed = typedValue(field, setting.slice(at + 1));
  if ("message" in typed) throw usage(`\`${printable(path)}\`: ${typed.message}`);
  if ("value" in typed) return withValue(args, path, typed.value);
  // Nothing for something that is not there: an empty text, where that can be meant.
  if (field.value === undefined && field.described && field.type !== "string")
    throw usage(`\`${printable(path)}\`: must be ${fieldText(field)}`);
  return withValue(args, path, field.value ?? "");
}

/** A copy with one value set. @throws CommandError (usage) when the arguments have nothing at the path. */
export function withValue(args: Json, path: string, value: Json): Json {
  const edited = withEditedValue(args, path, value);
  if (edited === undefined) throw usage(`the arguments have nothing at \`${printable(path)}\``);
  return edited;
}

export interface Difference {
  readonly path: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

export function differences(before: Json, after: Json): Difference[] {
  return changedPaths(before, after).map((path) => ({
    path,
    before: editedValue(before, path),
    after: editedValue(after, path),
  }));
}
