/** The subset of JSON Schema 2020-12 that tools' arguments are validated by, read and resolved. */
import type { Json, JsonObject } from "../../value/json.ts";
import type { Pattern } from "../regex/match.ts";
import type { FormatName } from "./formats.ts";

/** A schema as written: `true`, `false`, or an object of keywords. */
export type JsonSchema = boolean | JsonObject;

export const JSON_TYPES = ["string", "number", "integer", "boolean", "object", "array", "null"] as const;
export type JsonType = (typeof JSON_TYPES)[number];

/** Absent keywords are null or empty. `true` is every value, `false` is none. */
export type Schema = boolean | SchemaNode;

export interface SchemaNode {
  readonly types: ReadonlySet<JsonType> | null;
  /** `enum`; a `const` is an `enum` of one. Both together: `allowed` holds what is in both. */
  readonly allowed: readonly Json[] | null;
  readonly number: NumberBounds | null;
  readonly text: TextBounds | null;
  readonly list: ListShape | null;
  readonly object: ObjectShape | null;
  readonly combined: Combined | null;
  /** For people; says nothing about which values fit. */
  readonly about: About | null;
}

/** `title` and `description` as written: text of whoever made the tool. */
export interface About {
  readonly title: string | null;
  readonly description: string | null;
}

export interface NumberBounds {
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly exclusiveMinimum: number | null;
  readonly exclusiveMaximum: number | null;
  readonly multipleOf: number | null;
}

/** Lengths in code points. */
export interface TextBounds {
  readonly minLength: number | null;
  readonly maxLength: number | null;
  readonly pattern: TextPattern | null;
  readonly format: FormatName | null;
}

export interface TextPattern {
  readonly text: string;
  readonly compiled: Pattern;
}

export interface ListShape {
  readonly prefix: readonly Schema[];
  readonly items: Schema | null;
  readonly minItems: number | null;
  readonly maxItems: number | null;
  readonly unique: boolean;
}

export interface ObjectShape {
  readonly properties: ReadonlyMap<string, Schema>;
  readonly required: ReadonlySet<string>;
  readonly patterns: readonly { readonly pattern: TextPattern; readonly schema: Schema }[];
  /** Null where the schema does not say: unknown properties are then refused. */
  readonly additional: Schema | null;
  readonly names: Schema | null;
  readonly minProperties: number | null;
  readonly maxProperties: number | null;
}

/** Schemas for the same value. */
export interface Combined {
  readonly allOf: readonly Schema[];
  readonly anyOf: readonly Schema[];
  readonly oneOf: readonly Schema[];
  readonly not: Schema | null;
  readonly if: { readonly when: Schema; readonly then: Schema; readonly else: Schema } | null;
  readonly ref: SchemaRef | null;
}

/** `$ref`: the target is set once the whole document is read. */
export interface SchemaRef {
  readonly pointer: string;
  target: Schema;
}

/** What is wrong with arguments. Never holds a value. */
export interface ArgumentIssue {
  /** `customer.id`, `items[2]`; empty for the arguments as a whole. */
  readonly path: string;
  /** What was expected there, as the end of a sentence: `must be an integer`. */
  readonly message: string;
}

/** Judges arguments: a compiled JSON Schema, or a validator of the framework. Synchronous; a throw counts as a refusal. */
export interface ArgumentValidator {
  /** Empty where the arguments fit. */
  validate(args: JsonObject): readonly ArgumentIssue[];
}

/** What is wrong with a schema: `pointer` is where, such as `#/properties/amount`. */
export interface SchemaIssue {
  readonly pointer: string;
  readonly message: string;
}
