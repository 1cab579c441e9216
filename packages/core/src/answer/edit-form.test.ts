import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EditField } from "../edit-field.ts";
import type { Json } from "../value/json.ts";
import {
  choicesOf,
  chosenTexts,
  editFieldJson,
  fieldText,
  formField,
  formFields,
  isChosen,
  isTypeable,
  typedValue,
} from "./edit-form.ts";

const field = (more: Partial<EditField> & Pick<EditField, "type">): EditField => ({
  path: "a",
  label: "a",
  required: true,
  ...more,
});

/** The field of `a`, with this value in it, as a form has it. */
function shown(of: EditField | undefined, value: Json | undefined) {
  const [made] = formFields(value === undefined ? {} : { a: value }, {
    editable: ["a"],
    ...(of === undefined ? {} : { form: [of] }),
  });
  if (made === undefined) throw new Error("no field");
  return made;
}

describe("a described field", () => {
  it.each<[string, EditField, Json | undefined, string, object]>([
    ["integer", field({ type: "integer" }), 5, "7", { value: 7 }],
    ["integer", field({ type: "integer" }), 5, " 7 ", { value: 7 }],
    ["integer", field({ type: "integer" }), 5, "7.5", { message: "must be a whole number" }],
    ["integer", field({ type: "integer" }), 5, "", { message: "must be a whole number" }],
    ["integer", field({ type: "integer" }), 5, "0x10", { message: "must be a whole number" }],
    ["beyond", field({ type: "integer" }), 5, "9007199254740993", { message: "is beyond what a number holds exactly" }],
    ["beyond", field({ type: "number" }), 5, "1e999", { message: "is beyond what a number holds exactly" }],
    [
      "bounds",
      field({ type: "integer", minimum: 1, maximum: 500 }),
      5,
      "501",
      { message: "must be a whole number from 1 to 500" },
    ],
    ["bounds", field({ type: "number", exclusiveMinimum: 0 }), 5, "0", { message: "must be a number above 0" }],
    ["bounds", field({ type: "number", minimum: 0 }), 5, "-0.5", { message: "must be a number 0 or more" }],
    ["number", field({ type: "number" }), 5, "7,5", { message: "must be a number" }],
    ["number", field({ type: "number" }), 5, "0.50", { value: 0.5 }],
    ["boolean", field({ type: "boolean" }), true, "false", { value: false }],
    ["boolean", field({ type: "boolean" }), true, "no", { message: "must be true or false" }],
    ["enum", field({ type: "enum", enum: ["eur", "usd"] }), "eur", "usd", { value: "usd" }],
    ["enum", field({ type: "enum", enum: ["eur", "usd"] }), "eur", "gbp", { message: "must be one of eur, usd" }],
    ["enum", field({ type: "enum", enum: ["eur", " eur"] }), undefined, " eur", { value: " eur" }],
    ["enum", field({ type: "enum", enum: [1, "1"] }), 1, '"1"', { value: "1" }],
    ["string", field({ type: "string" }), "x", "“y” ", { value: "“y” " }],
    ["string", field({ type: "string" }), "x", "a\r\nb", { value: "a\nb" }],
    [
      "length",
      field({ type: "string", maxLength: 2 }),
      "x",
      "👩👩👩",
      { message: "must be text of 2 characters or less" },
    ],
    ["length", field({ type: "string", maxLength: 3 }), "x", "👩👩👩", { value: "👩👩👩" }],
    [
      "pattern",
      field({ type: "string", pattern: "^[a-z]+$" }),
      "x",
      "Y",
      { message: "must be text that matches ^[a-z]+$" },
    ],
    ["json", field({ type: "json" }), [1], "[2]", { value: [2] }],
    ["json", field({ type: "json" }), [1], "[“2”]", { message: 'curly quotes are no JSON; type straight ones: "' }],
    ["several", field({ type: "enums", enum: ["eur", "usd"] }), ["eur"], '["usd","eur"]', { value: ["usd", "eur"] }],
    [
      "several",
      field({ type: "enums", enum: ["eur", "usd"], minItems: 1 }),
      ["eur"],
      "[]",
      { message: "must be a list of 1 or more of eur, usd" },
    ],
    [
      "several",
      field({ type: "enums", enum: ["eur", "usd"] }),
      ["eur"],
      '["gbp"]',
      { message: "must be a list of eur, usd" },
    ],
    [
      "several",
      field({ type: "enums", enum: ["eur", "usd"], maxItems: 1 }),
      ["eur"],
      '["eur","usd"]',
      { message: "must be a list of at most 1 of eur, usd" },
    ],
    ["absent", field({ type: "integer", required: false }), undefined, "", { unchanged: true }],
    ["absent", field({ type: "integer", required: false }), undefined, "3", { value: 3 }],
    ["nullable", field({ type: "integer", nullable: true }), 5, "", { value: null }],
    ["nullable", field({ type: "string", nullable: true }), null, "", { unchanged: true }],
    ["nullable", field({ type: "string", nullable: true, maxLength: 1 }), null, "x", { value: "x" }],
    ["as it was", field({ type: "integer", maximum: 3 }), 5, "5", { unchanged: true }],
  ])("%s %j %j: %j", (_, of, value, typed, expected) => {
    expect(typedValue(shown(of, value), typed)).toEqual(expected);
  });

  it("says in a line what is no JSON", () => {
    const answer = typedValue(shown(field({ type: "json" }), undefined), "\u202enone");
    expect("message" in answer && answer.message).toContain("it must be JSON");
  });

  it("is one by value where the row holds something else, or knows nothing: rows of before [A3~]", () => {
    expect(shown(field({ type: "integer" }), "12")).toMatchObject({ type: "string", described: false, text: "12" });
    expect(shown(field({ type: "enum", enum: ["a"] }), "b")).toMatchObject({ type: "string", described: false });
    expect(shown(undefined, 12)).toMatchObject({ type: "json", text: "12", described: false });
    expect(typedValue(shown(undefined, undefined), "free text")).toEqual({ value: "free text" });
    expect(typedValue(shown(undefined, 12), "many")).toMatchObject({ message: expect.stringContaining("JSON") });
    expect(typedValue(shown(undefined, "12"), "13")).toEqual({ value: "13" });
  });

  it("stands at each place that its path means", () => {
    const form = [field({ type: "integer", path: "lines[].n", label: "lines[].n" })];
    const args = { lines: [{ n: 1 }, { n: 2 }, {}] };
    expect(
      formFields(args, { editable: ["lines[].n"], form }).map(({ path, label, text }) => [path, label, text]),
    ).toEqual([
      ["lines[0].n", "lines[0].n", "1"],
      ["lines[1].n", "lines[1].n", "2"],
      ["lines[2].n", "lines[2].n", ""],
    ]);
    expect(formField(args, "lines[1].n", { editable: ["lines[].n"], form }).type).toBe("integer");
    expect(formField(args, "lines[1]", { editable: ["lines[].n"], form }).type).toBe("json");
  });

  it("gives back every value that it shows, unchanged, and each of its choices", () => {
    const kinds = fc.oneof(
      fc.record({
        type: fc.constant("enum" as const),
        enum: fc.uniqueArray(fc.oneof(fc.string(), fc.integer(), fc.boolean()), { minLength: 1 }),
      }),
      fc.constantFrom(
        { type: "boolean" as const },
        { type: "integer" as const },
        { type: "string" as const },
        { type: "json" as const },
      ),
    );
    fc.assert(
      fc.property(kinds, fc.jsonValue(), fc.string(), (kind, value, typed) => {
        const of = shown(field(kind), value as Json);
        expect(typedValue(of, of.text)).toEqual({ unchanged: true });
        const choices = choicesOf(field(kind));
        expect(new Set(choices.map(({ text }) => text)).size).toBe(choices.length);
        for (const choice of choices) {
          const back = typedValue(shown(field(kind), undefined), choice.text);
          expect(back).toEqual({ value: choice.value });
        }
        expect(Object.keys(typedValue(of, typed))).toHaveLength(1);
      }),
    );
  });
});

