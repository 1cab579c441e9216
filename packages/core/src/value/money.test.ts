import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { amountText, dollarsText, knownAmount, meantAmount, unitHint } from "./money.ts";
import { KNOWN_UNITS } from "./unit.ts";

describe("an amount of a unit", () => {
  it.each([
    [450_000, "usd_cents", "$4,500.00"],
    [49_500n, "usd_cents", "$495.00"],
    ["49500", "usd_cents", "$495.00"],
    [0, "usd_cents", "$0.00"],
    [-0, "usd_cents", "$0.00"],
    [-7, "usd_cents", "-$0.07"],
    [7, "eur_cents", "0.07 EUR"],
    [-450_000, "chf_cents", "-4,500.00 CHF"],
    [4_500.5, "usd_cents", "$45.005"],
    ["49.90", "usd", "$49.90"],
    [49.9, "usd", "$49.90"],
    ["12.5", "chf", "12.50 CHF"],
    ["0.1234567", "usd", "$0.1234567"],
    [2_500, "usd_micros", "$0.0025"],
    [1_000_000, "usd_micros", "$1.00"],
    [5_000, "jpy", "5,000 JPY"],
    ["5000.5", "jpy", "5,000.5 JPY"],
    [5_000_000, "jpy_micros", "5 JPY"],
    [Number.MAX_SAFE_INTEGER, "usd_cents", "$90,071,992,547,409.91"],
    ["123456789012345678901234567890", "usd_cents", "$1,234,567,890,123,456,789,012,345,678.90"],
    [500, "emails", "500 emails"],
    [1, "emails", "1 email"],
    [12_345, "tokens", "12,345 tokens"],
    [1, "points", "1 points"],
    [3, "\u202exyz_cents", "3 \\u{202e}xyz_cents"],
    // No currency has it, so it is a word like any other.
    [3, "jpy_cents", "3 jpy_cents"],
  ])("%s of `%s` reads %s", (amount, unit, text) => {
    expect(knownAmount(amount, unit)).toBe(text);
  });

  it.each([
    "1,000",
    "$5",
    " 5",
    "5 ",
    "007",
    "+5",
    "1e3",
    ".5",
    "5.",
    "",
    "NaN",
    "0x10",
    "٥",
    "9".repeat(65),
    1e21,
    1e-7,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    true,
    null,
    undefined,
    [5],
    { amount: 5 },
  ])("%j is none", (value) => {
    for (const unit of ["usd_cents", "usd", "emails"]) expect(knownAmount(value, unit)).toBeUndefined();
  });

  it("of the books is always a text", () => {
    expect(amountText("49500", "usd_cents")).toBe("$495.00");
    expect(amountText("12345", "emails")).toBe("12,345 emails");
    expect(amountText("1e3\u202e", "usd")).toBe("1e3\\u{202e} usd");
  });

  it("is dollars to the cent at least, and exact below it", () => {
    expect(["0", "1", "12300", "1000000", "1234567890123456789"].map(dollarsText)).toEqual([
      "$0.00",
      "$0.000001",
      "$0.0123",
      "$1.00",
      "$1,234,567,890,123.456789",
    ]);
  });

  it("reads back as the same integer, whatever the unit", () => {
    const amount = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }));
    fc.assert(
      fc.property(amount, fc.constantFrom(...KNOWN_UNITS), (value, unit) => {
        const text = knownAmount(value, unit) ?? "";
        const shift = unit.endsWith("_cents") ? 2 : unit.endsWith("_micros") ? 6 : 0;
        // Written anew: what a person would compute from what is shown.
        const [whole = "", fraction = ""] = text.replace(/[^-\d.]/g, "").split(".");
        const back = BigInt(`${whole}${fraction.padEnd(shift, "0").slice(0, shift)}`);
        return back === BigInt(value) && /^0*$/.test(fraction.slice(shift));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("typing an amount", () => {
  it.each([
    ["usd_cents", 45_000, "in cents: 45000 is $450.00"],
    ["usd_cents", "12x", "in cents of USD"],
    ["usd_cents", undefined, "in cents of USD"],
    ["usd_micros", 2_500, "in millionths: 2500 is $0.0025"],
    ["chf", "49.90", "in CHF: 49.90 is 49.90 CHF"],
    ["emails", 5, "in emails"],
    ["\u202eodd", 5, "in \\u{202e}odd"],
  ])("of `%s`, with %j there, is explained: %s", (unit, value, text) => {
    expect(unitHint(unit, value)).toBe(text);
  });

  it.each([
    ["$450", "type 45000 for $450.00"],
    ["450.00", "type 45000 for $450.00"],
    ["450.5", "type 45050 for $450.50"],
    ["$1,200.50", "type 120050 for $1,200.50"],
    ["450 USD", "type 45000 for $450.00"],
    ["-0.07", "type -7 for -$0.07"],
    ["1,000", "type 100000 for $1,000.00"],
  ])("%s in cents is not converted: %s", (text, said) => {
    expect(meantAmount(text, "usd_cents")).toBe(said);
  });

  it("says nothing of what is no money, what is typed as it should be, and digits that a unit has not", () => {
    for (const text of ["45000", "-7", "", "abc", "4.505", "1,00", "450.00.1", "$", "1e5"]) {
      expect(meantAmount(text, "usd_cents")).toBeUndefined();
    }
    for (const unit of ["usd", "emails", "points"]) expect(meantAmount("450.00", unit)).toBeUndefined();
  });
});
