import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Expr } from "./ast.ts";
import { parseCel } from "./parser.ts";
import { printCel } from "./print.ts";
import { Double, Uint } from "./values.ts";

function parse(source: string): Expr {
  const parsed = parseCel(source);
  if (!parsed.ok) throw new Error(`${source}: ${parsed.issues[0]?.message}`);
  return parsed.expr;
}

function messageOf(source: string): string {
  const parsed = parseCel(source);
  return parsed.ok ? "parsed" : (parsed.issues[0]?.message ?? "");
}

function literal(source: string): unknown {
  const expr = parse(source);
  if (expr.kind !== "literal") throw new Error(`${source} is ${expr.kind}`);
  return expr.value;
}

describe("literals", () => {
  it.each([
    ["null", null],
    ["true", true],
    ["0", 0],
    ["007", 7],
    ["-5", -5],
    ["0xFF", 255],
    ["-0x10", -16],
    ["9007199254740992", 9007199254740992n],
    ["9223372036854775807", 9223372036854775807n],
    ["-9223372036854775808", -9223372036854775808n],
    ["18446744073709551615u", new Uint(18446744073709551615n)],
    ["0xFu", new Uint(15n)],
    ["1.5", new Double(1.5)],
    [".5e3", new Double(500)],
    ["1e-2", new Double(0.01)],
    ["-0.0", new Double(-0)],
    ['"a\\n\\t\\"\\\\"', 'a\n\t"\\'],
    ["'it''s'".slice(0, 4), "it"],
    ['"\\x41\\101\\u00e9\\U0001F600"', "AAé😀"],
    ['r"\\d+"', "\\d+"],
    ['"""a "quoted" \n line"""', 'a "quoted" \n line'],
    ["'''a\r\nb'''", "a\nb"],
    ['r"""\\n"""', "\\n"],
    ['b"é\\xff"', Uint8Array.of(0xc3, 0xa9, 0xff)],
    ['Rb"\\x"', Uint8Array.of(0x5c, 0x78)],
    ['""', ""],
    ['""""""', ""],
  ])("%s", (source, value) => {
    expect(literal(source)).toEqual(value);
  });

  it.each([
    ["9223372036854775808", "an integer beyond 64 bits"],
    ["-9223372036854775809", "an integer beyond 64 bits"],
    ["18446744073709551616u", "an unsigned number beyond 64 bits"],
    ["-1u", "an unsigned number cannot be negative"],
    ["1e999", "a number too large for a double"],
    ["5dollars", "`5dollars` is neither a number nor a name"],
    ['"abc', 'text without an end: expected a closing `"` on the same line'],
    ["'a\nb'", "text without an end: expected a closing `'` on the same line"],
    ['"\\q"', 'unknown escape `\\q`; for a backslash write `\\\\`, or a raw string r"…"'],
    ['"\\ud800"', "`\\ud800` is not a character"],
    ['"\\u12"', "`\\u` needs 4 hexadecimal digits"],
    ['b"\\u00e9"', "`\\u` is not allowed in bytes; write `\\x`"],
    ["", "an empty condition: write an expression such as `args.amount <= 500`"],
    ["// a remark", "an empty condition: write an expression such as `args.amount <= 500`"],
    ["a = 1", "unexpected `=`: to compare, write `==`"],
    ["a & b", "unexpected `&`: for both, write `&&`"],
    ["a and b", "unexpected `and`: write `&&`"],
    ["not a", "unexpected `a`, expected an operator such as `&&`"],
    ["a || ", "the condition ends where a value was expected"],
    ["(a", "the condition ends where `)` was expected"],
    ["a ? b", "the condition ends where `:` and the other value, as in `a ? b : c` was expected"],
    ["f(a,)", "unexpected `)`, expected another argument"],
    ["[1 2]", "unexpected `2`, expected `,` or `]`"],
    ["{1 2}", '`:` and a value, as in `{"key": value}`'],
    ["a.in", "unexpected `in`, expected a field name"],
    ["if", "`if` is a reserved word: write `condition ? a : b`"],
    ["package", "`package` is a reserved word"],
    ["a.b.C{x: 1}", 'messages cannot be built in a condition; for a map write `{"key": value}`'],
    ["has(a)", "`has` takes one field: `has(args.amount)`"],
    ["has(a[0])", "`has` takes one field: `has(args.amount)`"],
    ["a.all(x)", "`all` takes a name and a condition: `args.items.all(item, item.price > 0)`"],
    ["a.map(x.y, 1)", "`map` takes a new name first: `args.items.map(item, item.price)`"],
    ["“a”", 'unexpected `“`: write straight quotes `"…"`'],
    ["a\u0000", "unexpected a control character"],
  ])("%j is refused: %s", (source, message) => {
    expect(messageOf(source)).toContain(message);
  });
});

