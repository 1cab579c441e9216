import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../limits.ts";
import type { Json, JsonObject } from "../../value/json.ts";
import { compileSchema } from "./compile.ts";
import { parseSchema } from "./parse.ts";
import { isStandardSchema, type StandardSchema, standardValidator } from "./standard.ts";
import type { JsonSchema } from "./types.ts";

function validator(source: JsonSchema) {
  const parsed = parseSchema(source);
  if (!parsed.ok) throw new Error(parsed.issues.map(({ pointer, message }) => `${pointer}: ${message}`).join("\n"));
  return compileSchema(parsed.schema);
}

/** What is wrong with `{ x: value }` where `x` must fit this schema. */
function about(schema: JsonSchema, value: Json): string[] {
  const validate = validator({ type: "object", properties: { x: schema }, required: ["x"] });
  return validate.validate({ x: value }).map(({ path, message }) => `${path} ${message}`);
}

function refused(source: Json): string[] {
  const parsed = parseSchema(source);
  return parsed.ok ? [] : parsed.issues.map(({ pointer, message }) => `${pointer} ${message}`);
}

describe("values that fit and values that do not", () => {
  const table: readonly (readonly [
    schema: JsonSchema,
    fits: readonly Json[],
    misses: readonly Json[],
    says: string,
  ])[] = [
    [{ type: "string" }, ["", "a"], [1, null, ["a"], { a: 1 }], "must be a string"],
    [{ type: "integer" }, [1, -0, 1e3], [1.5, "1", true], "must be an integer"],
    [{ type: "number" }, [1, 1.5], ["1", null], "must be a number"],
    [{ type: ["string", "null"] }, ["", null], [1, false], "must be a string or null"],
    [{ const: "usd" }, ["usd"], ["USD", null], 'must be "usd"'],
    [{ enum: ["a", 1, null, { b: [1] }] }, ["a", 1, null, { b: [1] }], ["1", { b: ["1"] }, true], "must be one of"],
    [{ minimum: 0, maximum: 10 }, [0, 10, "text"], [-1, 10.5], "must be at"],
    [{ exclusiveMinimum: 0, exclusiveMaximum: 1 }, [0.5], [0, 1], "must be"],
    [{ multipleOf: 0.01 }, [19.99, 0.3, 4.35, 1e20, 5e-324 * 0], [0.001, 19.999], "must be a multiple of 0.01"],
    [{ multipleOf: 3 }, [9, -3, 0], [10, 9.5], "must be a multiple of 3"],
    [{ minLength: 2, maxLength: 3 }, ["ab", "💥💥", "💥💥💥"], ["a", "💥", "abcd"], "characters"],
    [{ pattern: "^[A-Z]{2}[0-9]+$" }, ["CH12"], ["CH", "xCH12", ""], "must match the pattern ^[A-Z]{2}[0-9]+$"],
    [{ type: "array", items: { type: "integer" } }, [[], [1, 2]], [["1"], [1, null], {}], "must be a"],
    [{ prefixItems: [{ type: "string" }], items: false }, [[], ["a"]], [[1], ["a", 1]], "must"],
    [
      { minItems: 1, maxItems: 2, uniqueItems: true },
      [[1], [1, "1"]],
      [[], [1, 1], [1, 2, 3], [{ a: 1 }, { a: 1 }]],
      "must",
    ],
    [{ anyOf: [{ type: "string" }, { minimum: 5 }] }, ["a", 5, true], [4], "at least one of the 2 alternatives"],
    [{ oneOf: [{ minimum: 5 }, { maximum: 5 }] }, [4, 6], [5, "text"], "exactly one of the 2 alternatives"],
    [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1, 2], [0, 3], "must be at"],
    [{ not: { type: "string" } }, [1, null], ["a"], "excludes"],
    [{ if: { type: "string" }, then: { minLength: 2 }, else: { minimum: 2 } }, ["ab", 2], ["a", 1], "at least 2"],
    [false, [], [1, null, "a"], "must not be there"],
    [{ format: "date" }, ["2024-02-29"], ["2023-02-29", "24-01-01", "2024-1-1"], "must have the format date"],
    [
      { format: "date-time" },
      ["2024-02-29T10:00:00Z", "2024-02-29T10:00:00.5+02:00"],
      ["2024-02-29 10:00", "now"],
      "date-time",
    ],
    [{ format: "time" }, ["10:00:00Z"], ["25:00:00Z", "10:00"], "format time"],
    [
      { format: "email" },
      ["a.b+c@example.com"],
      ["a@b", "a@b.c, d@e.f", "A <a@b.cc>", "a..b@c.de", "@c.de", "a@b.cc\n"],
      "email",
    ],
    [{ format: "hostname" }, ["a-b.example"], ["-a.b", "a..b", "a b", `${"a".repeat(64)}.b`], "hostname"],
    [{ format: "ipv4" }, ["10.0.0.255"], ["10.0.0.256", "010.0.0.1", "1.2.3", "0x7f.0.0.1"], "ipv4"],
    [
      { format: "ipv6" },
      ["::1", "2001:db8::1", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8"],
      ["::1::", "1:2", ":::", "12345::", "1:2:3:4:5:6:7:8:9"],
      "ipv6",
    ],
    [
      { format: "uri" },
      ["https://a.b/c?d#e", "mailto:a@b.cc"],
      ["/a", "http://a b", "http://a/%zz", "https://"],
      "format uri",
    ],
    [
      { format: "uuid" },
      ["123e4567-e89b-12d3-a456-426614174000"],
      ["123e4567", "g23e4567-e89b-12d3-a456-426614174000"],
      "uuid",
    ],
  ];

  it.each(table)("%j", (schema, fits, misses, says) => {
    for (const value of fits) expect(about(schema, value), JSON.stringify(value)).toEqual([]);
    for (const value of misses) {
      expect(about(schema, value).join("; "), JSON.stringify(value)).toMatch(/^x.* must /);
    }
    expect(misses.map((value) => about(schema, value).join("; ")).join("; ")).toContain(says);
  });

  it("names path and expectation, and never the value", () => {
    const validate = validator({
      type: "object",
      properties: {
        to: { type: "array", items: { type: "object", properties: { mail: { format: "email" } } } },
        n: { maximum: 5 },
      },
      required: ["id"],
    });
    const issues = validate.validate({ to: [{ mail: "hunter2" }], n: 4_242, hunter3: 1 });
    expect(issues).toEqual([
      { path: "to[0].mail", message: "must have the format email" },
      { path: "n", message: "must be at most 5" },
      { path: "hunter3", message: "is not an argument of this tool" },
      { path: "id", message: "is required" },
    ]);
    expect(JSON.stringify(issues)).not.toMatch(/hunter2|4242/);
  });
});

