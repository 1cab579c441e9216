import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkCel, compileCel, parseCel, toJson } from "./index.ts";
import { type CelEnv, DYN } from "./types.ts";

const ENV: CelEnv = { variables: { args: DYN } };

function evaluate(source: string, args: unknown = {}): unknown {
  const parsed = parseCel(source);
  if (!parsed.ok) throw new Error(parsed.issues[0]?.message);
  try {
    return toJson(compileCel(parsed.expr, ENV).evaluate({ args }));
  } catch (error) {
    return `error: ${error instanceof Error ? error.message : ""}`;
  }
}

describe("[P4~] exact decimals", () => {
  it.each([
    ['dec("0.1") + dec("0.2") == dec("0.3")', true],
    ["dec(0.1) + dec(0.2) == dec(0.3)", true],
    ['dec("1.50") == dec("1.5") && dec("1.50") != dec("1.51")', true],
    ['dec("19.99") * 3 <= 60', true],
    ['3 * dec("19.99")', "59.97"],
    ['dec("5.00") - 10', "-5.00"],
    ['-dec("5.00") < 0', true],
    ['dec("99999999999999999999.99") > 9007199254740993', true],
    ["dec(5) == 5 && 5 == dec(5) && dec(5u) == 5u", true],
    ["dec(1e21) > dec(999999999999)", true],
    ["dec(1e-7)", "0.0000001"],
    ['string(dec("7.10")) + string(dec(0.5))', "7.100.5"],
    ['dec("2") in [dec("1"), dec("2.0")]', true],
    ['dec("1") == null', false],
    ['[1, 2].map(i, dec("0.10") * i)', ["0.10", "0.20"]],
    ['type(dec("1")) == type(dec(2))', true],
  ])("%s", (source, expected) => expect(evaluate(source)).toEqual(expected));

  it.each([
    "1,000",
    "1.000,00",
    "1 000",
    "1_000",
    " 5",
    "5 ",
    "+5",
    "05",
    "5.",
    ".5",
    "1e3",
    "0x10",
    "",
    "-",
    "--5",
    "NaN",
    "Infinity",
    "$5",
    "5%",
    "\uff15",
    "\u0665",
    "5\u200b",
    "-0",
    "-0.00",
    "1.0000000000000000001",
    "9".repeat(31),
    "(5)",
    "5-",
    "\u22125",
  ])("refuses the text %j (traps 7, 10)", (text) => {
    expect(evaluate("dec(args.x)", { x: text })).toMatch(/^error: `dec` of a text/);
  });

  it.each([
    ['dec("0.1") == 0.1', "convert the other one with `dec(…)`"],
    ['dec("0.1") < 0.5', "convert the other one with `dec(…)`"],
    ['dec("1") == "1"', "convert the other one with `dec(…)`"],
    ['dyn(dec("1")) in ["1"]', "convert the other one with `dec(…)`"],
    ['dec("1") + 0.5', "has no meaning for a decimal and a double"],
    ['dec("1") / 3', "`/` of decimals is not exact"],
    ['dec("1") % dec("3")', "`%` of decimals is not exact"],
    ["dec(0.0 / 0.0)", "not a number"],
    ["dec(1e300)", "a decimal of more than"],
    ["dec(5e-324)", "a decimal of more than"],
    ['{dec("1"): 2}', "a map's key"],
  ])("%s is an error", (source, message) => expect(evaluate(source)).toContain(message));

  it("never grows beyond its bound (trap 13)", () => {
    const product = Array.from({ length: 30 }, () => 'dec("99999999999.99")').join(" * ");
    expect(evaluate(product)).toContain("a decimal of more than");
  });

  it("is checked at load", () => {
    const issue = (source: string) => {
      const parsed = parseCel(source);
      return parsed.ok ? checkCel(parsed.expr, ENV).issues[0]?.code : "syntax";
    };
    expect(issue('dec("1") == 0.5')).toBe("wrong-type");
    expect(issue('dec("1") < "2"')).toBe("wrong-type");
    expect(issue('dec("1") / 2 > 1')).toBe("wrong-type");
    expect(issue('dec("1") * 2 <= 5 && -dec("1") < dec(args.x)')).toBeUndefined();
  });

  it("agrees with integers of the smallest unit", () => {
    const cents = fc.bigInt(-(10n ** 12n), 10n ** 12n);
    const text = (value: bigint) => {
      const size = value < 0n ? -value : value;
      return `${value < 0n ? "-" : ""}${size / 100n}.${String(size % 100n).padStart(2, "0")}`;
    };
    fc.assert(
      fc.property(cents, cents, (a, b) => {
        fc.pre(a !== 0n && b !== 0n);
        const args = { a: text(a), b: text(b) };
        expect(evaluate("dec(args.a) < dec(args.b)", args)).toBe(a < b);
        expect(evaluate("dec(args.a) == dec(args.b)", args)).toBe(a === b);
        expect(evaluate("dec(args.a) + dec(args.b)", args)).toBe(text(a + b));
        expect(evaluate("dec(args.a) - dec(args.b)", args)).toBe(text(a - b));
      }),
    );
  });
});
