/** What a first policy takes from a JSON Schema of arguments: numbers to put limits on, and arguments for a test. */
import type { Json, JsonObject } from "@saferun/core";
import type { NumberArgument } from "./found-tool.ts";

/** Nesting that is looked into; deeper arguments are left to the person who writes the rule. */
const DEPTH = 6;
/** CEL reads these without quotes. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const FORBIDDEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

export function numberArguments(schema: JsonObject, prefix = "", depth = 0): readonly NumberArgument[] {
  return Object.entries(mapOf(schema.properties)).flatMap(([name, value]): readonly NumberArgument[] => {
    const property = mapOf(value);
    if (!NAME.test(name) || depth >= DEPTH) return [];
    const path = `${prefix}${name}`;
    const { maximum } = property;
    switch (typeOf(property)) {
      case "integer":
      case "number":
        return [{ path, ...(isLimit(maximum) ? { max: maximum } : {}) }];
      case "object":
        return numberArguments(property, `${path}.`, depth + 1);
      default:
        return [];
    }
  });
}

/** What exact integers reach to is the limit of JSON, which schema libraries write out, and nobody's intent. */
function isLimit(maximum: Json | undefined): maximum is number {
  return typeof maximum === "number" && maximum < Number.MAX_SAFE_INTEGER;
}

/** Arguments that the schema takes, as few and as plain as it lets them be. Best effort. */
export function sampleArguments(schema: JsonObject): JsonObject {
  return mapOf(sample({ type: "object", ...schema }, 0));
}

function sample(schema: JsonObject, depth: number): Json {
  if (schema.const !== undefined) return schema.const;
  const [first] = listOf(schema.enum);
  if (first !== undefined) return first;
  if (schema.default !== undefined) return schema.default;
  const [choice] = [...listOf(schema.anyOf), ...listOf(schema.oneOf)];
  if (choice !== undefined && schema.type === undefined)
    return depth >= DEPTH ? null : sample(mapOf(choice), depth + 1);
  switch (typeOf(schema)) {
    case "object":
      return sampleObject(schema, depth);
    case "array":
      return Array.from({ length: Math.min(3, numberOf(schema.minItems, 0)) }, () =>
        sample(mapOf(schema.items), depth + 1),
      );
    case "integer":
    case "number":
      return sampleNumber(schema);
    case "boolean":
      return false;
    case "null":
      return null;
    default:
      return sampleText(schema);
  }
}

function sampleObject(schema: JsonObject, depth: number): JsonObject {
  const properties = mapOf(schema.properties);
  const required = listOf(schema.required).filter((name) => typeof name === "string" && !FORBIDDEN.has(name));
  if (depth >= DEPTH) return {};
  return Object.fromEntries(required.map((name) => [name, sample(mapOf(properties[String(name)]), depth + 1)]));
}

function sampleNumber(schema: JsonObject): number {
  const above = numberOf(schema.exclusiveMinimum, Number.NEGATIVE_INFINITY);
  const least = Math.max(numberOf(schema.minimum, Number.NEGATIVE_INFINITY), above + 1);
  const most = numberOf(schema.maximum, Number.POSITIVE_INFINITY);
  return Math.min(Math.max(1, Number.isFinite(least) ? Math.ceil(least) : 1), most);
}

const TEXTS: Readonly<Record<string, string>> = {
  email: "ann@example.com",
  uri: "https://example.com/",
  url: "https://example.com/",
  "date-time": "2026-01-01T00:00:00Z",
  date: "2026-01-01",
  time: "00:00:00Z",
  uuid: "00000000-0000-4000-8000-000000000000",
  ipv4: "192.0.2.1",
  hostname: "example.com",
};

function sampleText({ format, minLength }: JsonObject): string {
  const text = (typeof format === "string" && Object.hasOwn(TEXTS, format) ? TEXTS[format] : undefined) ?? "text";
  return text.padEnd(Math.min(1_000, numberOf(minLength, 0)), "x");
}

function typeOf({ type, properties }: JsonObject): Json | undefined {
  if (Array.isArray(type)) return type.find((one) => one !== "null");
  return type ?? (properties === undefined ? undefined : "object");
}

export function mapOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function numberOf(value: Json | undefined, otherwise: number): number {
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}
