import { describe, expect, it } from "vitest";
import type { Expr } from "./ast.ts";
import { checkCel } from "./check.ts";
import { explainCel } from "./explain.ts";
import { parseCel } from "./parser.ts";
import { type CelEnv, DYN, STRINGS } from "./types.ts";

const ENV: CelEnv = {
  variables: {
    args: {
      kind: "object",
      open: false,
      fields: {
        amount: { kind: "int" },
        currency: { kind: "string" },
        to: STRINGS,
        items: { kind: "list", item: { kind: "object", open: false, fields: { price: { kind: "double" } } } },
        extra: { kind: "object", open: true, fields: {} },
      },
    },
    context: { kind: "map", value: { kind: "string" } },
    now: { kind: "timestamp" },
    any: DYN,
  },
};

function parse(source: string): Expr {
  const parsed = parseCel(source);
  if (!parsed.ok) throw new Error(`${source}: ${parsed.issues[0]?.message}`);
  return parsed.expr;
}

describe("check", () => {
  it.each([
    ['args.amount > 0 && args.currency == "usd"', "bool"],
    ["args.amount + 1", "int"],
    ["args.amount * 1.5", "double"],
    ["args.items.map(i, i.price)", "list"],
    ["args.items.all(i, i.price > 0) || has(args.extra.x)", "bool"],
    ["args.extra.anything.at.all", "dyn"],
    ["context.tenant", "string"],
    ['now.getHours("+01:00") + now.getMinutes("UTC")', "int"],
    ["now + duration('1h')", "timestamp"],
    ["any == 5 && any == 'a' && any.f(x, y)".slice(0, 23), "bool"],
    ["type(any) == google.protobuf.Timestamp", "bool"],
    ["args.?currency.orValue('usd') == 'usd'", "bool"],
    ["args.currency == null", "bool"],
    ["{1: 1, 2: 4}.all(key, key * 2 > 1)", "bool"],
    ["{'a': 1}.all(key, key.size() > 0)", "bool"],
    ["args.amount == 1.0 && args.amount in [1.0, 2]", "bool"],
  ])("%s is %s", (source, kind) => {
    const checked = checkCel(parse(source), ENV);
    expect(checked.issues).toEqual([]);
    expect(checked.type.kind).toBe(kind);
  });

  it.each([
    ["amount > 0", { code: "unknown-variable", offset: 0, length: 6, suggestion: "args.amount" }],
    ["arg.amount > 0", { code: "unknown-variable", suggestion: "args" }],
    [
      "args.amonut > 0",
      {
        code: "unknown-field",
        offset: 5,
        length: 6,
        suggestion: "amount",
        message: "unknown field `args.amonut`: did you mean `amount`?",
      },
    ],
    ['args["curency"] == "usd"', { code: "unknown-field", suggestion: "currency" }],
    ["has(args.amonut)", { code: "unknown-field", suggestion: "amount" }],
    ["args.items.all(i, i.prise > 0)", { code: "unknown-field", suggestion: "price" }],
    ['args.currency.startswith("u")', { code: "unknown-function", offset: 14, length: 10, suggestion: "startsWith" }],
    ["args.constructor", { code: "unknown-field" }],
    ["constructor == 1", { code: "unknown-variable" }],
    ["args.currency.toString()", { code: "unknown-function" }],
    [
      "lowerAscii(args.currency) == 'a'",
      { code: "wrong-type", message: "`lowerAscii` is written `string.lowerAscii()`" },
    ],
    [
      "args.amount.contains('1')",
      { code: "wrong-type", message: "`contains` takes `string.contains(string)`, and was given an int, a string" },
    ],
    ['args.amount == "5"', { code: "wrong-type" }],
    ['args.amount in ["5"]', { code: "wrong-type" }],
    [
      'args.currency in "usd"',
      {
        code: "wrong-type",
        message:
          "`in` needs a list or a map on its right, not a string: for a part of a text write `text.contains(part)`",
      },
    ],
    ['args.amount < "5"', { code: "wrong-type" }],
    ["args.to < args.to", { code: "wrong-type" }],
    ['args.amount + "5" == "a"', { code: "wrong-type" }],
    ["args.amount && true", { code: "wrong-type" }],
    ["!args.currency", { code: "wrong-type" }],
    ["-args.currency == 1", { code: "wrong-type" }],
    ["args.amount ? true : false", { code: "wrong-type" }],
    ["args.amount.all(x, true)", { code: "wrong-type" }],
    ["args.to.all(x, x)", { code: "wrong-type" }],
    ["args.currency.field == 1", { code: "wrong-type" }],
    ["args.to[args.currency] == 'a'", { code: "wrong-type" }],
    ["args.amount[0] == 1", { code: "wrong-type" }],
    ['now.getHours("Europe/Zurich") > 8', { code: "not-available" }],
    ['args.currency.matches("(")', { code: "invalid-pattern" }],
    ["args.currency.matches(args.currency)", { code: "invalid-pattern" }],
  ])("%s is refused", (source, issue) => {
    expect(checkCel(parse(source), ENV).issues).toEqual([expect.objectContaining(issue)]);
  });

  it("lists the paths that are read, and which of them are only asked for", () => {
    const source =
      'has(args.extra.a) && args.extra["b"].c == 1 && args.items.all(args, args.price > 0) && args.items[0].price > 1 && args.?amount.hasValue() && context.tenant == "t" && has(args.currency) && args.currency == "x"';
    const { reads, tests } = checkCel(parse(source), ENV);
    expect(reads.map((path) => path.join(".")).toSorted()).toEqual([
      "args.amount",
      "args.currency",
      "args.extra.a",
      "args.extra.b.c",
      "args.items",
      "context.tenant",
    ]);
    expect(tests).toEqual([
      ["args", "extra", "a"],
      ["args", "amount"],
    ]);
  });
});

it("a leading dot reads past a macro variable of the same name", () => {
  const { reads } = checkCel(parse("args.items.all(args, args.price > 0 && .args.amount > 0)"), ENV);
  expect(reads).toEqual([
    ["args", "items"],
    ["args", "amount"],
  ]);
});

describe("explain", () => {
  it("lists the parts with their values, in source order, without literals", () => {
    const expr = parse(
      'args.amount > 0 && (args.currency == "eur" || !args.to.exists(t, t.endsWith("@acme.com"))) && args.missing > 1',
    );
    const vars = { args: { amount: 4999, currency: "usd", to: ["a@b.c"] } };
    expect(explainCel(expr, ENV, vars)).toEqual([
      { text: "args.amount > 0", value: true },
      { text: "args.amount", value: 4999 },
      { text: 'args.currency == "eur"', value: false },
      { text: "args.currency", value: "usd" },
      { text: 'args.to.exists(t, t.endsWith("@acme.com"))', value: false },
      { text: "args.to", value: ["a@b.c"] },
      { text: "args.missing > 1", value: { error: "no such field `args.missing`" } },
      { text: "args.missing", value: { error: "no such field `args.missing`" } },
    ]);
  });

  it("shows what JSON cannot hold as text, and survives hostile names", () => {
    const vars = { args: { amount: 1, extra: JSON.parse('{"__proto__": {"polluted": true}}') as object } };
    const [part] = explainCel(parse("args.extra"), ENV, vars);
    expect(JSON.stringify(part?.value)).toBe('{"__proto__":{"polluted":true}}');
    expect(explainCel(parse("9007199254740993 + 0 == 1"), ENV, {})[1]?.value).toBe("9007199254740993");
  });
});
