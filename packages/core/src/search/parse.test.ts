import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SafeRunError } from "../errors.ts";
import { parseQuery } from "./parse.ts";
import { fits } from "./query.ts";
import { SEARCH_FIELDS } from "./term.ts";

const NOW = Date.UTC(2026, 10, 22, 12);
const parse = (text: string) => parseQuery(text, NOW);

function problem(text: string): { message: string; column: unknown; suggestion: unknown } {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof SafeRunError) || error.code !== "query.invalid") throw error;
    return { message: error.message, column: error.details.column, suggestion: error.details.suggestion };
  }
  throw new Error(`\`${text}\` is a query`);
}

describe("parseQuery", () => {
  it("[L4~] reads fields, arguments, times, words and phrases", () => {
    expect(parse('tool:stripe.* verdict:deny args.amount>50000 "Duplicate charge" refund*')).toEqual({
      kind: "and",
      of: [
        { kind: "name", field: "tool", pattern: { pieces: ["stripe.", ""] } },
        { kind: "name", field: "verdict", pattern: { exact: "deny" } },
        { kind: "argument", path: ["amount"], test: { kind: "number", test: { operator: ">", value: 50_000 } } },
        { kind: "text", words: ["duplicate", "charge"], prefix: false },
        { kind: "text", words: ["refund"], prefix: true },
      ],
    });
    expect(parse("env:prod run:run_01* step>=3 entry:17")).toMatchObject({
      of: [
        { field: "environment" },
        { kind: "id", field: "run", prefix: true, value: "run_01" },
        { kind: "step", test: { operator: ">=", value: 3 } },
        { kind: "entry", test: { operator: "=", value: 17 } },
      ],
    });
    expect(parse("since:7d")).toEqual({ kind: "time", from: NOW - 7 * 86_400_000, to: Number.POSITIVE_INFINITY });
    expect(parse("until:2026-11-22")).toEqual({ kind: "time", from: 0, to: Date.UTC(2026, 10, 22) });
    expect(parse("until:2026-11-22T08:40:00+01:00")).toMatchObject({ to: Date.UTC(2026, 10, 22, 7, 40) });
    expect(parse("  ")).toEqual({ kind: "all" });
  });

  it("OR binds weaker than the terms beside it, - excludes a term or a group", () => {
    expect(parse("a b OR -c")).toMatchObject({
      kind: "or",
      of: [
        { kind: "and", of: [{ words: ["a"] }, { words: ["b"] }] },
        { kind: "not", of: { words: ["c"] } },
      ],
    });
    expect(parse("-(a OR b) c")).toMatchObject({
      kind: "and",
      of: [{ kind: "not", of: { kind: "or" } }, { words: ["c"] }],
    });
    expect(parse("or")).toMatchObject({ words: ["or"] });
    expect(parse('"OR"')).toMatchObject({ words: ["or"] });
  });

  it("a value in quotes is a text, whatever it looks like", () => {
    expect(parse("args.id:17")).toMatchObject({ test: { kind: "equal", values: [17, "17"] } });
    expect(parse('args.id:"17"')).toMatchObject({ test: { kind: "equal", values: ["17"] } });
    expect(parse('args.lines[].note:"a \\"b\\" \\\\ * c"')).toMatchObject({
      path: ["lines", "[]", "note"],
      test: { kind: "equal", values: ['a "b" \\ * c'] },
    });
    expect(parse("args.on:true args.off:null args.any:* args.mail:*@acme.com")).toMatchObject({
      of: [
        { test: { values: [true, "true"] } },
        { test: { values: [null, "null"] } },
        { test: { kind: "present" } },
        { test: { kind: "pattern", pattern: { pieces: ["", "@acme.com"] } } },
      ],
    });
  });

  it.each([
    ["tol:x", 1, "query:1:1: unknown field `tol`; did you mean `tool`?", "tool"],
    ["a verdict:denny", 11, "query:1:11: no verdict is called `denny`; did you mean `deny`?", "deny"],
    ["type:call.decide", 6, "query:1:6: no type is called `call.decide`; did you mean `call.decided`?", "call.decided"],
    ["verdict:maybe", 9, "query:1:9: no verdict is called `maybe`; one of allow, deny, pause", undefined],
    ["https://x.y", 1, "query:1:1: unknown field `https`; to look for the text itself, put it in quotes", undefined],
    ["args.amount>lots", 13, "query:1:13: `args.amount>` needs a number, not `lots`", undefined],
    ["args>1", 1, "query:1:1: `args` is no path: write `args.amount`, `args.lines[].amount`", undefined],
    ["tool>x", 1, "query:1:1: `tool` is no number: write `tool:…`", undefined],
    [
      "since:yesterday",
      7,
      "query:1:7: `yesterday` is no time: write `7d`, `2026-11-22` or `2026-11-22T08:40:00Z`",
      undefined,
    ],
    [
      "since:2026-02-30",
      7,
      "query:1:7: `2026-02-30` is no time: write `7d`, `2026-11-22` or `2026-11-22T08:40:00Z`",
      undefined,
    ],
    ["run:a*b", 5, "query:1:5: in `run` `*` can only stand at the end", undefined],
    ["re*fund", 1, "query:1:1: in a word `*` can only stand at the end: `refund*`", undefined],
    ['"?!"', 1, "query:1:1: `?!` has no letter or digit to look for", undefined],
    ['a "b', 3, "query:1:3: a quote that is not closed", undefined],
    ["(a", 1, "query:1:1: a `(` that is not closed", undefined],
    ["a)", 2, "query:1:2: a `)` without a `(` before it", undefined],
    ["()", 2, "query:1:2: nothing before `)`", undefined],
    ["a OR", 5, "query:1:5: `OR` needs a term on both sides", undefined],
    ["- a", 1, "query:1:1: `-` without a term behind it: write `-verdict:allow`, or quote it", undefined],
    ["tool:", 1, "query:1:1: `tool:` without a value", undefined],
    [":x", 1, "query:1:1: `:` without a field before it", undefined],
  ])("says what is wrong with %s and where", (text, column, message, suggestion) => {
    expect(problem(text)).toEqual({ message, column, suggestion });
  });

  it("knows no other error, whatever it is given, and none for hostile sizes", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "(",
        ")",
        "-",
        " ",
        "OR",
        '"',
        "*",
        "\\",
        ":",
        ">=",
        "<",
        "=",
        "args.",
        "[]",
        "since:",
        "7d",
        "1e999",
      ),
      fc.constantFrom(...SEARCH_FIELDS),
      fc.string({ unit: "binary", maxLength: 5 }),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join("")),
        (text) => {
          try {
            parse(text);
          } catch (error) {
            expect(error).toBeInstanceOf(SafeRunError);
            expect(error).toMatchObject({ code: "query.invalid", message: expect.stringMatching(/^query:1:\d+: \S/) });
          }
        },
      ),
      { numRuns: 2_000 },
    );
    expect(problem("(".repeat(4_000)).message).toContain("more than 32 groups");
    expect(problem("-".repeat(4_000)).message).toContain("more than 32 groups");
    expect(problem("a".repeat(5_000)).message).toContain("more than 4096 characters");
  });
});

describe("fits", () => {
  it("is a pattern of any characters between its pieces", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a", "b", "*"), { maxLength: 8 }),
        fc.string({ unit: fc.constantFrom("a", "b") }),
        (pattern, text) => {
          const pieces = pattern.join("").split("*");
          const expected = new RegExp(`^${pattern.map((one) => (one === "*" ? ".*" : one)).join("")}$`).test(text);
          expect(fits(pieces.length === 1 ? { exact: pieces[0] ?? "" } : { pieces }, text)).toBe(expected);
        },
      ),
    );
  });
});
