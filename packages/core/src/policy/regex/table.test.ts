import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Visited } from "./closure.ts";
import { compilePattern, createMatcher, type Pattern, simulate } from "./match.ts";
import { buildTable, MAX_BUILDING, MAX_ENTRIES, runTable, type Table } from "./table.ts";

const ENOUGH = 1_000_000;

function read(source: string): Pattern {
  const compiled = compilePattern(source);
  if (!compiled.ok) throw new Error(compiled.issue.message);
  return compiled.pattern;
}

function tableOf(source: string): Table {
  const { program, anchored } = read(source);
  const table = buildTable(program, anchored);
  if (table === null) throw new Error(`no table for ${source}`);
  return table;
}

/** Undefined where the table does not know a character. */
function byTable(source: string, text: string, work = ENOUGH): boolean | null | undefined {
  return runTable(tableOf(source), text, work, () => {});
}

function byMachine(source: string, text: string): boolean | null {
  return simulate(read(source), text, ENOUGH, () => {});
}

const atom = fc.constantFrom(
  ..."ab.éK😀ſ",
  "[ab]",
  "[^a]",
  "[^é😀]",
  "[à-ü]",
  "[a-k]",
  "[😀-😂]",
  "\\w",
  "\\W",
  "\\d",
  "\\s",
  "\\pL",
  "\\p{Lu}",
  "\\P{L}",
  "(?:a|é😀)",
  "(?:a|)",
  "(?i:k)",
  "(?s:.)",
);
const assertion = fc.constantFrom("^", "$", "\\b", "\\B", "\\A", "\\z", "(?m:^)", "(?m:$)");
const repeated = fc
  .tuple(atom, fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,3}", "{0}", "{0,}", "*?"))
  .map((parts) => parts.join(""));
const sequence = fc
  .array(fc.oneof({ weight: 4, arbitrary: repeated }, { weight: 1, arbitrary: assertion }), { maxLength: 6 })
  .map((parts) => parts.join(""));
const pattern = fc
  .tuple(fc.constantFrom("", "(?i)", "(?m)", "(?s)", "^"), fc.array(sequence, { minLength: 1, maxLength: 3 }))
  .map(([flags, alternatives]) => `${flags}(?:${alternatives.join("|")})`);
const text = fc.string({
  unit: fc.constantFrom(..."abkK1 _-\néÉßKſ😀😁Ж中\u{10ffff}", "\ud83d", "\ude00"),
  maxLength: 12,
});

