/** The part `unsearched` of an entry: what of the parts beside it no search finds. */
import type { StoredEntry } from "../log/entry.ts";
import type { Json } from "../value/json.ts";
import { contentOf } from "./content.ts";

/** `{"arguments":["/customer/name"],"result":[""]}`: JSON pointers into the content of the parts beside it. */
export const UNSEARCHED_PART = "unsearched";

/** The content of an entry that a search may find. Where the list cannot be read any more nothing may. */
export function searchableParts({
  parts,
}: Pick<StoredEntry, "parts">): { readonly name: string; readonly content: Json }[] {
  const list = parts.find(({ name }) => name === UNSEARCHED_PART);
  const hidden = list === undefined ? {} : contentOf(list);
  return parts.flatMap((part) => {
    if (part.name === UNSEARCHED_PART || !isMap(hidden)) return [];
    const content = contentOf(part);
    if (content === undefined) return [];
    const pointers = Object.hasOwn(hidden, part.name) ? hidden[part.name] : [];
    if (!Array.isArray(pointers)) return [];
    return [
      { name: part.name, content: pointers.reduce<Json>((left, pointer) => without(left, stepsOf(pointer)), content) },
    ];
  });
}

function without(value: Json, [step, ...rest]: readonly string[]): Json {
  if (step === undefined) return null;
  if (Array.isArray(value))
    return value.map((item: Json, index) => (String(index) === step ? without(item, rest) : item));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => {
      if (key !== step) return [[key, item] as const];
      return rest.length === 0 ? [] : [[key, without(item, rest)] as const];
    }),
  );
}

function stepsOf(pointer: Json): readonly string[] {
  const steps = typeof pointer === "string" ? pointer.split("/").slice(1) : [];
  return steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function isMap(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
