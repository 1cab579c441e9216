/** What a schema says of the arguments that an approver may change: little enough to stand in every approval. */
import type { EditField } from "../../edit-field.ts";
import type { Json } from "../../value/json.ts";
import { kindsOf, MOST_LEVELS, onlyAlternatives, onlyReference } from "./cel-type.ts";
import { fitsSchema, schemaTest } from "./compile.ts";
import type { About, Schema, SchemaNode } from "./types.ts";

const MOST_FIELDS = 50;
/** All fields of one approval as JSON, in bytes. */
const MOST_BYTES = 4_096;
const MOST_CHOICES = 100;
const LABEL_CHARACTERS = 80;
const DESCRIPTION_CHARACTERS = 300;

/** Those of the paths of which the schema says something. Where they are too much, descriptions and then choices are left out. */
export function editFieldsOf(schema: Schema, paths: readonly string[]): readonly EditField[] {
  const fields = paths.slice(0, MOST_FIELDS).flatMap((path) => fieldOf(schema, path) ?? []);
  if (fits(fields)) return fields;
  const terse = fields.map(({ description: _, ...field }) => field);
  if (fits(terse)) return terse;
  const kept: EditField[] = [];
  for (const field of terse) if (field.enum === undefined && fits([...kept, field])) kept.push(field);
  return kept;
}

function fits(fields: readonly EditField[]): boolean {
  return new TextEncoder().encode(JSON.stringify(fields)).length <= MOST_BYTES;
}

interface Found {
  readonly node: SchemaNode;
  readonly about: About | null;
  readonly nullable: boolean;
}

function fieldOf(schema: Schema, path: string): EditField | undefined {
  let at = resolved(schema);
  let required = true;
  for (const step of path.split(/\.|(?=\[)/)) {
    if (at === undefined) return undefined;
    const { list, object } = at.node;
    const isItem = step.startsWith("[");
    required = isItem || object?.required.has(step) === true;
    const next = isItem ? (list?.prefix.length === 0 ? list.items : null) : object?.properties.get(step);
    at = next === null || next === undefined ? undefined : resolved(next);
  }
  if (at === undefined) return undefined;
  const { node, about, nullable } = at;
  const title = about?.title?.trim() || path;
  const description = about?.description?.trim();
  const kind = kindOf(node);
  return {
    path,
    label: cut(title, LABEL_CHARACTERS),
    ...kind,
    required,
    ...(nullable || (kind.type !== "json" && kind.type !== "enums" && fitsSchema(node, null))
      ? { nullable: true }
      : {}),
    ...(description ? { description: cut(description, DESCRIPTION_CHARACTERS) } : {}),
  };
}

/** Through references and `X or null`, with the first title and description on the way. */
function resolved(schema: Schema): Found | undefined {
  let node = schema;
  let about: About | null = null;
  let nullable = false;
  for (let level = 0; level <= MOST_LEVELS; level++) {
    if (typeof node === "boolean") return undefined;
    about ??= node.about;
    const target = onlyReference(node);
    if (target !== null) {
      node = target;
      continue;
    }
    const alternatives = onlyAlternatives(node) ?? [];
    const others = alternatives.filter((one) => !isNull(one));
    const [only] = others;
    if (others.length !== 1 || only === undefined || others.length === alternatives.length)
      return { node, about, nullable };
    node = only;
    nullable = true;
  }
  return undefined;
}

function kindOf(node: SchemaNode): Pick<EditField, "type"> & Partial<EditField> {
  const choices = choicesOf(node);
  if (choices !== undefined) return { type: "enum", enum: choices };
  const kinds = new Set([...kindsOf(node)].filter((kind) => kind !== "null"));
  const [kind] = kinds;
  if (kinds.size === 2 && kinds.has("integer") && kinds.has("number")) return { type: "number", ...numbers(node) };
  if (kinds.size !== 1) return { type: "json" };
  switch (kind) {
    case "integer":
    case "number":
      return { type: kind, ...numbers(node) };
    case "array":
      return severalOf(node) ?? { type: "json" };
    case "boolean":
      return { type: kind };
    case "string":
      return { type: kind, ...texts(node) };
    default:
      return { type: "json" };
  }
}

/** A list of which every item is one of the same few values. */
function severalOf({ list }: SchemaNode): (Pick<EditField, "type"> & Partial<EditField>) | undefined {
  if (list === null || list.items === null || list.prefix.length > 0) return undefined;
  const item = resolved(list.items);
  const takesNull = item === undefined || item.nullable || fitsSchema(item.node, null);
  const choices = takesNull ? undefined : choicesOf(item.node);
  if (choices === undefined) return undefined;
  return { type: "enums", enum: choices, ...defined({ minItems: list.minItems, maxItems: list.maxItems }) };
}

/** The values of an `enum`, or of alternatives that are one each; undefined where they are no short list of plain values. */
function choicesOf(node: SchemaNode): readonly Json[] | undefined {
  const all = valuesOf(node)?.filter((value) => value !== null);
  if (all === undefined || all.length > MOST_CHOICES || all.some((value) => typeof value === "object"))
    return undefined;
  const fitting = all.filter(schemaTest(node));
  return fitting.length === 0 ? undefined : fitting;
}

function valuesOf(node: SchemaNode): readonly Json[] | undefined {
  if (node.allowed !== null) return node.allowed;
  const lists = onlyAlternatives(node)?.map((one) => (typeof one === "boolean" ? null : one.allowed));
  return lists?.every((list) => list !== null) ? lists.flat() : undefined;
}

function numbers({ number }: SchemaNode): Partial<EditField> {
  if (number === null) return {};
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = number;
  return defined({
    // What schema libraries write for "an integer" is no bound that anybody meant.
    minimum: minimum === Number.MIN_SAFE_INTEGER ? null : minimum,
    maximum: maximum === Number.MAX_SAFE_INTEGER ? null : maximum,
    exclusiveMinimum,
    exclusiveMaximum,
  });
}

function texts({ text }: SchemaNode): Partial<EditField> {
  if (text === null) return {};
  const { minLength, maxLength, pattern } = text;
  return defined({ minLength, maxLength, pattern: pattern?.text ?? null });
}

function defined<Values extends object>(values: Values): { [Key in keyof Values]?: NonNullable<Values[Key]> } {
  const said = Object.entries(values).filter(([, value]) => value !== null);
  return Object.fromEntries(said) as { [Key in keyof Values]?: NonNullable<Values[Key]> };
}

function isNull(schema: Schema): boolean {
  return typeof schema !== "boolean" && [...kindsOf(schema)].join() === "null";
}

function cut(text: string, length: number): string {
  return text.length <= length ? text.toWellFormed() : `${text.slice(0, length - 1).toWellFormed()}…`;
}
