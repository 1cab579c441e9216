/** What of an entry can be searched: the names in its header, the texts of its parts, the values of its arguments. */

import type { StoredPart } from "../log/entry.ts";
import type { EntryHeader } from "../log/header.ts";
import type { Json, JsonObject } from "../value/json.ts";
import type { ArgumentPath, IdField, NameField } from "./query.ts";

/** Which content is left out of search. */
export interface SearchScope {
  /** Argument paths whose values are never found, in any tool. */
  readonly off: readonly ArgumentPath[];
}

/** Text of one part that is searched; what lies behind it is not. */
const MOST_CHARACTERS = 262_144;
/** Values of one path in one entry. */
const MOST_VALUES = 100;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The value of a part; undefined after an erasure, and for bytes that are no JSON. */
export function contentOf({ bytes }: StoredPart): Json | undefined {
  if (bytes === null) return undefined;
  try {
    const value = JSON.parse(decoder.decode(bytes)) as Json;
    if (!isMap(value) || !Object.hasOwn(value, "encoding")) return value;
    if (value.encoding === "json") return value.value;
    // Bytes in base64 have no words; the length of what was left out is none either.
    return value.encoding === "text" ? value.text : null;
  } catch {
    return undefined;
  }
}

/** Names by which an entry is found; a part by the first piece of its name. `tool`: where the header has no plain one. */
export function namesOf(header: EntryHeader, tool: Json | undefined): [NameField, string][] {
  const names: [NameField, string][] = [
    ["type", header.type],
    ["writer", header.writer.id],
  ];
  const called = header.tool ?? tool;
  if (typeof called === "string") names.push(["tool", called]);
  for (const field of ["agent", "environment", "verdict", "revision", "outcome"] as const) {
    const value = header[field];
    if (value !== undefined) names.push([field, value]);
  }
  for (const rule of header.rules ?? []) names.push(["rule", rule]);
  for (const part of Object.keys(header.parts ?? {})) names.push(["part", part.split("/", 1)[0] ?? part]);
  return names;
}

export function idsOf(header: EntryHeader): [IdField, string][] {
  const ids: [IdField, string][] = [];
  if (header.run !== undefined) ids.push(["run", header.run.id]);
  if (header.call !== undefined) ids.push(["call", header.call]);
  if (header.approval !== undefined) ids.push(["approval", header.approval]);
  return ids;
}

/** Where in a part the arguments of a call stand: as proposed, as a person edited them, as a policy changed them. */
const ARGUMENTS: Readonly<Record<string, ArgumentPath>> = {
  arguments: [],
  request: ["arguments"],
  decision: ["decision", "changed", "args"],
};

/** The arguments in a part that `args.…` looks at: those that were proposed, and those that were run. */
export function argumentsIn(part: string, content: Json): Json | undefined {
  const place = Object.hasOwn(ARGUMENTS, part) ? ARGUMENTS[part] : undefined;
  return place === undefined ? undefined : at(content, place);
}

/** The values at a path of arguments, through every item of a list where the path has `[]`. Lists and maps are none. */
export function valuesAt(args: Json, path: ArgumentPath): (string | number | boolean | null)[] {
  const found: (string | number | boolean | null)[] = [];
  collect(args, path, 0, found);
  return found;
}

function collect(value: Json, path: ArgumentPath, depth: number, found: (string | number | boolean | null)[]): void {
  if (found.length >= MOST_VALUES) return;
  const key = path[depth];
  if (key === undefined) {
    if (typeof value !== "object" || value === null) found.push(value);
  } else if (isList(value)) {
    if (key === "[]") for (const item of value) collect(item, path, depth + 1, found);
  } else {
    const inner = isMap(value) ? own(value, key) : undefined;
    if (inner !== undefined) collect(inner, path, depth + 1, found);
  }
}

/** Every text and number in a part, without what is turned off; keys are not content. */
export function textsIn(part: string, content: Json, scope: SearchScope): string[] {
  const texts: string[] = [];
  const args = scope.off.length === 0 ? undefined : argumentsIn(part, content);
  let room = MOST_CHARACTERS;
  function add(text: string): void {
    if (room <= 0) return;
    texts.push(text.length <= room ? text : text.slice(0, room).toWellFormed());
    room -= text.length;
  }
  function walk(value: Json): void {
    if (typeof value === "string") add(value);
    else if (typeof value === "number") add(String(value));
    else if (isList(value)) for (const item of value) walk(item);
    else if (isMap(value)) {
      for (const inner of Object.values(value)) {
        if (inner !== args) walk(inner);
        else if (args !== undefined) walkArguments(args, scope.off);
      }
    }
  }
  function walkArguments(value: Json, off: readonly ArgumentPath[]): void {
    if (off.some((path) => path.length === 0)) return;
    if (off.length === 0) walk(value);
    else if (isList(value)) for (const item of value) walkArguments(item, below(off, "[]"));
    else if (isMap(value)) for (const [key, inner] of Object.entries(value)) walkArguments(inner, below(off, key));
    else walk(value);
  }
  if (args !== undefined && args === content) walkArguments(args, scope.off);
  else walk(content);
  return texts;
}

/** True when the path, or what it lies in, is turned off. */
export function isOff(path: ArgumentPath, { off }: SearchScope): boolean {
  return off.some((hidden) => hidden.every((key, index) => key === path[index]));
}

function below(off: readonly ArgumentPath[], key: string): ArgumentPath[] {
  return off.flatMap(([first, ...rest]) => (first === key ? [rest] : []));
}

function at(value: Json, path: readonly string[]): Json | undefined {
  let found: Json | undefined = value;
  for (const key of path) found = isMap(found) ? own(found, key) : undefined;
  return found;
}

function own(map: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
