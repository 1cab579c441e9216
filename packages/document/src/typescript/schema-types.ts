/** A tool's schema → the TypeScript type of its arguments. Types only: what is read at run time is the schema itself. */

/** The part of Standard Schema (standardschema.dev) that carries types: zod, valibot, arktype and others have it. */
export interface StandardSchema {
  readonly "~standard": { readonly version: 1; readonly types?: { readonly input: unknown } | undefined };
}

/** JSON Schema of the arguments. */
export interface ArgsSchema {
  readonly type: "object";
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

/** The arguments as the model may write them; `unknown` without a schema. */
export type ArgsOfSchema<Schema> = Schema extends StandardSchema
  ? NonNullable<Schema["~standard"]["types"]>["input"]
  : Schema extends ArgsSchema
    ? FromJsonSchema<Schema>
    : unknown;

/** `type`, `properties`, `required`, `items`, `enum`, `const`, `anyOf` and `oneOf`; everything else is `unknown`. */
export type FromJsonSchema<Schema> = Schema extends { readonly const: infer Value }
  ? Value
  : Schema extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : Schema extends { readonly anyOf: readonly (infer One)[] } | { readonly oneOf: readonly (infer One)[] }
      ? FromJsonSchema<One>
      : Schema extends { readonly type: readonly (infer Name)[] }
        ? FromType<Name, Schema>
        : Schema extends { readonly type: infer Name }
          ? FromType<Name, Schema>
          : unknown;

/** Distributes over a union of type names. */
type FromType<Name, Schema> = Name extends "string"
  ? string
  : Name extends "number" | "integer"
    ? number
    : Name extends "boolean"
      ? boolean
      : Name extends "null"
        ? null
        : Name extends "array"
          ? readonly (Schema extends { readonly items: infer Items } ? FromJsonSchema<Items> : unknown)[]
          : Name extends "object"
            ? FromObject<Schema>
            : unknown;

type FromObject<Schema> = Schema extends { readonly properties: infer Properties }
  ? Flat<
      {
        readonly [Key in keyof Properties as Key extends RequiredOf<Schema> ? Key : never]: FromJsonSchema<
          Properties[Key]
        >;
      } & {
        readonly [Key in keyof Properties as Key extends RequiredOf<Schema> ? never : Key]?: FromJsonSchema<
          Properties[Key]
        >;
      }
    >
  : Schema extends { readonly additionalProperties: infer Value extends object }
    ? Readonly<Record<string, FromJsonSchema<Value>>>
    : Readonly<Record<string, unknown>>;

/** One object type, so that messages of the type checker stay readable. */
type Flat<T> = { readonly [Key in keyof T]: T[Key] };

type RequiredOf<Schema> = Schema extends { readonly required: readonly (infer Name)[] } ? Name : never;