describe("a pattern's table", () => {
  it("says what the machine says, for any text", () => {
    let known = 0;
    let runs = 0;
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        const { program, anchored } = read(source);
        const table = buildTable(program, anchored);
        if (table === null) return;
        const matched = runTable(table, subject, ENOUGH, () => {});
        runs++;
        if (matched === undefined) return;
        known++;
        expect(matched).toBe(byMachine(source, subject));
      }),
      { numRuns: 6_000 },
    );
    // Neither side of the comparison may be empty.
    expect(runs).toBeGreaterThan(5_000);
    expect(known / runs).toBeGreaterThan(0.8);
  });

  it("says what the machine says through the front door, where the table gives up too", () => {
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        const match = createMatcher(read(source));
        expect(match(subject, ENOUGH, () => {})).toBe(byMachine(source, subject));
        // What was remembered of the first text changes nothing.
        expect(match(subject, ENOUGH, () => {})).toBe(byMachine(source, subject));
      }),
      { numRuns: 3_000 },
    );
  });

  it("stays within its bounds, and every state that it names is one of its own", () => {
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 40 }),
        (parts, times) => {
          const compiled = compilePattern(`(?:${parts.join("|")}){1,${times}}`);
          if (!compiled.ok) return;
          const { program, anchored } = compiled.pattern;
          const table = buildTable(program, anchored);
          if (table === null) return;
          const states = table.ends.length;
          expect(table.next.length).toBe(states * table.classes.size);
          expect(table.next.length).toBeLessThanOrEqual(MAX_ENTRIES);
          expect(table.next.every((state) => state < states)).toBe(true);
          expect(table.classes.ascii.every((group) => group < table.classes.size)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ["", "", true],
    ["", "abc", true],
    ["^$", "", true],
    ["^$", "a", false],
    ["a*", "bbb", true],
    ["\\b", "", false],
    ["\\b", " a", true],
    ["\\B", "", true],
    ["(?m)^$", "a\n", true],
    ["(?m)^b$", "a\nb\nc", true],
    ["^b$", "a\nb\nc", false],
    ["\\bcat\\b", "a cat sat", true],
    ["\\bcat\\b", "concat", false],
    ["(?i)straSSe", "STRASSE", true],
    ["(?i)^k$", "\u212a", true],
    ["^.$", "😀", true],
    ["^..$", "😀", false],
    ["^[^@]+@[^@]+$", "bob.müller@例え.jp", true],
    ["^\\p{L}+$", "Zürich", true],
    ["^[😀-😂]+$", "😁😂", true],
    ["^\ud83d", "\ud83d", true],
    ["^\ud83d", "😀", false],
  ])("%j on %j is %s", (source, subject, expected) => {
    expect(byTable(source, subject)).toBe(expected);
    expect(byMachine(source, subject)).toBe(expected);
  });

  it("leaves a character unlike all that it was made for to the machine", () => {
    const source = "^[\\p{Thai}0-9]+$";
    expect(byTable(source, "12")).toBe(true);
    expect(byTable(source, "\u0e01\u0e02")).toBe(true);
    expect(byTable("^\\p{Runic}+$", "\u16a0")).toBeUndefined();
    expect(createMatcher(read("^\\p{Runic}+$"))("\u16a0\u16a2", ENOUGH, () => {})).toBe(true);
    expect(createMatcher(read("^\\p{Runic}+$"))("\u16a0a", ENOUGH, () => {})).toBe(false);
  });

  it.each([
    ["a set for every combination of the last characters", "(a|b)*a(a|b){14}c"],
    ["many words without a common beginning", Array.from({ length: 400 }, (_, index) => `w${index * 7919}x`).join("|")],
    [
      "many kinds of characters",
      Array.from({ length: 300 }, (_, index) => String.fromCodePoint(0x4e00 + index)).join(""),
    ],
  ])("is not made for what would be large, in bounded time: %s (trap 13)", (_name, source) => {
    const { program, anchored } = read(source);
    expect(buildTable(program, anchored)).toBeNull();
    const match = createMatcher(read(source));
    for (const subject of ["", "abc", "ab".repeat(200), "\u4e00"]) {
      expect(match(subject, ENOUGH, () => {})).toBe(byMachine(source, subject));
    }
  });

  it("is made in a bounded number of visits, and a round of the machine adds no more than its own length", () => {
    const { program } = read("(?:a?){900}");
    const visited = new Visited(program.length);
    visited.begin();
    expect([0, 0, 1].map((index) => visited.add(index))).toEqual([true, false, true]);
    visited.begin();
    expect(visited.add(0)).toBe(true);
    expect(visited.visits).toBe(3);
    // Its sets of states hold hundreds of instructions each, although there are few of them.
    expect(program.length).toBeLessThan(MAX_BUILDING);
    expect(buildTable(read("^(?:a?){900}$").program, true)).toBeNull();
  });

  it("takes one visit for each character, and says so when that is more than there is", () => {
    const long = "a".repeat(100_000);
    const counts: number[] = [];
    const spent = (visits: number) => counts.push(visits);
    expect(runTable(tableOf("^(a+)+$"), long, ENOUGH, spent)).toBe(true);
    expect(counts).toEqual([100_001]);
    expect(runTable(tableOf("^(a+)+$"), long, 1_000, spent)).toBeNull();
    expect(counts[1]).toBeLessThan(1_100);
    expect(createMatcher(read("^(a+)+$"))(long, 1_000, spent)).toBeNull();
    // Outside of ASCII a character's class is asked for, and paid for, every time.
    const { classes } = tableOf("^é+$");
    counts.length = 0;
    runTable(tableOf("^é+$"), "é".repeat(10), ENOUGH, spent);
    runTable(tableOf("^é+$"), "é".repeat(10), ENOUGH, spent);
    expect(counts).toEqual([11 + 10 * classes.cost, 11 + 10 * classes.cost]);
  });
});
