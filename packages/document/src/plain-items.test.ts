import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePolicyFile } from "./parse.ts";
import { findPlainItems } from "./plain-items.ts";
import { SourceText } from "./source-text.ts";
import { readYaml } from "./yaml-text.ts";

const source = (text: string) => new SourceText(text, "p.yaml");
const whole = (text: string) => readYaml(source(text));

/** How many items the package never saw; 0 where the file had to be read as a whole. */
function quickItems(text: string): number {
  const plain = findPlainItems(source(text));
  if (plain === undefined) return 0;
  const { tree, issues } = readYaml(source(text), plain);
  if (tree === undefined || issues.length > 0 || plain.left) return 0;
  // What is taken is given once: a second reading of the same outline shows the placeholders.
  return countMaps(tree.root) - countMaps(readYaml(source(plain.outline)).tree?.root);
}

function countMaps(node: unknown): number {
  return JSON.stringify(node ?? null).split('"kind":"map"').length - 1;
}

const RULE = '  - id: a\n    when: args.x > 1 && args.y == "z"\n    then: deny\n';

describe("plain items", () => {
  it.each([
    ["rules as they are written", `rules:\n${RULE}${RULE}`, 2],
    ["empty lines and comments between them", `rules:\n${RULE}\n\n${RULE}  # a word\n${RULE}# another\ntests: []\n`, 3],
    ["lists without indentation", "rules:\n- id: a\n  then: deny\n- id: b\nname: x\n", 2],
    [
      "quotes of both kinds",
      `rules:\n  - a: "x: y # \\"z\\" \\\\"\n    b: 'it''s: # "'\n    c: "a\u00e9\ud83d\ude00"\n`,
      1,
    ],
    ["an item that is not plain between two that are", `rules:\n${RULE}  - id: b\n    tool: [x, y]\n${RULE}`, 2],
    ["lists in lists, and lists in maps", "a:\n  -\n    - x: b\n      y: c\n  - z:\n      - x: d\n", 2],
    ["the end of the text right behind them", "rules:\n  - id: a\n    then: deny\n", 1],
    ["a directive's end before them", `---\nrules:\n${RULE}`, 1],
  ])("reads %s by themselves, to the same tree", (_what, text, count) => {
    expect(quickItems(text)).toBe(count);
    expect(parsePolicyFile(text, "p.yaml")).toEqual(whole(text));
    expect(whole(text).issues).toEqual([]);
  });

  it.each([
    ["in a block text", `a: |\n${RULE}`],
    ["in a folded text with a line of its own before", `a: >-\n  words\n${RULE}b: c\n`],
    ["in a text over lines", `a: words\n${RULE}`],
    ["in a quoted text over lines", `a: "words\n${RULE}  end"\n`],
    ["in a text in single quotes over lines", `a: 'words\n${RULE}  end'\n`],
    ["in a flow list", `a: [\n${RULE}]\n`],
    ["in a flow map", `a: {\n${RULE}}\n`],
    ["as a key", `? \n${RULE}: x\n`],
    ["behind an anchor", `a:\n  - &x\n    b\n  - &y\n${RULE}`],
    ["behind a tag", `a: !!seq\n${RULE}`],
    ["in a second document", `a: b\n---\nrules:\n${RULE}`],
    ["before a second document", `rules:\n${RULE}---\na: b\n`],
    ["behind an indentation that does not fit", `rules:\n    - a: b\n${RULE}`],
    ["with a deeper line behind it", `rules:\n${RULE}      more\n`],
    ["with a deeper line behind an empty line and a comment", `rules:\n${RULE}\n # x\n    more: y\n`],
    ["with a tab behind it", `rules:\n${RULE}\tmore\n`],
    ["with a tab inside", "rules:\n  - id: a\tb\n    then: deny\n"],
    ["with a list behind it that is not indented", `rules:\n${RULE}- x\n`],
    ["with the same key twice", "rules:\n  - id: a\n    id: b\n"],
    ["with a key that is no text", "rules:\n  - null: a\n    True: b\n"],
    [
      "with values that are no texts",
      "rules:\n  - a: null\n  - a: TRUE\n  - a: 1\n  - a: .inf\n  - a: ~\n  - a: 0x1f\n",
    ],
    ["with a map in a text", "rules:\n  - a: b: c\n"],
    ["with a key in a text", "rules:\n  - a: b:\n"],
    ["with a comment behind a text", "rules:\n  - a: b # c\n    when: x #W1\n"],
    ["with spaces behind a text", "rules:\n  - a: b \n"],
    ["with an alias, an anchor and a tag", "rules:\n  - a: &x b\n    b: *x\n    c: !!str d\n"],
    ["with escapes that JSON does not have", 'rules:\n  - a: "\\x41\\e\\_\\u0041"\n'],
    ["with an escaped line break", 'rules:\n  - a: "b\\\n    c"\n'],
    ["with a quote that stays open", 'rules:\n  - a: "b\n  - c: d\n'],
    ["with text behind the quote", 'rules:\n  - a: "b" == c\n'],
    ["with CRLF", `rules:\n${RULE}`.replaceAll("\n", "\r\n")],
    ["without a line break at the end", "rules:\n  - id: a\n    then: deny"],
    ["with many keys", `rules:\n  - a: b\n${Array.from({ length: 99 }, (_, at) => `    k${at}: b\n`).join("")}`],
    ["a merge key", "rules:\n  - <<: a\n"],
    [
      "deeper than a file may be nested",
      `${Array.from({ length: 63 }, (_, at) => `${" ".repeat(at)}a:\n`).join("")}${" ".repeat(63)}- b: c\n`,
    ],
  ])("reads what looks like an item %s as the whole file says it", (_what, text) => {
    const expected = whole(text);
    expect(parsePolicyFile(text, "p.yaml")).toEqual(expected);
  });

  it("[P1~] gives the tree and the issues of the whole file, whatever it holds (fast-check)", () => {
    let quick = 0;
    fc.assert(
      fc.property(lines, (text) => {
        expect(parsePolicyFile(text, "p.yaml")).toEqual(whole(text));
        quick += quickItems(text) > 0 ? 1 : 0;
      }),
      { numRuns: 1_500 },
    );
    // Were it never quick, nothing would have been compared.
    expect(quick).toBeGreaterThan(150);
  });
});