describe("properties that nobody has described (trap 10)", () => {
  const open = { a: 1, extra: 2 };
  it.each<[string, JsonSchema, JsonObject, boolean]>([
    ["an object is closed", { type: "object", properties: { a: true } }, open, false],
    ["without `type` as well", { properties: { a: true } }, open, false],
    ["even without any property", { type: "object" }, open, false],
    ["`additionalProperties: true` opens it", { properties: { a: true }, additionalProperties: true }, open, true],
    [
      "a schema opens it for what fits",
      { properties: { a: true }, additionalProperties: { type: "string" } },
      open,
      false,
    ],
    ["so does a pattern", { properties: { a: true }, patternProperties: { "^ex": { type: "integer" } } }, open, true],
    ["for names that match", { properties: { a: true }, patternProperties: { "^x": true } }, open, false],
    [
      "within an open object, a described one is closed",
      { additionalProperties: true, properties: { a: { type: "object" } } },
      { a: { b: 1 } },
      false,
    ],
    ["a value of any kind stays open", { properties: { a: {} } }, { a: { b: { c: 1 } } }, true],
    ["parts of `allOf` add up", { allOf: [{ properties: { a: true } }, { properties: { extra: true } }] }, open, true],
    ["and are closed together", { allOf: [{ properties: { a: true } }, { properties: { b: true } }] }, open, false],
    [
      "an alternative that does not hold adds nothing",
      { anyOf: [{ properties: { a: true } }, { properties: { extra: { type: "string" } } }] },
      open,
      false,
    ],
    [
      "one that holds does",
      { anyOf: [{ properties: { a: true } }, { properties: { extra: { type: "integer" } } }] },
      open,
      true,
    ],
    [
      "a reference counts as written out",
      { $ref: "#/$defs/x", $defs: { x: { properties: { a: true } } } },
      open,
      false,
    ],
    [
      "with more beside it",
      { $ref: "#/$defs/x", properties: { extra: true }, $defs: { x: { properties: { a: true } } } },
      open,
      true,
    ],
    [
      "`then` counts where `if` holds",
      { properties: { a: true }, if: { properties: { a: { const: 1 } } }, then: { properties: { extra: true } } },
      open,
      true,
    ],
    [
      "and not where it does not",
      { properties: { a: true }, if: { properties: { a: { const: 2 } } }, then: { properties: { extra: true } } },
      open,
      false,
    ],
    ["names are judged", { additionalProperties: true, propertyNames: { maxLength: 3 } }, open, false],
    ["properties are counted", { additionalProperties: true, maxProperties: 1 }, open, false],
  ])("%s", (_name, schema, args, fits) => {
    expect(validator(schema).validate(args).length === 0).toBe(fits);
  });

  it("a name of the prototype is no property", () => {
    const validate = validator({
      type: "object",
      properties: { constructor: { type: "string" } },
      required: ["toString"],
    });
    expect(validate.validate({}).map(({ path }) => path)).toEqual(["toString"]);
  });
});

