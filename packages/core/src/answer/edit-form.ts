/** The arguments that an approver may change as the fields of a form, and what a person typed as a value again: on any channel. */
import type { ApprovalRecord } from "../approval/approval.ts";
import { editablePaths, editedValue } from "../approval/edited-value.ts";
import type { UnitAt } from "../argument-units.ts";
import type { EditField } from "../edit-field.ts";
import { fitsSchema } from "../policy/schema/compile.ts";
import { parseSchema } from "../policy/schema/parse.ts";
import type { Json, JsonObject } from "../value/json.ts";
import { JsonTextProblem, parseJson } from "../value/json-parse.ts";
import { meantAmount, unitHint } from "../value/money.ts";
import { printable, short } from "../value/printable.ts";

export interface FormField extends EditField {
  /** One that exists in these arguments, or could: `lines[0].amount`. */
  readonly path: string;
  /** As it stands now; undefined where the argument is absent. */
  readonly value: Json | undefined;
  /** What stands in the field at first: a text as it is, anything else as JSON; empty where there is nothing. */
  readonly text: string;
  /** By the tool's schema; false: by the value that is there. */
  readonly described: boolean;
  /** What it counts; absent where nothing says so. */
  readonly unit?: string;
}

/** `unitAt` is that of these arguments, `unitsOf` an approval. Absent: none is known. */
export type FormTerms = Pick<ApprovalRecord, "editable" | "form"> & { readonly unitAt?: UnitAt };

/** One field for each editable path that these arguments have or could have. */
export function formFields(args: Json, { editable, form = [], unitAt }: FormTerms): readonly FormField[] {
  return editable.flatMap((pattern) => {
    const field = form.find(({ path }) => path === pattern);
    return editablePaths(args, [pattern]).map((path) =>
      withUnit(fieldAt(editedValue(args, path), path, field), unitAt?.(path)),
    );
  });
}

/** The field of one path; of one that no field describes (`customer.name` where `customer` may be edited) by its value. */
export function formField(args: Json, path: string, terms: FormTerms): FormField {
  const field = formFields(args, terms).find((one) => one.path === path);
  return field ?? withUnit(fieldAt(editedValue(args, path), path), terms.unitAt?.(path));
}

function withUnit(field: FormField, unit: string | undefined): FormField {
  return unit === undefined ? field : { ...field, unit };
}

function fieldAt(value: Json | undefined, path: string, field?: EditField): FormField {
  if (field === undefined || !isOfType(field, value)) {
    const type = typeof value === "string" ? "string" : "json";
    return { path, label: path, type, required: false, value, described: false, text: textOf(type, value) };
  }
  const text = isBlank(field, value)
    ? ""
    : (choicesOf(field).find((choice) => choice.value === value)?.text ?? textOf(field.type, value));
  return { ...field, path, label: field.label === field.path ? path : field.label, value, described: true, text };
}

/** A row may be older than what stands in the arguments now: a field of another type would lose it. */
function isOfType(field: EditField, value: Json | undefined): boolean {
  if (value === undefined || isBlank(field, value)) return true;
  switch (field.type) {
    case "integer":
    case "number":
      return typeof value === "number";
    case "string":
    case "boolean":
      return typeof value === field.type;
    case "enum":
      return field.enum?.includes(value) === true;
    case "enums":
      return isListOf(value) && new Set(value).size === value.length && value.every((one) => field.enum?.includes(one));
    case "json":
      return true;
  }
}

/** An empty field stands for null where null fits. */
function isBlank(field: EditField, value: Json | undefined): boolean {
  return value === undefined || (value === null && field.nullable === true && field.type !== "json");
}

