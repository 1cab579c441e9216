/** Masks what a finder finds anywhere in a JSON value, and what stands at given places of it. */
import type { Json } from "../value/json.ts";
import type { Span } from "./forms.ts";

/** What stands in the place of what was taken out. */
export const MASK = "[redacted]";

export interface Masked {
  /** The same value where nothing was masked. */
  readonly value: Json;
  /** JSON pointers (RFC 6901) into the masked value; `""` is the whole. */
  readonly paths: readonly string[];
}

/** More are one: the whole value. */
const MOST_PATHS = 256;

export type Finder = (text: string) => readonly Span[];

/** Texts, keys, and numbers, which become texts where something is found in their digits. */
export function masked(value: Json, find: Finder): Masked {
  const paths: string[] = [];
  const result = within(value, find, "", paths);
  return { value: result, paths: paths.length > MOST_PATHS ? [""] : paths };
}

export function maskedText(text: string, find: Finder): string {
  const found = find(text);
  if (found.length === 0) return text;
  let result = "";
  let at = 0;
  for (const { start, end } of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (end <= at) continue;
    // What overlaps the piece before is the same mask.
    if (start >= at) result += `${text.slice(at, start)}${MASK}`;
    at = end;
  }
  return result + text.slice(at);
}

/** Whatever stands at these JSON pointers; a pointer to nothing is nothing. */
export function maskedAt(value: Json, pointers: readonly string[]): Json {
  return pointers.reduce((result, pointer) => replacedAt(result, stepsOf(pointer), () => MASK), value);
}

/** JSON pointers to what a path names: keys, and `[]` for every item of a list. */
export function pointersTo(value: Json, path: readonly string[], at = ""): readonly string[] {
  const [step, ...rest] = path;
  if (step === undefined) return [at];
  if (Array.isArray(value)) {
    return step === "[]" ? value.flatMap((item: Json, index) => pointersTo(item, rest, `${at}/${index}`)) : [];
  }
  if (!isMap(value) || !Object.hasOwn(value, step)) return [];
  return pointersTo(value[step] ?? null, rest, `${at}/${escaped(step)}`);
}

/** The value with what stands at one JSON pointer changed. */
export function changedAt(
  value: Json,
  pointer: string,
  change: (inner: Json) => Json,
): { readonly value: Json; readonly changed: boolean } {
  let changed = false;
  const result = replacedAt(value, stepsOf(pointer), (inner) => {
    changed = true;
    return change(inner);
  });
  return { value: result, changed };
}

function within(value: Json, find: Finder, at: string, paths: string[]): Json {
  if (typeof value === "string" || typeof value === "number") {
    const text = String(value);
    const result = maskedText(text, find);
    if (result === text) return value;
    paths.push(at);
    return result;
  }
  if (Array.isArray(value)) return value.map((item: Json, index) => within(item, find, `${at}/${index}`, paths));
  if (!isMap(value)) return value;
  const result: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) {
    const name = freeName(maskedText(key, find), key, result);
    if (name !== key) paths.push(at);
    put(result, name, within(item, find, `${at}/${escaped(name)}`, paths));
  }
  return result;
}

/** Two keys that are masked alike stay two. */
function freeName(name: string, key: string, taken: Readonly<Record<string, Json>>): string {
  if (name === key) return name;
  for (let number = 1; ; number++) {
    const free = number === 1 ? name : `${name} ${number}`;
    if (!Object.hasOwn(taken, free)) return free;
  }
}

function replacedAt(value: Json, [step, ...rest]: readonly string[], change: (inner: Json) => Json): Json {
  if (step === undefined) return change(value);
  if (Array.isArray(value)) {
    return value.map((item: Json, index) => (String(index) === step ? replacedAt(item, rest, change) : item));
  }
  if (!isMap(value) || !Object.hasOwn(value, step)) return value;
  const result: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value))
    put(result, key, key === step ? replacedAt(item, rest, change) : item);
  return result;
}

/** `__proto__` is a key like others. */
function put(map: Record<string, Json>, key: string, value: Json): void {
  Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true });
}

function stepsOf(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function escaped(step: string): string {
  return step.replaceAll("~", "~0").replaceAll("/", "~1");
}

function isMap(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