describe("references", () => {
  const tree: JsonSchema = {
    $ref: "#/$defs/node",
    $defs: {
      node: { type: "object", properties: { n: { type: "integer" }, next: { $ref: "#/$defs/node" } }, required: ["n"] },
    },
  };

  it("may be recursive", () => {
    expect(validator(tree).validate({ n: 1, next: { n: 2, next: { n: 3 } } })).toEqual([]);
    expect(validator(tree).validate({ n: 1, next: { n: 2, next: {} } })).toEqual([
      { path: "next.next.n", message: "is required" },
    ]);
  });

  it("that grow exponentially run out of work, and then nothing fits (trap 13)", () => {
    const next = { $ref: "#" };
    const hard = validator({
      anyOf: [1, 2, 3].map((n) => ({ type: "object", properties: { next, n: { const: n } }, required: ["n"] })),
    });
    let value: JsonObject = { n: 4 };
    for (let level = 0; level < LIMITS.jsonDepth - 2; level++) value = { next: value, n: 4 };
    expect(hard.validate(value).length).toBeGreaterThan(0);
    let fine: JsonObject = { n: 3 };
    for (let level = 0; level < LIMITS.jsonDepth - 2; level++) fine = { next: fine, n: 3 };
    expect(hard.validate(fine).length).toBeGreaterThan(0);
  });

  it.each([
    [{ $ref: "#" }, "#"],
    [
      {
        anyOf: [{ $ref: "#/$defs/a" }],
        $defs: { a: { allOf: [{ $ref: "#/$defs/b" }] }, b: { not: { $ref: "#/$defs/a" } } },
      },
      "leads back to itself",
    ],
    [{ $ref: "#/$defs/none" }, "#/$defs/none there is nothing"],
    [{ $ref: "https://example.com/schema.json" }, "only references inside"],
  ])("are refused at load: %j", (schema, says) => {
    expect(refused(schema as Json).join()).toContain(says);
  });
});

