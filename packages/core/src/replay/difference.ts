/** Where two pieces of content differ first; what the record masks may have been anything. */
import { canonicalJson, type Json } from "../value/json.ts";
import type { Content } from "./content.ts";

export interface Difference {
  /** A JSON pointer. */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
}

/** Null where they are the same as far as the record can tell. */
export function firstDifference(recorded: Content | null, got: Content): Difference | null {
  if (recorded === null) return null;
  if (recorded.state !== "present" && recorded.state !== "encoded") return null;
  if (recorded.state !== got.state || recorded.state === "encoded") {
    const [expected, other] = [textOf(recorded), textOf(got)];
    return expected === other || recorded.masked.length > 0 ? null : { path: "", expected, got: other };
  }
  if (got.state !== "present") return null;
  return differ(recorded.value, got.value, "", new Set(recorded.masked));
}

function differ(
  left: Json | undefined,
  right: Json | undefined,
  path: string,
  masked: ReadonlySet<string>,
): Difference | null {
  if (masked.has(path)) return null;
  if (isTree(left) && isTree(right) && Array.isArray(left) === Array.isArray(right)) {
    const [ours, theirs] = [new Map(Object.entries(left)), new Map(Object.entries(right))];
    for (const key of new Set([...ours.keys(), ...theirs.keys()])) {
      const below = `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      const found = differ(ours.get(key), theirs.get(key), below, masked);
      if (found !== null) return found;
    }
    return null;
  }
  const [expected, got] = [jsonText(left), jsonText(right)];
  return expected === got ? null : { path, expected: short(expected), got: short(got) };
}

function isTree(value: Json | undefined): value is readonly Json[] | { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null;
}

function jsonText(value: Json | undefined): string {
  return value === undefined ? "(absent)" : canonicalJson(value);
}

function textOf(content: Content): string {
  if (content.state === "present") return short(jsonText(content.value));
  return content.state === "encoded" ? short(content.value) : `(${content.state})`;
}

function short(text: string): string {
  return text.length > 400 ? `${text.slice(0, 400)}…`.toWellFormed() : text;
}
