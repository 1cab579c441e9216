import { describe, expect, it } from "vitest";
import type { Json } from "../../value/json.ts";
import { editFieldsOf } from "./edit-fields.ts";
import { parseSchema } from "./parse.ts";

function fieldsOf(source: Json, ...paths: string[]) {
  const parsed = parseSchema(source);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return editFieldsOf(parsed.schema, paths);
}

/** The field of a required property `a` with this schema. */
function fieldOf(schema: Json, more: Record<string, Json> = {}) {
  const [field] = fieldsOf({ type: "object", properties: { a: schema }, required: ["a"], ...more }, "a");
  return field;
}

const A = { path: "a", label: "a", required: true };

describe("editFieldsOf", () => {
  it.each<[Json, object]>([
    [{ type: "string" }, { type: "string" }],
    [
      { type: "string", minLength: 1, maxLength: 9, pattern: "^x" },
      { type: "string", minLength: 1, maxLength: 9, pattern: "^x" },
    ],
    [
      { type: "integer", minimum: 1, maximum: 500 },
      { type: "integer", minimum: 1, maximum: 500 },
    ],
    [{ type: "integer", minimum: -9007199254740991, maximum: 9007199254740991 }, { type: "integer" }],
    [
      { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 },
      { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 },
    ],
    [
      { type: ["integer", "number"], minimum: 0 },
      { type: "number", minimum: 0 },
    ],
    [{ type: "boolean" }, { type: "boolean" }],
    [{ enum: ["a", "b"] }, { type: "enum", enum: ["a", "b"] }],
    [
      { type: "string", enum: ["a", 1] },
      { type: "enum", enum: ["a"] },
    ],
    [{ const: 3 }, { type: "enum", enum: [3] }],
    [{ anyOf: [{ const: "a" }, { const: "b" }] }, { type: "enum", enum: ["a", "b"] }],
    [{ enum: ["a", null] }, { type: "enum", enum: ["a"], nullable: true }],
    [
      { type: ["string", "null"], maxLength: 3 },
      { type: "string", maxLength: 3, nullable: true },
    ],
    [{ anyOf: [{ type: "integer" }, { type: "null" }] }, { type: "integer", nullable: true }],
    [{ type: "array", items: { type: "string" } }, { type: "json" }],
    [
      { type: "array", items: { enum: ["a", "b"] }, minItems: 1, maxItems: 2 },
      { type: "enums", enum: ["a", "b"], minItems: 1, maxItems: 2 },
    ],
    [{ type: "array", items: { enum: ["a", null] } }, { type: "json" }],
    [{ type: "array", prefixItems: [{ enum: ["a"] }], items: { enum: ["b"] } }, { type: "json" }],
    [{ type: "object" }, { type: "json" }],
    [{ type: ["string", "integer"] }, { type: "json" }],
    [{ anyOf: [{ type: "string" }, { type: "integer" }] }, { type: "json" }],
    [{}, { type: "json" }],
    [
      { type: "integer", title: " Amount ", description: "In cents" },
      { type: "integer", label: "Amount", description: "In cents" },
    ],
  ])("%j", (schema, field) => {
    expect(fieldOf(schema)).toEqual({ ...A, ...field });
  });

  it("takes as choices only so many as a menu holds", () => {
    const choices = Array.from({ length: 100 }, (_, index) => `${index}`);
    expect(fieldOf({ enum: choices })).toMatchObject({ type: "enum", enum: choices });
    expect(fieldOf({ enum: [...choices, "100"] })).toEqual({ ...A, type: "string" });
    expect(fieldOf({ enum: [[1], [2]] })).toEqual({ ...A, type: "json" });
  });

  it("follows references, with the nearest words", () => {
    const $defs = { money: { $ref: "#/$defs/cents", title: "Money" }, cents: { type: "integer", maximum: 5 } };
    const outer = { $ref: "#/$defs/money", description: "what it costs" };
    expect(fieldOf(outer, { $defs })).toEqual({ ...A, type: "integer", maximum: 5, description: "what it costs" });
    const tree = { type: "object", properties: { a: { $ref: "#" }, n: { type: "integer" } } };
    expect(fieldsOf(tree, "a.a.n")).toEqual([{ path: "a.a.n", label: "a.a.n", type: "integer", required: false }]);
  });

  it("goes into maps and lists, and says nothing of what the schema does not name", () => {
    const line = { type: "object", properties: { amount: { type: "number" } }, required: ["amount"] };
    const schema = {
      type: "object",
      properties: {
        lines: { type: "array", items: line },
        to: { anyOf: [{ type: "array", items: { type: "string" } }, { type: "null" }] },
        pair: { type: "array", prefixItems: [{ type: "string" }], items: { type: "integer" } },
      },
    };
    const paths = ["lines[].amount", "to[]", "lines", "lines.amount", "pair[]", "none", "to[].x", "__proto__", ""];
    expect(fieldsOf(schema, ...paths)).toEqual([
      { path: "lines[].amount", label: "lines[].amount", type: "number", required: true },
      { path: "to[]", label: "to[]", type: "string", required: true },
      { path: "lines", label: "lines", type: "json", required: false },
    ]);
    expect(fieldsOf(true, "a")).toEqual([]);
  });

  it("stays small whatever the tool's maker wrote: 50 fields, 4 KB", () => {
    const bytes = (fields: unknown) => new TextEncoder().encode(JSON.stringify(fields)).length;
    const long = "\u202e<!channel>é".repeat(1_000);
    expect(fieldOf({ type: "string", title: long, description: long })?.label).toHaveLength(80);
    expect(fieldOf({ type: "string", description: long })?.description).toHaveLength(300);
    const properties = (make: (index: number) => Json) =>
      Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`p${index}`, make(index)]));
    for (const make of [
      (): Json => ({ type: "string", title: long, description: long }),
      (): Json => ({ type: "string", pattern: "x".repeat(900) }),
      (): Json => ({ enum: Array.from({ length: 100 }, (_, index) => `choice ${index}`) }),
      (): Json => ({ enum: Array.from({ length: 500 }, (_, index) => `choice ${index}`) }),
    ]) {
      const fields = fieldsOf({ type: "object", properties: properties(make) }, ...Object.keys(properties(make)));
      expect(fields.length).toBeLessThanOrEqual(50);
      expect(bytes(fields)).toBeLessThanOrEqual(4_096);
    }
  });
});
