/**
 * Expressions with the variables that they read, made from the grammar: mostly well typed, now and then a value of another
 * kind in a place. An int never meets a double in arithmetic: there conditions are wider than CEL on purpose.
 */
import fc from "fast-check";

export interface Variables {
  readonly i: number;
  readonly d: number;
  readonly s: string;
  readonly b: boolean;
  readonly l: readonly number[];
  readonly w: readonly string[];
  readonly m: Readonly<Record<string, number>>;
}

export interface Case {
  readonly source: string;
  readonly variables: Variables;
}

const text = fc.string({ unit: fc.constantFrom(..."abcAB1 .-_/"), maxLength: 6 });
const whole = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom(0, 1, 63, -2147483648, 9007199254740991, -9007199254740991),
);
const part = fc.integer({ min: -40, max: 40 }).map((quarters) => quarters / 4 + 0.125);

const variables: fc.Arbitrary<Variables> = fc.record({
  i: whole,
  d: part,
  s: text,
  b: fc.boolean(),
  l: fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 4 }),
  w: fc.array(text, { maxLength: 3 }),
  m: fc.dictionary(fc.constantFrom("a", "b", "c"), fc.integer({ min: -3, max: 3 }), { maxKeys: 3 }),
});

function quoted(value: string): string {
  return JSON.stringify(value);
}

/** `template` with each `$` replaced by one of `parts`, in order. */
function shape(template: string, ...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  const pieces = template.split("$");
  return fc.tuple(...parts).map((made) => pieces.map((piece, index) => piece + (made[index] ?? "")).join(""));
}

const INT_TEXTS = [..."0123457", "-1", "-2", "9223372036854775807", "-9223372036854775807"];
const DOUBLE_TEXTS = ["0.0", "1.5", "-2.25", "1e3", "0.125", "1e308", "-0.0"];

/** Now and then a value of a kind that the place does not take, or a name that nothing has. */
function odd(usual: string): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom("dyn([1])", 'dyn({"a": 1})', "missing") },
  );
}

const grammar = fc.letrec<Record<"bool" | "int" | "uint" | "double" | "text" | "ints" | "texts" | "map", string>>(
  (tie) => {
    const bool = tie("bool");
    const int = tie("int");
    const uint = tie("uint");
    const double = tie("double");
    const string = tie("text");
    const ints = tie("ints");
    const texts = tie("texts");
    const map = tie("map");
    const order = fc.constantFrom("<", "<=", ">", ">=", "==", "!=");
    const sum = fc.constantFrom("+", "-", "*", "/", "%");
    const some = { depthSize: "small", withCrossShrink: true } as const;
    return {
      bool: fc.oneof(
        some,
        fc.constantFrom("true", "false", "b"),
        shape("($ && $)", bool, bool),
        shape("($ || $)", bool, bool),
        shape("!($)", bool),
        shape("($ $ $)", int, order, int),
        shape("($ $ $)", uint, order, uint),
        shape("($ $ $)", double, order, double),
        shape("($ $ $)", string, order, string),
        shape("($ == $)", ints, ints),
        shape("($ != $)", map, map),
        shape("($ in $)", int, ints),
        shape("($ in $)", string, texts),
        shape("($ in $)", string, map),
        shape("$.all(x, $ $ x)", ints, int, order),
        shape("$.exists(x, 6 / x $ $)", ints, order, int),
        shape("$.exists_one(x, x $ $)", ints, order, int),
        shape("$.all(t, t.startsWith($))", texts, string),
        shape("$.exists(k, k == $)", map, string),
        shape("has($.a)", map),
        shape("$.contains($)", string, string),
        shape("$.startsWith($)", string, string),
        shape("$.endsWith($)", string, string),
        shape(
          '$.matches(r"$")',
          string,
          fc.constantFrom("^a", "b+$", "[a-c]{2}", "a|1", "^$", "(ab)*c", "\\\\.", "(?i)A"),
        ),
        shape("($ ? $ : $)", bool, bool, bool),
        odd("b"),
      ),
      int: fc.oneof(
        some,
        fc.constantFrom("i", ...INT_TEXTS),
        shape("($ $ $)", int, sum, int),
        shape("-($)", int),
        shape("size($)", string),
        shape("size($)", ints),
        shape("$.size()", map),
        shape("$[$]", ints, int),
        shape("$.a", map),
        shape("$[$]", map, string),
        shape("int($)", fc.constantFrom('"12"', '"-7"', '"1.5"', '"abc"', '"9223372036854775808"')),
        shape("int($)", double),
        shape("int($)", uint),
        shape("($ ? $ : $)", bool, int, int),
        odd("i"),
      ),
      uint: fc.oneof(
        some,
        fc.constantFrom("0u", "1u", "7u", "4294967296u"),
        shape("($ $ $)", uint, sum, uint),
        shape("uint($)", int),
        shape("uint($)", double),
      ),
      double: fc.oneof(
        some,
        fc.constantFrom("d", ...DOUBLE_TEXTS),
        shape("($ $ $)", double, fc.constantFrom("+", "-", "*", "/"), double),
        shape("-($)", double),
        shape("double($)", int),
        shape("double($)", fc.constantFrom('"1.5"', '"-2"', '"1e3"')),
      ),
      text: fc.oneof(
        some,
        fc.constantFrom("s"),
        text.map(quoted),
        shape("($ + $)", string, string),
        shape("string($)", int),
        shape("string($)", uint),
        shape("string($)", bool),
        shape("$[$]", texts, int),
        shape("$.lowerAscii()", string),
        shape("$.upperAscii()", string),
        shape("$.trim()", string),
        shape("$.replace($, $)", string, text.filter((part) => part !== "").map(quoted), string),
        shape("$.join($)", texts, string),
        shape("$.substring($)", string, fc.constantFrom("0", "1", "3", "-1")),
        shape("($ ? $ : $)", bool, string, string),
        odd("s"),
      ),
      ints: fc.oneof(
        some,
        fc.constantFrom("l", "[]", "[1, 2]"),
        shape("[$, $]", int, int),
        shape("($ + $)", ints, ints),
        shape("$.filter(y, y $ $)", ints, order, int),
        shape("$.map(y, y * $)", ints, int),
        shape("$.map(y, y > $, y + 1)", ints, int),
      ),
      texts: fc.oneof(
        some,
        fc.constantFrom("w", '["a", "b"]'),
        shape("[$, $]", string, string),
        shape("$.map(v, v + $)", texts, string),
        shape("$.split($)", string, text.filter((part) => part !== "").map(quoted)),
        shape("$.map(k, k)", map),
      ),
      map: fc.oneof(some, fc.constantFrom("m", "{}", '{"a": 1}'), shape("{$: $, $: $}", string, int, string, int)),
    };
  },
);

export const cases: fc.Arbitrary<Case> = fc.record({
  source: fc.oneof(grammar.bool, grammar.int, grammar.double, grammar.uint, grammar.text, grammar.ints, grammar.texts),
  variables,
});
