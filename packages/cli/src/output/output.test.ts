import type { Json } from "@saferun/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { counted } from "./counted.ts";
import { printable, printableJson, printableLines, short } from "./printable.ts";
import { createStyle } from "./style.ts";
import { table } from "./table.ts";
import { treeLines } from "./tree.ts";

describe("a number with its word", () => {
  it("is one thing, or several", () => {
    expect([0, 1, 2].map((count) => counted(count, "step"))).toEqual(["0 steps", "1 step", "2 steps"]);
    expect(counted(2, "entry", "entries")).toBe("2 entries");
  });
});

describe("printable", () => {
  it("lets nothing through that a terminal obeys or a person cannot see (traps 23 and 27)", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const shown = printable(text);
        expect(shown).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/u);
        expect(shown.isWellFormed()).toBe(true);
      }),
    );
  });

  it("writes out what it hides", () => {
    expect(printable("a\u202eb\u001b[2J\n\u200b\ufe0f")).toBe("a\\u{202e}b\\u{1b}[2J\\n\\u{200b}\\u{fe0f}");
    expect(printable("Grüße, 東京 👍")).toBe("Grüße, 東京 👍");
    expect(short("abcdef", 4)).toBe("abc…");
    expect(printableLines("a\u009b\nb\r")).toBe("a\\u{9b}\nb\\u{d}");
  });

  it("writes JSON that is the same JSON and drives no terminal (traps 23 and 27)", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (value, text) => {
        const json = printableJson(JSON.stringify({ value, text }, null, 2));
        expect(json).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ value, text })));
      }),
    );
  });
});

describe("treeLines", () => {
  it("shows every value whole, whatever comes first (trap 14)", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.jsonValue()),
        fc.array(fc.string()),
        (args, first) => {
          const lines = treeLines(args as Json, { first }).join("\n");
          for (const value of leaves(args as Json)) expect(lines).toContain(printable(JSON.stringify(value)));
          expect(treeLines(args as Json).toSorted()).toEqual(treeLines(args as Json, { first }).toSorted());
        },
      ),
    );
  });

  it("orders and marks", () => {
    const args = { customer: "c", amount: 5, list: [{ a: 1 }, []], none: {} };
    const remark = (path: string) => (path === "list[0].a" ? "←" : "");
    expect(treeLines(args, { first: ["amount"], remark })).toEqual([
      "  amount    5",
      '  customer  "c"',
      "  list",
      "    [0]",
      "      a  1  ←",
      "    [1]  []",
      "  none      {}",
    ]);
    expect(treeLines({})).toEqual(["  (no arguments)"]);
  });

  it("no key can look like a key with its value, an index or a word of ours (trap 27)", () => {
    expect(treeLines({ amount: 9, "amount  1": 2, "[0]": 3, "(no arguments)": 4, Größe_1: 5 })).toEqual([
      "  amount            9",
      '  "amount  1"       2',
      '  "[0]"             3',
      '  "(no arguments)"  4',
      "  Größe_1           5",
    ]);
  });
});

function leaves(value: Json): Json[] {
  if (typeof value !== "object" || value === null) return [value];
  return Object.values(value).flatMap((inner) => leaves(inner as Json));
}

describe("table, style", () => {
  it("lines up columns whatever their colours", () => {
    const { bad } = createStyle(true);
    expect(
      table([
        ["a", "b"],
        [bad("long"), "c"],
      ]),
    ).toEqual(["a     b", `${bad("long")}  c`]);
    expect(
      table([
        ["東京", "b"],
        ["long", "c"],
      ]),
    ).toEqual(["東京  b", "long  c"]);
    expect(createStyle(false).bad("x")).toBe("x");
  });
});
