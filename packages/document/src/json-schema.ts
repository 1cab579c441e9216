/** The policy format as JSON Schema (2020-12), for completion and red lines in editors. Derived, never edited. */
import { type Field, type JsonObject, PATTERNS, POLICY_FORMAT, type Shape } from "@saferun/core";

/** The text of `policy.schema.json`. */
export function policySchemaText(): string {
  return `${JSON.stringify(policySchema(), null, 2)}\n`;
}

export function policySchema(): JsonObject {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "https://saferun.dev/schema/policy/v1.json",
    title: "SafeRun policy",
    ...schemaOf(POLICY_FORMAT),
  };
}

function schemaOf(shape: Shape): JsonObject {
  switch (shape.type) {
    case "text":
      return { type: "string", pattern: "\\S" };
    case "expression":
      // By this an editor knows which texts are conditions; a validator reads it as a remark.
      return { type: "string", pattern: "\\S", contentMediaType: "text/x-cel", description: "CEL" };
    case "time":
      return { type: "string", format: "date-time" };
    case "name":
      return { type: "string", pattern: PATTERNS[shape.pattern].source };
    case "words":
      return { type: "string", enum: shape.words };
    case "integer":
      return { type: "integer", minimum: shape.min, maximum: shape.max };
    case "number":
      return { type: "number" };
    case "amount":
      return {
        oneOf: [
          { type: "integer", minimum: 0 },
          { type: "string", pattern: "^(0|[1-9][0-9]*)([.][0-9]{1,6})?$" },
        ],
      };
    case "flag":
      return { type: "boolean" };
    case "duration":
      return { type: "string", pattern: "^([0-9]{1,9}[smhd])+$" };
    case "json":
      return {};
    case "list":
      return { type: "array", items: schemaOf(shape.item) };
    case "some":
      return { oneOf: [schemaOf(shape.item), { type: "array", items: schemaOf(shape.item), minItems: 1 }] };
    case "map":
      return {
        type: "object",
        propertyNames: { pattern: PATTERNS[shape.key].source },
        additionalProperties: schemaOf(shape.value),
      };
    case "object":
      return objectSchema(shape.fields);
    case "either":
      return { oneOf: [schemaOf(shape.scalar), schemaOf(shape.other)] };
  }
}

function objectSchema(fields: Readonly<Record<string, Field>>): JsonObject {
  const all = Object.entries(fields);
  return {
    type: "object",
    additionalProperties: false,
    required: all.filter(([, field]) => field.use === "required").map(([key]) => key),
    properties: Object.fromEntries(all.map(([key, field]) => [key, property(field)])),
  };
}

/** A reserved key is known, and an editor says why it is refused. */
function property({ shape, doc, use }: Field): JsonObject {
  if (use === "reserved") return { description: `Not available in this version. ${doc}`, deprecated: true, not: {} };
  return { ...schemaOf(shape), description: doc };
}