function isListOf(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function textOf(type: EditField["type"], value: Json | undefined): string {
  if (value === undefined) return "";
  if (type !== "json" && typeof value === "string") return value;
  if (type === "enums") return JSON.stringify(value);
  return JSON.stringify(value, null, typeof value === "object" && value !== null ? 2 : 0);
}

export interface Choice {
  readonly text: string;
  readonly value: Json;
}

/** What can be chosen, one of it or, for `enums`, several; empty where it is typed. */
export function choicesOf(field: EditField): readonly Choice[] {
  const values: readonly Json[] = field.type === "boolean" ? [true, false] : (field.enum ?? []);
  const plain = values.every((value) => typeof value === "string" && value !== "");
  return values.map((value) => ({ text: plain ? String(value) : JSON.stringify(value), value }));
}

/** Whether a form offers `choicesOf` to choose from: not where there are none, and not where one cannot be shown. */
export function isChosen(field: FormField): boolean {
  const choices = choicesOf(field);
  return choices.length > 0 && choices.every(isTypeable);
}

/** Of an `enums` field: the texts of the choices that stand in it now. */
export function chosenTexts(field: FormField): readonly string[] {
  const { value } = field;
  if (value === undefined || !isListOf(value)) return [];
  return choicesOf(field).flatMap((choice) => (value.includes(choice.value) ? [choice.text] : []));
}

/** The choices as the text that stands for them. The same ones in another order, or none where there was nothing, are no edit. */
function severalText(field: FormField, chosen: readonly string[]): string {
  const before = chosenTexts(field);
  if (chosen.length === before.length && before.every((text) => chosen.includes(text))) return field.text;
  const known = choicesOf(field).filter(({ text }) => chosen.includes(text));
  return JSON.stringify(known.length === new Set(chosen).size ? known.map(({ value }) => value) : chosen);
}

/** What cannot be seen cannot be edited by sight: such a value stays as it is. */
export function isTypeable({ text }: Pick<FormField, "text">): boolean {
  return text.split(/\r?\n/).every((line) => printable(line) === line);
}

/** `message`: for the person, one line, printable. */
export type TypedValue = { readonly value: Json } | { readonly unchanged: true } | { readonly message: string };

/**
 * What was typed or, of several, which choices were made, by their texts. Total. What does not fit its field is refused
 * here; whether the whole call fits the schema is the gate's to say.
 */
export function typedValue(field: FormField, answered: string | readonly string[]): TypedValue {
  const typed = typeof answered === "string" ? answered : severalText(field, answered);
  // A field that was left as it was keeps its value exactly, also where a form has changed its line ends.
  if (sameLines(typed, field.text)) return { unchanged: true };
  const text = typed.replaceAll("\r\n", "\n");
  if (field.nullable === true && text === "" && field.type !== "json") return { value: null };
  const meant = field.unit === undefined || isChosen(field) ? undefined : meantAmount(text, field.unit);
  if (meant !== undefined) return { message: `reads as money, and this is counted in smaller steps; ${meant}` };
  const read = readText(field, text);
  if (!("value" in read) || !field.described || fitsField(field, read.value)) return read;
  return { message: `must be ${fieldText(field)}` };
}

function readText(field: FormField, text: string): { readonly value: Json } | { readonly message: string } {
  switch (field.type) {
    case "string":
      return { value: text };
    case "boolean":
    case "enum": {
      const choices = choicesOf(field);
      const chosen = choices.find((one) => one.text === text) ?? choices.find((one) => one.text === text.trim());
      return chosen === undefined ? { message: `must be ${fieldText(field)}` } : { value: chosen.value };
    }
    case "integer":
    case "number": {
      if (!NUMBER.test(text.trim())) return { message: `must be ${fieldText(field)}` };
      const value = Number(text);
      const carried = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
      return carried ? { value } : { message: "is beyond what a number holds exactly" };
    }
    case "enums":
    case "json":
      return readJson(field, text);
  }
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Phones replace straight quotes while one types. What was meant is not guessed. */
const CURLY = /[\u2018-\u201f\u00ab\u00bb]/;

function readJson(
  { value, described }: FormField,
  text: string,
): { readonly value: Json } | { readonly message: string } {
  try {
    return { value: parseJson(text) };
  } catch (error) {
    if (!(error instanceof JsonTextProblem)) throw error;
    if (CURLY.test(text)) return { message: 'curly quotes are no JSON; type straight ones: "' };
    if (value === undefined && !described) return { value: text };
    const where = text.includes("\n") ? `line ${error.line}: ` : "";
    return { message: printable(`${where}${error.message}; it must be JSON, texts in double quotes`) };
  }
}

function sameLines(one: string, other: string): boolean {
  return one.replaceAll("\r\n", "\n") === other.replaceAll("\r\n", "\n");
}

/** The same check as the gate's, of this value alone. */
function fitsField(field: EditField, value: Json): boolean {
  if (field.type === "json" || field.type === "enum") return true;
  if (field.type === "enums") return isOfType(field, value) && isWithin(field, value);
  const { type, nullable } = field;
  const bounds = BOUNDS.flatMap((key): [string, Json][] => (field[key] === undefined ? [] : [[key, field[key]]]));
  const source: JsonObject = { type: nullable === true ? [type, "null"] : type, ...Object.fromEntries(bounds) };
  const parsed = parseSchema(source);
  // A pattern that is none any more is left to the gate.
  return !parsed.ok || fitsSchema(parsed.schema, value);
}

function isWithin({ minItems = 0, maxItems = Number.POSITIVE_INFINITY }: EditField, value: Json): boolean {
  return isListOf(value) && value.length >= minItems && value.length <= maxItems;
}

const BOUNDS = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minLength",
  "maxLength",
  "pattern",
] as const;
const SHOWN_CHOICES = 10;

/** `a whole number from 1 to 500, in cents: 450 is $4.50`: what fits, for people; one line, printable. */
export function fieldText(field: EditField & Pick<Partial<FormField>, "unit" | "text">): string {
  const none = field.nullable === true && field.type !== "json" ? ", or nothing" : "";
  const unit = field.unit === undefined ? "" : `, ${unitHint(field.unit, field.text)}`;
  return `${kindText(field)}${none}${unit}`;
}

function kindText(field: EditField): string {
  switch (field.type) {
    case "integer":
      return `a whole number${rangeText(field)}`;
    case "number":
      return `a number${rangeText(field)}`;
    case "boolean":
      return "true or false";
    case "string":
      return `text${lengthText(field)}${field.pattern === undefined ? "" : ` that matches ${short(field.pattern, 120)}`}`;
    case "enum":
    case "enums": {
      const texts = choicesOf(field).map(({ text }) => short(text, 40));
      const more = texts.length > SHOWN_CHOICES ? ` and ${texts.length - SHOWN_CHOICES} more` : "";
      const all = `${texts.slice(0, SHOWN_CHOICES).join(", ")}${more}`;
      if (field.type === "enums") return `a list of ${severalRange(field)}${all}`;
      return texts.length === 1 ? all : `one of ${all}`;
    }
    case "json":
      return "JSON";
  }
}

function rangeText({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: EditField): string {
  const parts = [
    ...(minimum === undefined ? [] : [maximum === undefined ? `${minimum} or more` : `from ${minimum} to ${maximum}`]),
    ...(maximum === undefined || minimum !== undefined ? [] : [`${maximum} or less`]),
    ...(exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`]),
    ...(exclusiveMaximum === undefined ? [] : [`below ${exclusiveMaximum}`]),
  ];
  return parts.length === 0 ? "" : ` ${parts.join(", ")}`;
}

function severalRange({ minItems = 0, maxItems }: EditField): string {
  if (maxItems === undefined) return minItems === 0 ? "" : `${minItems} or more of `;
  return minItems === 0
    ? `at most ${maxItems} of `
    : minItems === maxItems
      ? `${minItems} of `
      : `${minItems} to ${maxItems} of `;
}

function lengthText({ minLength = 0, maxLength }: EditField): string {
  if (maxLength === undefined) return minLength === 0 ? "" : ` of ${minLength} characters or more`;
  return minLength === 0 ? ` of ${maxLength} characters or less` : ` of ${minLength} to ${maxLength} characters`;
}

/** A field as a page shows it: how it is answered, what fits, and the choices by the texts that are sent back. */
export function formFieldJson(field: FormField): JsonObject {
  const { path, label, text, description } = field;
  const chosen = isChosen(field);
  return {
    ...{ path, label, text, typeable: isTypeable(field), fits: field.described ? fieldText(field) : "" },
    input: chosen ? (field.type === "enums" ? "several" : "one") : "text",
    choices: chosen ? choicesOf(field).map((choice) => choice.text) : [],
    chosen: field.type === "enums" ? chosenTexts(field) : [],
    optional: field.text === "" || field.nullable === true,
    description: description ?? "",
  };
}

/** As programs are told of it: snake_case. */
export function editFieldJson(field: EditField): JsonObject {
  const { path, label, type, required, nullable, minimum, maximum, pattern, description } = field;
  const said = {
    path,
    label,
    type,
    required,
    nullable,
    enum: field.enum,
    minimum,
    maximum,
    exclusive_minimum: field.exclusiveMinimum,
    exclusive_maximum: field.exclusiveMaximum,
    min_items: field.minItems,
    max_items: field.maxItems,
    min_length: field.minLength,
    max_length: field.maxLength,
    pattern,
    description,
  };
  return Object.fromEntries(
    Object.entries(said).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
