import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonTextProblem, parseJson } from "./json-parse.ts";

function problem(text: string, depth?: number): string {
  try {
    parseJson(text, depth === undefined ? {} : { depth });
  } catch (error) {
    if (error instanceof JsonTextProblem) return `${error.line}:${error.column} ${error.message}`;
    throw error;
  }
  return "no problem";
}

describe("parseJson", () => {
  it("reads whatever JSON.stringify writes, to the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("agrees with JSON.parse on every mutilated text, except for duplicate keys", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"b"',
      "1",
      "-",
      "0",
      ".",
      "e",
      "true",
      "nul",
      " ",
      "\\",
      '"',
      "\n",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (list) => {
        const text = list.join("");
        let expected: { value: unknown } | undefined;
        try {
          expected = { value: JSON.parse(text) as unknown };
        } catch {}
        const found = problem(text);
        if (expected === undefined) expect(found).not.toBe("no problem");
        else if (found === "no problem") expect(parseJson(text)).toEqual(expected.value);
        else expect(found).toMatch(/ twice$/);
      }),
      { numRuns: 3_000 },
    );
  });

  it("refuses a key twice in one object, also in another spelling of the same text (trap 10)", () => {
    expect(problem('{"a":1,\n "a":2}')).toBe("2:2 the key `a` twice");
    expect(problem('{"amount":1,"\\u0061mount":2}')).toBe("1:13 the key `amount` twice");
    expect(problem('{"a":{"b":1},"c":{"b":1}}')).toBe("no problem");
  });

  it("keeps prototype names as own keys, so that normalize can refuse them (trap 10)", () => {
    const value = parseJson('{"__proto__":{"x":1},"constructor":2}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value ?? {})).toEqual(["__proto__", "constructor"]);
    expect(problem('{"__proto__":1,"__proto__":2}')).toBe("1:16 the key `__proto__` twice");
  });

  it.each([
    ["", "1:1 the end of the text where a value was expected"],
    ["NaN", "1:1 `N` where a value was expected"],
    ["01", "1:2 `1` after the end of the value"],
    ["[1,]", "1:4 `]` where a value was expected"],
    ['{"a":1,}', "1:8 `}` where a key in quotes was expected"],
    ["{'a':1}", "1:2 `'` where a key in quotes was expected"],
    ['"a\u0001"', "1:3 a control character"],
    ['"a', "1:3 a text without its closing quote"],
    ['"\\x"', "1:2 an unknown escape in a text"],
    ['"\\u12g4"', "1:2 an escape that is not `\\u` and four hex digits"],
    ["{} {}", "1:4 `{` after the end of the value"],
    ["\ufeff{}", "1:1 the character U+feff where a value was expected"],
    ["[1 2]", "1:4 `2` where `]` was expected"],
  ])("says where %j is no JSON", (text, expected) => {
    expect(problem(text)).toBe(expected);
  });

  it("bounds the nesting without using up the stack", () => {
    expect(problem("[[[]]]", 3)).toBe("no problem");
    expect(problem("[[[[]]]]", 3)).toBe("1:4 nesting over 3 levels");
    expect(problem("[".repeat(1_000_000))).toBe("1:65 nesting over 64 levels");
  });
});