describe("grammar", () => {
  it.each([
    ["a || b && c", "a || b && c"],
    ["(a || b) && c", "(a || b) && c"],
    ["(a && b) && c", "(a && b) && c"],
    ["a - b - c", "a - b - c"],
    ["a - (b - c)", "a - (b - c)"],
    ["a + b * c % d", "a + b * c % d"],
    ["(a + b) * c", "(a + b) * c"],
    ["a < b == c", "a < b == c"],
    ["!a.b", "!a.b"],
    ["!(a && b)", "!(a && b)"],
    ["--a", "-(-a)"],
    ["- 1", "-1"],
    ["-(1)", "-(1)"],
    ["a ? b : c ? d : e", "a ? b : c ? d : e"],
    ["(a ? b : c) ? d : e", "(a ? b : c) ? d : e"],
    ["a.b.c[0]['k'].f(1, 2)", 'a.b.c[0]["k"].f(1, 2)'],
    [".a.b", ".a.b"],
    ["a.`content-type`", "a.`content-type`"],
    ["a.if", "a.if"],
    ["[1, 2,]", "[1, 2]"],
    ["{'a': 1, b: 2,}", '{"a": 1, b: 2}'],
    ["has(a.b)", "has(a.b)"],
    ["a.all(x, x > 0)", "a.all(x, x > 0)"],
    ["a.map(x, x > 0, x + 1)", "a.map(x, x > 0, x + 1)"],
    ["a.?b[?0]", "a.?b[?0]"],
    ["[?a, b]", "[?a, b]"],
    ["a // remark\n && b", "a && b"],
    ["a in b", "a in b"],
    ["1.0 + 2u", "1.0 + 2u"],
  ])("%s", (source, printed) => {
    expect(printCel(parse(source))).toBe(printed);
    expect(printCel(parse(printed))).toBe(printed);
  });

  it("says where", () => {
    expect(parseCel("args.amount = 5")).toEqual({
      ok: false,
      issues: [{ offset: 12, length: 1, code: "syntax", message: "unexpected `=`: to compare, write `==`" }],
    });
    expect(parse("ab && cd")).toMatchObject({
      start: 0,
      end: 8,
      operands: [
        { start: 0, end: 2 },
        { start: 6, end: 8 },
      ],
    });
  });

  it("is bounded: depth, size, length (trap 13)", () => {
    const limited = [
      `${"(".repeat(100_000 / 2)}`.slice(0, 60_000),
      "[".repeat(60_000),
      "!".repeat(60_000),
      "-".repeat(60_000),
      `a${".b".repeat(30_000)}`,
      `a${"[0]".repeat(20_000)}`,
      `a${"+a".repeat(30_000)}`,
      `a${"&&a".repeat(5_000)}`,
      `${"a?b:".repeat(15_000)}c`,
      `"${"x".repeat(1_048_576)}"`,
      `a == ${"1".repeat(1_048_576)}`,
    ];
    for (const source of limited) {
      expect(parseCel(source)).toMatchObject({ ok: false, issues: [{ code: "limit" }] });
    }
    expect(parse(`a${" || a".repeat(1_000)}`).kind).toBe("or");
  });
});

const name = fc.constantFrom("a", "b", "args", "x");
const leaf = fc.oneof(
  name,
  fc.integer({ min: -5, max: 5 }).map(String),
  fc.constantFrom("1.5", "2u", "null", "true", '"text"', "r'\\d'", 'b"x"', "[]", "{}"),
);
/** Random text of the grammar. */
const source = fc.letrec<{ expr: string }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    leaf,
    fc
      .tuple(
        tie("expr"),
        fc.constantFrom("+", "-", "*", "/", "%", "==", "!=", "<", ">=", "in", "&&", "||"),
        tie("expr"),
      )
      .map(([l, o, r]) => `(${l}) ${o} (${r})`),
    fc.tuple(tie("expr"), tie("expr"), tie("expr")).map(([c, t, e]) => `(${c}) ? (${t}) : (${e})`),
    fc.tuple(fc.constantFrom("!", "-"), tie("expr")).map(([o, e]) => `${o}(${e})`),
    fc
      .tuple(tie("expr"), fc.constantFrom(".a", ".size()", "[0]", ".?b", "[?1]", ".contains('a')"))
      .map(([e, s]) => `(${e})${s}`),
    fc
      .tuple(tie("expr"), fc.constantFrom("all", "exists", "map", "filter", "exists_one"), tie("expr"))
      .map(([r, m, b]) => `(${r}).${m}(x, ${b})`),
    fc.array(tie("expr"), { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
    fc.tuple(tie("expr"), tie("expr")).map(([k, v]) => `{${k}: ${v}}`),
  ),
})).expr;

describe("properties", () => {
  it("prints what parses back to the same text", () => {
    fc.assert(
      fc.property(source, (text) => {
        const printed = printCel(parse(text));
        expect(printCel(parse(printed))).toBe(printed);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is total on any text", () => {
    const soup = fc.string({
      unit: fc.constantFrom(..."ab01.?:()[]{}!-+*/%<>=&|,\"'\\ rx\n`_", "in", "true", "has(", "all(", "😀", "\ud800"),
      maxLength: 40,
    });
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: "binary" })), (text) => {
        const parsed = parseCel(text);
        if (parsed.ok) return;
        for (const issue of parsed.issues) {
          expect(issue.offset).toBeGreaterThanOrEqual(0);
          expect(issue.offset).toBeLessThanOrEqual(text.length);
          expect(issue.message).not.toMatch(/\n|undefined/);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