const value = fc.oneof(
  { weight: 15, arbitrary: fc.constantFrom("x", "args.a > 1", '"q"', "'s'", "a b", '"it\\"s: #"', "'it''s'", "y-") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...'null|True|1|-|- x|[a, b]|{ a: b }|[|]|{|}|"|\'|a: b|a:|x #c|#|&a|*a|!t x|\\||>-|\\|2|?|? x|: x|x |"a\\n"|%|@|`|\tx|x\t|---|...|<<|0|,|\u00a0|\u2028x'.split(
        "|",
      ),
      "|",
      "|+",
      "",
      "x\r",
      '"a" b',
    ),
  },
);
const start = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("- a: ", "- b: ", "a: ", "b: ", "c: ", "rules:\n", "- ") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "# ",
      "- - a: ",
      "? ",
      "- ? a\n",
      ": ",
      "a:",
      "-",
      "\t- a: ",
      "<<: ",
      "null: ",
      "---\n",
      "...\n",
      "&x ",
      "\n",
    ),
  },
);
const indent = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("", "  ", "    ") },
  { weight: 1, arbitrary: fc.constantFrom(" ", "   ", "      ", "\t") },
);
const line = fc.tuple(indent, start, value).map((parts) => parts.join(""));
/** Mostly items as they should be, with anything between them. */
const rule = fc
  .tuple(fc.constantFrom("", "  ", "    "), fc.array(value, { minLength: 1, maxLength: 3 }))
  .map(([spaces, values]) => values.map((text, at) => `${spaces}${at === 0 ? "- " : "  "}k${at}: ${text}`).join("\n"));
const lines = fc
  .array(
    fc.oneof({ weight: 4, arbitrary: rule }, { weight: 1, arbitrary: line }, { weight: 1, arbitrary: fc.constant("") }),
    { maxLength: 8 },
  )
  .chain((all) => fc.constantFrom("\n", "\n", "\n", "\n", "\r\n").map((end) => `${all.join(end)}${end}`));
