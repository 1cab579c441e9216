/** An approver's edit: one value at a path of the arguments. */
import { changedPaths, editedValue, type Json, JsonTextProblem, parseJson, withEditedValue } from "@saferun/core";
import { usage } from "../exit.ts";
import { printable } from "../output/printable.ts";
import { leaf } from "../output/tree.ts";

/**
 * `path=value` applied to a copy. Where a text stands now the value is that text as typed; elsewhere it is JSON.
 * @throws CommandError (usage) when the path does not exist in the arguments or the value is no JSON.
 */
export function withSetting(args: Json, setting: string): Json {
  const at = setting.indexOf("=");
  if (at <= 0) throw usage(`\`--set ${printable(setting)}\` is not \`path=value\``);
  const path = setting.slice(0, at);
  return withValue(args, path, typedValue(editedValue(args, path), setting.slice(at + 1), path));
}

/** What a person typed, as the type of what stood there before. */
export function typedValue(before: Json | undefined, typed: string, path: string): Json {
  if (typeof before === "string") return typed;
  try {
    return parseJson(typed);
  } catch (error) {
    if (!(error instanceof JsonTextProblem)) throw error;
    if (before === undefined) return typed;
    throw usage(`the value for \`${printable(path)}\` must be JSON, as ${leaf(before)} is; put texts in double quotes`);
  }
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
