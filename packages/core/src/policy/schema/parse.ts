/** A JSON Schema as written → a resolved one, or every place where it leaves the subset. Nothing is silently ignored. */

import { LIMITS } from "../../limits.ts";
import type { Json, JsonObject } from "../../value/json.ts";
import { quote } from "../issue.ts";
import { nearest } from "../nearest.ts";
import { compilePattern } from "../regex/match.ts";
import { FORMAT_NAMES, isFormat } from "./formats.ts";
import { endlessReference, resolvePointer } from "./reference.ts";
import {
  type About,
  JSON_TYPES,
  type JsonType,
  type ListShape,
  type NumberBounds,
  type ObjectShape,
  type Schema,
  type SchemaIssue,
  type SchemaNode,
  type SchemaRef,
  type TextBounds,
  type TextPattern,
} from "./types.ts";

export type ParsedSchema =
  | { readonly ok: true; readonly schema: Schema }
  | { readonly ok: false; readonly issues: readonly SchemaIssue[] };

/** Total. */
export function parseSchema(source: Json): ParsedSchema {
  return new SchemaReader(source).read();
}

/** Say nothing about which values fit. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  "$comment",
  "contentEncoding",
  "contentMediaType",
  "default",
  "deprecated",
  "description",
  "example",
  "examples",
  "readOnly",
  "title",
  "writeOnly",
]);
/** Hold schemas for `$ref` alone. */
const DEFINITIONS: ReadonlySet<string> = new Set(["$defs", "definitions"]);
const KEYWORDS: ReadonlySet<string> = new Set([
  "$ref",
  "additionalProperties",
  "allOf",
  "anyOf",
  "const",
  "else",
  "enum",
  "exclusiveMaximum",
  "exclusiveMinimum",
  "format",
  "if",
  "items",
  "maxItems",
  "maxLength",
  "maxProperties",
  "maximum",
  "minItems",
  "minLength",
  "minProperties",
  "minimum",
  "multipleOf",
  "not",
  "oneOf",
  "pattern",
  "patternProperties",
  "prefixItems",
  "properties",
  "propertyNames",
  "required",
  "then",
  "type",
  "uniqueItems",
]);
const DIALECTS = /^https?:\/\/json-schema\.org\/(?:draft\/20(?:19-09|20-12)|draft-07)\/schema#?$/;

class SchemaReader {
  readonly #source: Json;
  readonly #issues: SchemaIssue[] = [];
  readonly #refs = new Map<string, SchemaRef>();
  #nodes = 0;

  constructor(source: Json) {
    this.#source = source;
  }

  read(): ParsedSchema {
    const schema = this.#schema(this.#source, "#", 0);
    // A target may hold references itself: the map grows while it is walked.
    for (const ref of this.#refs.values()) {
      const found = resolvePointer(this.#source, ref.pointer);
      if (found === undefined) this.#refuse(ref.pointer, "there is nothing at this reference inside of the schema");
      else ref.target = this.#schema(found, ref.pointer, 0);
    }
    if (this.#issues.length === 0) {
      const endless = endlessReference([schema, ...[...this.#refs.values()].map(({ target }) => target)]);
      if (endless !== undefined)
        this.#refuse(endless, "the reference leads back to itself without looking at any value");
    }
    return this.#issues.length === 0 ? { ok: true, schema } : { ok: false, issues: this.#issues };
  }

  #refuse(pointer: string, message: string): void {
    if (this.#issues.length < 100) this.#issues.push({ pointer, message });
  }

  #schema(source: Json, pointer: string, depth: number): Schema {
    if (typeof source === "boolean") return source;
    if (!isObject(source)) {
      this.#refuse(pointer, "a schema must be an object, `true` or `false`");
      return false;
    }
    if (depth > LIMITS.jsonDepth || ++this.#nodes > LIMITS.schemaNodes) {
      this.#refuse(pointer, `a schema over ${LIMITS.schemaNodes} parts or ${LIMITS.jsonDepth} levels`);
      return false;
    }
    this.#knownKeywords(source, pointer);
    return this.#node(source, pointer, depth);
  }

  #knownKeywords(source: JsonObject, pointer: string): void {
    for (const key of Object.keys(source)) {
      if (KEYWORDS.has(key) || ANNOTATIONS.has(key) || DEFINITIONS.has(key) || key.startsWith("x-")) continue;
      const at = `${pointer}/${escaped(key)}`;
      if (key === "$schema" || key === "$id") this.#head(key, source[key], pointer);
      else {
        const suggestion = nearest(key, KEYWORDS);
        const hint = suggestion === undefined ? "" : `; did you mean \`${suggestion}\`?`;
        this.#refuse(at, `the keyword ${quote(key)} is not supported${hint}`);
      }
    }
  }

  #head(key: string, value: Json | undefined, pointer: string): void {
    if (pointer !== "#") this.#refuse(`${pointer}/${key}`, `\`${key}\` stands at the top of a schema only`);
    else if (key === "$schema" && !(typeof value === "string" && DIALECTS.test(value))) {
      this.#refuse("#/$schema", "only JSON Schema 2020-12, 2019-09 and draft-07 are read");
    }
  }

  #node(source: JsonObject, pointer: string, depth: number): SchemaNode {
    const inner = (key: string): Schema | null => {
      const value = own(source, key);
      return value === undefined ? null : this.#schema(value, `${pointer}/${key}`, depth + 1);
    };
    const many = (key: string) => this.#schemas(own(source, key), `${pointer}/${key}`, depth);
    const when = inner("if");
    const branches = { then: inner("then") ?? true, else: inner("else") ?? true };
    const combined = {
      allOf: many("allOf"),
      anyOf: many("anyOf"),
      oneOf: many("oneOf"),
      not: inner("not"),
      if: when === null ? null : { when, ...branches },
      ref: this.#ref(own(source, "$ref"), `${pointer}/$ref`),
    };
    return {
      types: this.#types(own(source, "type"), `${pointer}/type`),
      allowed: this.#allowed(source, pointer),
      number: this.#numberBounds(source, pointer),
      text: this.#textBounds(source, pointer),
      list: this.#listShape(source, pointer, inner, many),
      object: this.#objectShape(source, pointer, depth, inner),
      combined: Object.values(combined).some((part) => part !== null && !(Array.isArray(part) && part.length === 0))
        ? combined
        : null,
      about: aboutOf(source),
    };
  }

