/**
 * The words in which the policy format is defined (`format.ts`): plain data, so that the checker, the types, the JSON
 * Schema and the reference all come from one definition.
 */
import type { Span } from "../decision.ts";
import type { Json } from "../value/json.ts";
import type { ScalarNode } from "./tree.ts";

/** One step of a path: a member, `*` for every one, `[]` behind it for every item. */
const SEGMENT = String.raw`(?:(?:\*|[A-Za-z_][A-Za-z0-9_-]*)(?:\[\])*|(?:\[\])+)`;

/** Patterns that names must have. The JSON Schema carries the same ones. */
export const PATTERNS = {
  rule: { source: "^[A-Za-z0-9._-]{1,256}$", says: "letters, digits, `.`, `-` and `_`" },
  word: { source: "^[A-Za-z_][A-Za-z0-9_]{0,255}$", says: "a letter or `_`, then letters, digits and `_`" },
  name: { source: "^[A-Za-z0-9][A-Za-z0-9._-]{0,255}$", says: "letters, digits, `.`, `-` and `_`" },
  tool: { source: "^[^*\\u0000-\\u001f\\u007f-\\u009f]{1,256}$", says: "a tool's name without `*`" },
  glob: { source: "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,256}$", says: "a name, or a glob with `*`" },
  path: {
    source: "^(args\\.)?[A-Za-z_][A-Za-z0-9_-]*(\\.[A-Za-z_][A-Za-z0-9_-]*)*$",
    says: "an argument's path such as `args.amount`",
  },
  leaf: {
    source: String.raw`^(?:\$|(?:\$\.?|args\.)?${SEGMENT}(?:\.${SEGMENT})*)$`,
    says: "a path such as `to`, `items[].id` or `$.cursor`",
  },
  result: {
    source: "^result(\\.[A-Za-z_][A-Za-z0-9_-]*)+$",
    says: "a path into the result such as `result.sent`",
  },
  time: { source: "^(?:[0-9]{1,9}[smhd])+$", says: "a time such as `30m`" },
  any: { source: "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,256}$", says: "a text without control characters" },
} as const;
export type PatternName = keyof typeof PATTERNS;

export type Shape =
  | { readonly type: "text" }
  /** A name that is looked up or compared, kept with its place. Normalised to NFC. */
  | { readonly type: "name"; readonly pattern: PatternName }
  | { readonly type: "words"; readonly words: readonly string[] }
  | { readonly type: "integer"; readonly min: number; readonly max: number }
  | { readonly type: "number" }
  /** A whole number at least 0, or a decimal as a text; the text is kept. */
  | { readonly type: "amount" }
  /** `true` or `false`. */
  | { readonly type: "flag" }
  /** `90s`, `30m`, `1h`, `7d`, `1h30m`; milliseconds. */
  | { readonly type: "duration" }
  /** A moment in RFC 3339; the text is kept. */
  | { readonly type: "time" }
  /** CEL; compiled later. */
  | { readonly type: "expression" }
  /** Plain data. */
  | { readonly type: "json" }
  | { readonly type: "list"; readonly item: Shape }
  /** One, or a list of them. */
  | { readonly type: "some"; readonly item: Shape }
  | { readonly type: "map"; readonly key: PatternName; readonly value: Shape }
  | { readonly type: "object"; readonly fields: Readonly<Record<string, Field>> }
  /** Told apart by the kind of node: `scalar` for a scalar, `other` for a map or list. */
  | { readonly type: "either"; readonly scalar: Shape; readonly other: Shape };

export interface Field {
  readonly shape: Shape;
  /** One sentence for the reference and the editor. */
  readonly doc: string;
  readonly use: "required" | "optional" | "reserved";
}

/** A scalar with its place. */
export interface Located<Value = string> {
  readonly value: Value;
  readonly span: Span;
  readonly node: ScalarNode;
}

export interface Entry<Value> {
  readonly key: string;
  readonly span: Span;
  readonly value: Value;
}

export interface PlacedJson {
  readonly value: Json;
  readonly span: Span;
}

/** The TypeScript type of what a shape reads. */
export type Infer<S> = S extends { type: "text" | "time" | "amount" }
  ? string
  : S extends { type: "name" | "expression" }
    ? Located
    : S extends { type: "words"; words: readonly (infer Word)[] }
      ? Word
      : S extends { type: "integer" | "number" | "duration" }
        ? number
        : S extends { type: "flag" }
          ? boolean
          : S extends { type: "json" }
            ? PlacedJson
            : S extends { type: "list" | "some"; item: infer Item }
              ? readonly Infer<Item>[]
              : S extends { type: "map"; value: infer Value }
                ? readonly Entry<Infer<Value>>[]
                : S extends { type: "object"; fields: infer Fields }
                  ? InferFields<Fields>
                  : S extends { type: "either"; scalar: infer A; other: infer B }
                    ? Infer<A> | Infer<B>
                    : never;

type KeysWith<Fields, Use> = { [Key in keyof Fields]: Fields[Key] extends { use: Use } ? Key : never }[keyof Fields];
type ShapeOf<F> = F extends { shape: infer S } ? S : never;
type InferFields<Fields> = {
  readonly [Key in KeysWith<Fields, "required">]: Infer<ShapeOf<Fields[Key]>>;
} & {
  readonly [Key in KeysWith<Fields, "optional">]?: Infer<ShapeOf<Fields[Key]>>;
} & { readonly span: Span };

export const text = { type: "text" } as const;
export const time = { type: "time" } as const;
export const duration = { type: "duration" } as const;
export const number = { type: "number" } as const;
export const amount = { type: "amount" } as const;
export const flag = { type: "flag" } as const;
export const expression = { type: "expression" } as const;
export const json = { type: "json" } as const;

export function name<const P extends PatternName>(pattern: P) {
  return { type: "name", pattern } as const;
}
export function words<const W extends readonly string[]>(...list: W) {
  return { type: "words", words: list } as const;
}
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER) {
  return { type: "integer", min, max } as const;
}
export function list<const S extends Shape>(item: S) {
  return { type: "list", item } as const;
}
export function some<const S extends Shape>(item: S) {
  return { type: "some", item } as const;
}
export function map<const P extends PatternName, const S extends Shape>(key: P, value: S) {
  return { type: "map", key, value } as const;
}
export function object<const F extends Readonly<Record<string, Field>>>(fields: F) {
  return { type: "object", fields } as const;
}
export function either<const A extends Shape, const B extends Shape>(scalar: A, other: B) {
  return { type: "either", scalar, other } as const;
}
export function required<const S extends Shape>(shape: S, doc: string) {
  return { shape, doc, use: "required" } as const;
}
export function optional<const S extends Shape>(shape: S, doc: string) {
  return { shape, doc, use: "optional" } as const;
}
/** Known to the format, not built yet: its use is an error, never silently ignored. */
export function reserved(doc: string) {
  return { shape: json, doc, use: "reserved" } as const;
}
