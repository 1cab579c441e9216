import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "./json.ts";

describe("canonical JSON (RFC 8785)", () => {
  it.each([
    // The example of RFC 8785, section 3.2.2, and its numbers of appendix B.
    [
      {
        numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
        string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
        literals: [null, true, false],
      },
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    ],
    // Section 3.2.3: keys are sorted by UTF-16 code units.
    [
      { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 },
      '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}',
    ],
    [
      [-0, 0, 5e-324, 1.7976931348623157e308, 9007199254740991],
      "[0,0,5e-324,1.7976931348623157e+308,9007199254740991]",
    ],
    [{ b: {}, a: [] }, '{"a":[],"b":{}}'],
    [{ b: undefined, a: 1, c: undefined }, '{"a":1}'],
  ])("writes the one form %#", (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it("reads back to the same value, and writes it the same again", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        fc.pre(JSON.stringify(value).isWellFormed());
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    ["NaN", Number.NaN],
    ["undefined", undefined],
    ["a lone surrogate", "\udc00"],
    ["a key with a lone surrogate", { "\ud800": 1 }],
    ["a date", new Date(0)],
    ["an accessor", Object.defineProperty({}, "a", { enumerable: true, get: () => 1 })],
  ])("refuses %s", (_name, value) => {
    expect(() => canonicalJson(value)).toThrow();
  });
});