  #schemas(value: Json | undefined, pointer: string, depth: number): readonly Schema[] {
    if (value === undefined) return [];
    if (!isList(value) || value.length === 0) {
      this.#refuse(pointer, "must be a list with at least one schema");
      return [];
    }
    return value.map((item, index) => this.#schema(item, `${pointer}/${index}`, depth + 1));
  }

  #ref(value: Json | undefined, pointer: string): SchemaRef | null {
    if (value === undefined) return null;
    if (typeof value !== "string" || (value !== "#" && !value.startsWith("#/"))) {
      this.#refuse(pointer, "only references inside of the same schema are followed, such as `#/$defs/NAME`");
      return null;
    }
    const known = this.#refs.get(value) ?? { pointer: value, target: false };
    this.#refs.set(value, known);
    return known;
  }

  #types(value: Json | undefined, pointer: string): ReadonlySet<JsonType> | null {
    if (value === undefined) return null;
    const names = isList(value) ? value : [value];
    const unknown = names.filter((name) => !JSON_TYPES.some((type) => type === name));
    if (names.length === 0 || unknown.length > 0) this.#refuse(pointer, `must be of ${JSON_TYPES.join(", ")}`);
    return new Set(JSON_TYPES.filter((type) => names.includes(type)));
  }

  #allowed(source: JsonObject, pointer: string): readonly Json[] | null {
    const list = own(source, "enum");
    const only = own(source, "const");
    if (list !== undefined && (!isList(list) || list.length === 0)) {
      this.#refuse(`${pointer}/enum`, "must be a list with at least one value");
      return [];
    }
    if (only !== undefined && list !== undefined) this.#refuse(`${pointer}/const`, "stands beside `enum`; keep one");
    if (only !== undefined) return [only];
    return list !== undefined && isList(list) ? list : null;
  }

  #numberBounds(source: JsonObject, pointer: string): NumberBounds | null {
    const number = (key: string) => this.#number(own(source, key), `${pointer}/${key}`);
    const multipleOf = number("multipleOf");
    if (multipleOf !== null && multipleOf <= 0) this.#refuse(`${pointer}/multipleOf`, "must be above 0");
    return noneIfEmpty({
      minimum: number("minimum"),
      maximum: number("maximum"),
      exclusiveMinimum: number("exclusiveMinimum"),
      exclusiveMaximum: number("exclusiveMaximum"),
      multipleOf,
    });
  }

  #textBounds(source: JsonObject, pointer: string): TextBounds | null {
    const pattern = own(source, "pattern");
    const format = own(source, "format");
    const named = typeof format === "string" && isFormat(format) ? format : null;
    if (format !== undefined && named === null) {
      const shown = typeof format === "string" ? quote(format) : "this";
      const names = FORMAT_NAMES.join(", ");
      this.#refuse(
        `${pointer}/format`,
        `the format ${shown} is not asserted here; known are ${names}; or use \`pattern\``,
      );
    }
    return noneIfEmpty({
      minLength: this.#count(source, "minLength", pointer),
      maxLength: this.#count(source, "maxLength", pointer),
      pattern: pattern === undefined ? null : this.#pattern(pattern, `${pointer}/pattern`),
      format: named,
    });
  }

  #listShape(
    source: JsonObject,
    pointer: string,
    inner: (key: string) => Schema | null,
    many: (key: string) => readonly Schema[],
  ): ListShape | null {
    const keys = ["items", "prefixItems", "minItems", "maxItems", "uniqueItems"];
    if (!keys.some((key) => own(source, key) !== undefined)) return null;
    const unique = own(source, "uniqueItems") ?? false;
    if (typeof unique !== "boolean") this.#refuse(`${pointer}/uniqueItems`, "must be `true` or `false`");
    return {
      prefix: many("prefixItems"),
      items: inner("items"),
      minItems: this.#count(source, "minItems", pointer),
      maxItems: this.#count(source, "maxItems", pointer),
      unique: unique === true,
    };
  }

  #objectShape(
    source: JsonObject,
    pointer: string,
    depth: number,
    inner: (key: string) => Schema | null,
  ): ObjectShape | null {
    const keys = ["properties", "required", "patternProperties", "additionalProperties", "propertyNames"];
    const counts = ["minProperties", "maxProperties"];
    if (![...keys, ...counts].some((key) => own(source, key) !== undefined)) return null;
    const patterns = this.#entries(source, "patternProperties", pointer, depth).flatMap(([text, schema]) => {
      const pattern = this.#pattern(text, `${pointer}/patternProperties/${escaped(text)}`);
      return pattern === null ? [] : [{ pattern, schema }];
    });
    return {
      properties: new Map(this.#entries(source, "properties", pointer, depth)),
      required: this.#required(own(source, "required"), `${pointer}/required`),
      patterns,
      additional: inner("additionalProperties"),
      names: inner("propertyNames"),
      minProperties: this.#count(source, "minProperties", pointer),
      maxProperties: this.#count(source, "maxProperties", pointer),
    };
  }

  #entries(source: JsonObject, key: string, pointer: string, depth: number): readonly (readonly [string, Schema])[] {
    const value = own(source, key);
    if (value === undefined) return [];
    if (!isObject(value)) {
      this.#refuse(`${pointer}/${key}`, "must be a map of schemas");
      return [];
    }
    return Object.entries(value).map(([name, schema]) => [
      name,
      this.#schema(schema, `${pointer}/${key}/${escaped(name)}`, depth + 1),
    ]);
  }

  #required(value: Json | undefined, pointer: string): ReadonlySet<string> {
    const names = value === undefined ? [] : value;
    if (isList(names) && names.every((name) => typeof name === "string")) return new Set(names);
    this.#refuse(pointer, "must be a list of names");
    return new Set();
  }

  #pattern(value: Json, pointer: string): TextPattern | null {
    if (typeof value !== "string") {
      this.#refuse(pointer, "must be a text");
      return null;
    }
    const compiled = compilePattern(value);
    if (compiled.ok) return { text: value, compiled: compiled.pattern };
    this.#refuse(pointer, `not a pattern in RE2 syntax: ${compiled.issue.message}`);
    return null;
  }

  #count(source: JsonObject, key: string, pointer: string): number | null {
    const value = own(source, key);
    if (value === undefined) return null;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    this.#refuse(`${pointer}/${key}`, "must be a whole number from 0");
    return null;
  }

  #number(value: Json | undefined, pointer: string): number | null {
    if (value === undefined) return null;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    this.#refuse(pointer, "must be a number");
    return null;
  }
}

function aboutOf(source: JsonObject): About | null {
  const text = (key: string) => {
    const value = own(source, key);
    return typeof value === "string" ? value : null;
  };
  return noneIfEmpty({ title: text("title"), description: text("description") });
}

function noneIfEmpty<Bounds extends object>(bounds: Bounds): Bounds | null {
  return Object.values(bounds).every((value) => value === null) ? null : bounds;
}

function own(map: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** A key as a step of a JSON pointer. */
function escaped(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1").slice(0, 80).toWellFormed();
}
