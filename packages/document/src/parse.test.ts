import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePolicyFile } from "./parse.ts";

function messages(text: string): string[] {
  return parsePolicyFile(text, "p.yaml").issues.map(
    ({ line, column, code, message }) => `${line}:${column} ${code} ${message}`,
  );
}

describe("parsePolicyFile", () => {
  it("keeps places through CRLF, a byte order mark, quotes and blocks", () => {
    const { tree, issues } = parsePolicyFile('\uFEFFa: x\r\n"b" : "y"\r\nc: |\r\n    one\r\n    two\r\n', "p.yaml");
    expect(issues).toEqual([]);
    expect(tree?.root).toMatchObject({
      kind: "map",
      entries: [
        { key: "a", keySpan: { line: 1, column: 1 }, value: { value: "x", span: { line: 1, column: 4 } } },
        { key: "b", keySpan: { line: 2, column: 1 }, value: { value: "y", segments: [{ line: 2, column: 8 }] } },
        {
          key: "c",
          value: {
            value: "one\ntwo\n",
            segments: [
              { offset: 0, line: 4, column: 5 },
              { offset: 4, line: 5, column: 5 },
            ],
          },
        },
      ],
    });
  });

  it("[P1~] refuses what YAML offers for saying one thing in two ways (trap 10, trap 13)", () => {
    expect(messages("a: &x 1\nb: *x\n")).toEqual([
      "1:7 yaml-anchor the anchor `&x` is not allowed; write each value out",
      "2:4 yaml-alias the alias `*x` is not allowed; write it out",
    ]);
    expect(messages("<<: { a: 1 }\n")).toEqual([
      "1:1 yaml-merge the merge key `<<` is not allowed; write the keys out",
    ]);
    expect(messages("a: 1\nb: 2\na: 3\n")).toEqual(["3:1 duplicate-key the key `a` stands there twice; keep one"]);
    expect(messages('a: 1\n"a": 3\n')).toEqual(["2:1 duplicate-key the key `a` stands there twice; keep one"]);
    expect(messages("a: !!str 1\n")).toEqual([
      "1:4 yaml-tag `!!str` is not allowed; the format knows what each key is",
    ]);
    expect(messages("1: a\n")).toEqual(["1:1 yaml-key a key must be a text; put it in quotes"]);
    expect(messages("? [a]\n: 1\n")).toEqual(["1:3 yaml-key a key must be a text; put it in quotes"]);
    expect(messages("%YAML 1.1\n---\na: no\n")).toEqual([
      "1:1 yaml-directive a `%YAML` directive is not allowed; the format is YAML 1.2",
    ]);
    expect(messages("a: 1\n---\nb: 2\n")[0]).toMatch(/^\d:\d yaml-documents a second YAML document begins here/);
  });

  it("[P1~] names YAML's own traps", () => {
    expect(messages("when: !has(args.x)\n")).toEqual([
      "1:7 yaml-tag `!has(args.x)` is read as a tag, because an unquoted `!` begins one in YAML; put the text in quotes",
    ]);
    expect(messages('when: "a" == args.x\n')[0]).toContain("put the whole text in quotes");
    expect(messages("when: args.x == 'a: b' && c: d\n")[0]).toContain("put the text in quotes");
    expect(messages("a:\n\t- b\n")[0]).toContain("a tab stands where the indentation is");
  });

  it("refuses an empty file and one of comments only (trap 5)", () => {
    for (const text of ["", "\n", "# only words\n", "---\n"]) expect(messages(text)).toHaveLength(1);
  });

  it("refuses characters that show a reviewer another text than the one that decides (trap 10)", () => {
    expect(messages("a: x\u202ey\n")).toEqual([
      "1:5 hidden-character the invisible character U+202E is not allowed; remove it",
    ]);
    expect(messages("a: x\u0000y\n")[0]).toContain("U+0000");
    expect(messages("a: pay\u200bee\n")[0]).toContain("U+200B");
  });

  it("bounds size, nesting and keys (trap 13)", () => {
    expect(messages(`a: ${"[".repeat(100)}${"]".repeat(100)}\n`)[0]).toContain("nested deeper than 64 levels");
    expect(messages(`a: ${"[".repeat(200_000)}`)).not.toEqual([]);
    expect(messages(`a: ${"x".repeat(5_000_000)}`)).toEqual(["1:1 limit the file is larger than 4194304 bytes"]);
  });

  it("is total: any text gives a tree or an issue (fast-check)", () => {
    const piece = fc.constantFrom(
      "a",
      ":",
      " ",
      "\n",
      "-",
      "[",
      "]",
      "{",
      "}",
      '"',
      "'",
      "#",
      "&x",
      "*x",
      "!",
      "|",
      ">",
      "\t",
      "? ",
      "%",
      "---",
      "\r\n",
      "\uFEFF",
      "\uD800",
      "<<: ",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const { tree, issues } = parsePolicyFile(pieces.join(""), "p.yaml");
        expect(tree !== undefined || issues.length > 0).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
