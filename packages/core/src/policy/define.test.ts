import { describe, expect, it } from "vitest";
import { LIMITS } from "../limits.ts";
import type { Expr } from "./cel/ast.ts";
import { parseCel, printCel } from "./cel/index.ts";
import { inline, TooLarge } from "./define.ts";
import { nearest } from "./nearest.ts";

function parse(source: string): Expr {
  const parsed = parseCel(source);
  if (!parsed.ok) throw new Error(parsed.issues[0]?.message);
  return parsed.expr;
}

describe("definitions", () => {
  it("stand for their expression, and read past the macro variables around them", () => {
    const definitions = new Map([["limit", parse("args.max + 1")]]);
    expect(printCel(inline(parse("args.list.all(args, args < limit)"), definitions))).toBe(
      "args.list.all(args, args < .args.max + 1)",
    );
  });

  it("that nest too deep together are refused before anybody walks them (trap 13)", () => {
    let definition = parse("a");
    let refused: unknown;
    try {
      for (let step = 0; step < 10_000; step++) definition = inline(parse("!x"), new Map([["x", definition]]));
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(TooLarge);
    const deepest = inline(parse(`${"!".repeat(LIMITS.celDepth - 2)}x`), new Map([["x", parse("!a")]]));
    expect(parseCel(printCel(deepest)).ok).toBe(true);
    expect(() => inline(parse(`${"!".repeat(LIMITS.celDepth - 1)}x`), new Map([["x", parse("!a")]]))).toThrow(TooLarge);
  });

  it("that double with each step are refused", () => {
    let definition = parse("a + a");
    expect(() => {
      for (let step = 0; step < 20; step++) definition = inline(parse("x + x"), new Map([["x", definition]]));
    }).toThrow(TooLarge);
  });
});

describe("the nearest word", () => {
  it.each([
    ["amonut", ["amount", "currency"], "amount"],
    ["Amount", ["amount"], "amount"],
    ["startswith", ["startsWith", "endsWith"], "startsWith"],
    ["x", ["limit"], undefined],
    ["z".repeat(10_000), ["z"], undefined],
  ])("%s", (word, options, expected) => expect(nearest(word, options)).toBe(expected));
});