describe("what is outside of the subset is refused at load, with its place (trap 4)", () => {
  it.each<[Json, string]>([
    [
      { properties: { a: { minumum: 1 } } },
      "#/properties/a/minumum the keyword `minumum` is not supported; did you mean `minimum`?",
    ],
    [{ unevaluatedProperties: false }, "#/unevaluatedProperties"],
    [{ dependentRequired: {} }, "#/dependentRequired"],
    [{ contains: {} }, "#/contains"],
    [{ $dynamicRef: "#a" }, "#/$dynamicRef"],
    [{ nullable: true }, "#/nullable"],
    [{ items: [{ type: "string" }] }, "#/items a schema must be an object"],
    [{ type: "int" }, "#/type must be of string"],
    [{ type: [] }, "#/type must be of"],
    [{ enum: [] }, "#/enum"],
    [{ format: "iban" }, "#/format the format `iban` is not asserted here"],
    [{ pattern: "(?=a)b" }, "#/pattern not a pattern in RE2 syntax"],
    [{ pattern: "(a)\\1" }, "#/pattern"],
    [{ patternProperties: { "a(": true } }, "#/patternProperties/a("],
    [{ minLength: -1 }, "#/minLength"],
    [{ maxItems: 1.5 }, "#/maxItems"],
    [{ minimum: "1" }, "#/minimum"],
    [{ multipleOf: 0 }, "#/multipleOf"],
    [{ required: "a" }, "#/required"],
    [{ uniqueItems: 1 }, "#/uniqueItems"],
    [{ allOf: [] }, "#/allOf"],
    [{ properties: { a: { $id: "x" } } }, "#/properties/a/$id"],
    [{ $schema: "http://json-schema.org/draft-04/schema#" }, "#/$schema"],
    ["text", "#"],
    [null, "#"],
  ])("%j", (schema, says) => {
    expect(refused(schema).join()).toContain(says);
  });

  it("ignores what only describes", () => {
    const described = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title: "t",
      description: "d",
      default: 1,
      examples: [1],
      "x-a": 1,
    };
    expect(refused(described)).toEqual([]);
  });

  it("never throws, whatever it is given", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = parseSchema(value as Json);
        if (parsed.ok) compileSchema(parsed.schema).validate({ a: 1 });
      }),
    );
  });
});

describe("a framework's own validator", () => {
  it("is asked at once, keeps its values to itself, and a promise is a refusal (trap 5)", () => {
    const mails = {
      "~standard": {
        validate: ({ to }: { to: string[] }) =>
          to.includes("hunter2")
            ? { issues: [{ message: "hunter2 is no mail", path: ["to", { key: 0 }] }] }
            : { value: { to } },
      },
    } as StandardSchema;
    expect(isStandardSchema(mails)).toBe(true);
    const validate = standardValidator(mails);
    expect(validate.validate({ to: ["a@b.cc"] })).toEqual([]);
    // What was judged is what is sent: a schema that would make something else of it says no.
    for (const value of [{}, { to: ["a@b.cc"], cc: [] }, { to: ["b@b.cc"] }, { to: "a@b.cc" }, { to: [] }, null, []]) {
      const rewriting = { "~standard": { validate: () => ({ value }) } };
      expect(standardValidator(rewriting).validate({ to: ["a@b.cc"] })).toHaveLength(1);
    }
    const leaving = { "~standard": { validate: () => ({ value: { to: ["a@b.cc"], cc: undefined } }) } };
    expect(standardValidator(leaving).validate({ to: ["a@b.cc"] })).toEqual([]);
    expect(validate.validate({ to: ["hunter2"] })).toEqual([
      { path: "to[0]", message: "does not fit the tool's own schema" },
    ]);
    const answers: unknown[] = [
      Promise.resolve({ value: 1 }),
      Promise.reject(new Error("no")),
      undefined,
      null,
      {},
      "ok",
      { issues: "no" },
    ];
    for (const answer of answers) {
      const odd = standardValidator({ "~standard": { validate: () => answer } });
      expect(odd.validate({}).length).toBe(1);
    }
  });
});
