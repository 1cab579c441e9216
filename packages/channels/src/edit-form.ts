/** The arguments that an approver may change, as the fields of a form, and what was typed as arguments again. */
import { type ApprovalRecord, type Json, JsonTextProblem, parseJson } from "@saferun/core";
import { isMap } from "./json-body.ts";
import { argumentsOf, printable } from "./shown.ts";

export interface Field {
  /** `amount`, `to[0]`: one that exists in these arguments, or could. */
  readonly path: string;
  /** As it stands now; undefined where the argument is absent. */
  readonly value: Json | undefined;
  /** How it is typed: a text as it is, anything else as JSON. */
  readonly typedAs: "text" | "json";
  /** What stands in the field at first. */
  readonly text: string;
}

/** One field for each editable path; `lines[].amount` is one for each line. */
export function fieldsOf(approval: ApprovalRecord): readonly Field[] {
  const args = argumentsOf(approval);
  return approval.editable
    .flatMap((pattern) => expand(args, pattern.split("[]"), ""))
    .map((path) => {
      const value = valueAt(args, path);
      if (typeof value === "string") return { path, value, typedAs: "text", text: value };
      return {
        path,
        value,
        typedAs: "json",
        text: value === undefined ? "" : JSON.stringify(value, null, nested(value)),
      };
    });
}

/** What cannot be seen cannot be edited by sight: such a value stays as it is. */
export function isTypeable({ text }: Field): boolean {
  return text.split(/\r?\n/).every((line) => printable(line) === line);
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
    const text = typed.get(field.path);
    // A field that was left as it was keeps its value exactly, also where a form has changed its line ends.
    if (text === undefined || sameLines(text, field.text)) continue;
    const lines = text.replaceAll("\r\n", "\n");
    const value = field.typedAs === "text" ? { value: lines } : parsed(lines, field);
    if ("message" in value) mistakes.push({ path: field.path, message: value.message });
    else args = withValue(args, segmentsOf(field.path), value.value);
  }
  return mistakes.length > 0 ? { mistakes } : { args };
}

/** Phones replace straight quotes while one types. What was meant is not guessed. */
const CURLY = /[\u2018-\u201f\u00ab\u00bb]/;

function parsed(text: string, { value }: Field): { readonly value: Json } | { readonly message: string } {
  try {
    return { value: parseJson(text) };
  } catch (error) {
    if (!(error instanceof JsonTextProblem)) throw error;
    if (CURLY.test(text)) return { message: 'curly quotes are no JSON; type straight ones: "' };
    if (value === undefined) return { value: text };
    const where = text.includes("\n") ? `line ${error.line}: ` : "";
    return { message: printable(`${where}${error.message}; it must be JSON, texts in double quotes`) };
  }
}

function sameLines(one: string, other: string): boolean {
  return one.replaceAll("\r\n", "\n") === other.replaceAll("\r\n", "\n");
}

function nested(value: Json): number {
  return typeof value === "object" && value !== null ? 2 : 0;
}

function expand(args: Json, pieces: readonly string[], before: string): string[] {
  const [piece = "", ...rest] = pieces;
  const path = before + piece;
  if (rest.length === 0) return [path];
  const list = valueAt(args, path);
  return Array.isArray(list) ? list.flatMap((_, index) => expand(args, rest, `${path}[${index}]`)) : [];
}

function valueAt(args: Json, path: string): Json | undefined {
  let node: Json | undefined = args;
  for (const segment of segmentsOf(path)) node = child(node, segment);
  return node;
}

function withValue(node: Json, segments: readonly (string | number)[], value: Json): Json {
  const [segment, ...rest] = segments;
  if (segment === undefined) return value;
  const next = withValue(child(node, segment) ?? null, rest, value);
  if (typeof segment === "number" && Array.isArray(node) && segment < node.length) return node.with(segment, next);
  if (typeof segment === "string" && isMap(node)) return { ...node, [segment]: next };
  // Nothing stands where the path leads: the arguments stay as they are, and the call is what was proposed.
  return node;
}

function segmentsOf(path: string): (string | number)[] {
  return path
    .split(/\.|(?=\[)/)
    .filter((segment) => segment !== "")
    .map((segment) => {
      const index = /^\[(\d+)\]$/.exec(segment)?.[1];
      return index === undefined ? segment : Number(index);
    });
}

function child(node: Json | undefined, segment: string | number): Json | undefined {
  if (typeof segment === "number") return Array.isArray(node) ? (node[segment] as Json | undefined) : undefined;
  return isMap(node) && Object.hasOwn(node, segment) ? node[segment] : undefined;
}
