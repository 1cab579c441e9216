/**
 * What a search asks for. A query finds *items*: a call with all its entries, or an entry that is about no call. A term
 * holds for an item when one of its entries has it, so that `tool:…`, `verdict:…` and a word of the result, which stand
 * in three entries, can be asked for together.
 */

/** Fields whose values are names of a closed list or of few kinds: exact, or with `*`. */
export const NAME_FIELDS = [
  "type",
  "tool",
  "agent",
  "environment",
  "verdict",
  "rule",
  "revision",
  "outcome",
  "writer",
  "part",
] as const;
export type NameField = (typeof NAME_FIELDS)[number];

/** Fields that hold ids: nearly every entry has another. Exact, or a beginning with `*`. */
export const ID_FIELDS = ["run", "call", "approval"] as const;
export type IdField = (typeof ID_FIELDS)[number];

/** A name, or the pieces between the `*` of a pattern; `or`: other names that are meant as well. */
export type Pattern = ({ readonly exact: string } | { readonly pieces: readonly string[] }) & {
  readonly or?: ReadonlySet<string>;
};

/** Keys from the outside in; `[]` is every item of a list. */
export type ArgumentPath = readonly string[];

export type NumberTest = {
  readonly operator: ">" | ">=" | "<" | "<=" | "=";
  readonly value: number;
};

export type ArgumentTest =
  | { readonly kind: "present" }
  | { readonly kind: "number"; readonly test: NumberTest }
  /** Any of these: `17` asks for the number and for the text. */
  | { readonly kind: "equal"; readonly values: readonly (string | number | boolean | null)[] }
  | { readonly kind: "pattern"; readonly pattern: Pattern };

export type Query =
  | { readonly kind: "all" }
  | { readonly kind: "and" | "or"; readonly of: readonly Query[] }
  | { readonly kind: "not"; readonly of: Query }
  | { readonly kind: "name"; readonly field: NameField; readonly pattern: Pattern }
  | { readonly kind: "id"; readonly field: IdField; readonly prefix: boolean; readonly value: string }
  | { readonly kind: "step"; readonly test: NumberTest }
  | { readonly kind: "entry"; readonly test: NumberTest }
  /** Store time of the item's first entry, ms: `from` inclusive, `to` exclusive. */
  | { readonly kind: "time"; readonly from: number; readonly to: number }
  | { readonly kind: "argument"; readonly path: ArgumentPath; readonly test: ArgumentTest }
  /** Several words are a phrase: they follow one another in one text. */
  | { readonly kind: "text"; readonly words: readonly string[]; readonly prefix: boolean };

/** Pieces of a pattern in order, the first at the beginning and the last at the end. */
export function fits(pattern: Pattern, text: string): boolean {
  if (pattern.or?.has(text) === true) return true;
  if ("exact" in pattern) return text === pattern.exact;
  const { pieces } = pattern;
  const [first = "", last = ""] = [pieces[0], pieces.at(-1)];
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

export function holds({ operator, value }: NumberTest, number: number): boolean {
  switch (operator) {
    case ">":
      return number > value;
    case ">=":
      return number >= value;
    case "<":
      return number < value;
    case "<=":
      return number <= value;
    case "=":
      return number === value;
  }
}

/** `args.lines[].amount` without `args`, as keys; undefined for a text that is no path. */
export function parseArgumentPath(text: string): ArgumentPath | undefined {
  const path: string[] = [];
  for (const part of text.split(".")) {
    const [, key = "", lists = ""] = /^([^[\]]*)((?:\[\])*)$/.exec(part) ?? [];
    if (key === "") return undefined;
    path.push(key, ...Array.from({ length: lists.length / 2 }, () => "[]"));
  }
  return path;
}