describe("what a field says of itself", () => {
  it("is one visible line, whatever is in it (trap 27)", () => {
    const evil = "\u202e<!channel>\n\u001b[2J*bold*";
    for (const of of [
      field({ type: "string", pattern: evil }),
      field({ type: "enum", enum: [evil, "x".repeat(999)] }),
    ]) {
      expect(fieldText(of)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(fieldText(of).length).toBeLessThan(300);
    }
    expect(isTypeable({ text: evil })).toBe(false);
  });

  it("is snake_case for programs, without what is not said", () => {
    expect(editFieldJson(field({ type: "string", maxLength: 3, nullable: true }))).toEqual({
      path: "a",
      label: "a",
      type: "string",
      required: true,
      nullable: true,
      max_length: 3,
    });
  });
});

describe("a field of several choices", () => {
  const of = field({ type: "enums", enum: ["eur", "usd", 3], required: false });

  it("takes choices by their texts, in the schema's order; the same ones again are no edit", () => {
    const made = shown(of, [3, "eur"]);
    expect(chosenTexts(made)).toEqual(['"eur"', "3"]);
    expect(typedValue(made, ['"eur"', "3"])).toEqual({ unchanged: true });
    expect(typedValue(made, ["3", '"usd"'])).toEqual({ value: ["usd", 3] });
    expect(typedValue(made, [])).toEqual({ value: [] });
    expect(typedValue(made, ["gbp"])).toHaveProperty("message");
    expect(typedValue(shown(of, undefined), [])).toEqual({ unchanged: true });
  });

  it("is typed as JSON where what stands there is none of it", () => {
    for (const value of [["eur", "eur"], ["gbp"], "eur", null]) {
      const made = shown(of, value);
      expect([made.type === "enums", isChosen(made)]).toEqual([false, false]);
    }
  });
});
