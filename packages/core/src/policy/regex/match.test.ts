import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../limits.ts";
import { Automaton } from "./automaton.ts";
import { compilePattern, createMatcher, simulate } from "./match.ts";

function matches(pattern: string, text: string): boolean | null {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) throw new Error(compiled.issue.message);
  return createMatcher(compiled.pattern)(text, 10_000_000, () => {});
}

describe("patterns", () => {
  it.each([
    ["", "anything", true],
    ["b", "abc", true],
    ["^b", "abc", false],
    ["^ORD-[0-9]{6}$", "ORD-123456", true],
    ["^ORD-[0-9]{6}$", "ORD-123456\n", false],
    ["^ORD-[0-9]{6}$", "ORD-1234567", false],
    ["^a{2,3}$", "aaaa", false],
    ["^a{2,}$", "aaaa", true],
    ["^a{0}$", "", true],
    ["a{,2}", "a{,2}", true],
    ["^(?:ab|cd)+$", "abcdab", true],
    ["^(ab|cd)+$", "abc", false],
    ["^(?P<word>a)(?<other>b)$", "ab", true],
    ["^a.c$", "a\nc", false],
    ["(?s)^a.c$", "a\nc", true],
    ["^b$", "a\nb\nc", false],
    ["(?m)^b$", "a\nb\nc", true],
    ["\\Ab\\z", "a\nb", false],
    ["(?i)hello", "HeLLo", true],
    ["(?i:h)ello", "HELLO", false],
    ["((?i)a)b", "AB", false],
    ["(?i)[a-c]x", "BX", true],
    ["(?i)k", "\u212a", true],
    ["(?i)[\u017f]", "S", true],
    ["(?i)[^a]", "A", false],
    ["^[^a-c]$", "d", true],
    ["^[]a]$", "]", true],
    ["^[a-]$", "-", true],
    ["^[\\d_]+$", "1_2", true],
    ["^[^\\W_]$", "_", false],
    ["^\\D\\W\\S$", "a-b", true],
    ["^[[:alpha:]]+$", "abc", true],
    ["^[[:^digit:]]$", "5", false],
    ["^\\pL\\p{Lu}\\P{L}\\p{^L}$", "éÀ12", true],
    ["^\\p{Greek}+$", "αβγ", true],
    ["^.$", "😀", true],
    ["^[😀-😂]$", "😁", true],
    ["\\x41\\x{1F600}\\101", "A😀A", true],
    ["^\\Qa.b*\\E$", "a.b*", true],
    ["\\bcat\\b", "a cat sat", true],
    ["\\bcat\\b", "concat", false],
    ["\\Bcat", "concat", true],
    ["^a*?b+?c??$", "aabb", true],
    ["(|a)+b", "aab", true],
    ["^\\.\\[\\]\\-\\ $", ".[]- ", true],
  ])("%j on %j is %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it.each([
    ["(a", "a `(` without its `)`"],
    ["a)", "a `)` without its `(`"],
    ["[a", "a `[` without its `]`"],
    ["*a", "`*` with nothing before it to repeat: for the character write `\\*`"],
    ["a**", "a repetition of a repetition: use a group `(?:…)`"],
    ["a{2}{3}", "a repetition of a repetition: use a group `(?:…)`"],
    ["a{1001}", "`{1001}`: counts go up to 1000, the lower one first"],
    ["a{3,2}", "`{3,2}`: counts go up to 1000, the lower one first"],
    ["[b-a]", "a range whose end comes before its start"],
    ["(a)\\1", "`\\1`: back-references are not in RE2 syntax"],
    ["(?=a)", "looking ahead or behind is not in RE2 syntax: use a second condition with `&&`"],
    ["(?<!a)b", "looking ahead or behind is not in RE2 syntax: use a second condition with `&&`"],
    ["(?#x)", "unknown kind of group: write `(…)`, `(?:…)` or `(?i)`"],
    ["\\y", "unknown escape `\\y`"],
    ["a\\", "a `\\` at the end: for a backslash write `\\\\`"],
    ["[[:nope:]]", "unknown class `[:nope:]`"],
    ["\\x{110000}", "`\\x{110000}` is not a character"],
  ])("%j is refused: %s", (pattern, message) => {
    expect(compilePattern(pattern)).toMatchObject({ ok: false, issue: { message } });
  });

  it("refuses what would take too much room (trap 13)", () => {
    for (const pattern of [
      "(a{1000}){1000}",
      "((((){1000}){1000}){1000}){1000}",
      "a".repeat(20_000),
      "(".repeat(10_000),
    ]) {
      expect(compilePattern(pattern).ok).toBe(false);
    }
  });

  it("says that the work is used up instead of going on (trap 13)", () => {
    const compiled = compilePattern("(a*)*(a|aa)+$");
    if (!compiled.ok) throw new Error(compiled.issue.message);
    let visits = 0;
    const text = `${"a".repeat(50_000)}b`;
    expect(
      createMatcher(compiled.pattern)(text, 1_000, (count) => {
        visits = count;
      }),
    ).toBeNull();
    expect(visits).toBeLessThan(1_100);
    // Linear: a bounded number of visits for each character.
    expect(
      createMatcher(compiled.pattern)(text, 10_000_000, (count) => {
        visits = count;
      }),
    ).toBe(false);
    expect(visits).toBeLessThan(text.length * 20);
  });

  /** Visits of one condition's whole budget of steps. */
  const BUDGET = LIMITS.celSteps * 64;

  function visits(source: string, text: string): { matched: boolean | null; visits: number } {
    const compiled = compilePattern(source);
    if (!compiled.ok) throw new Error(compiled.issue.message);
    let count = 0;
    const matched = createMatcher(compiled.pattern)(text, BUDGET, (made) => {
      count = made;
    });
    return { matched, visits: count };
  }

  it.each([
    ["nested repetition", "(a+)+$", "a", "!"],
    ["nested star", "^(a*)*$", "a", "!"],
    ["overlapping alternatives", "^(a|aa)+$", "a", "!"],
    ["the same alternative twice", "^(a|a)*$", "a", "!"],
    ["any character, nested", "(.*)*x", "y", ""],
    ["many stars", "(.*)(.*)(.*)(.*)(.*)(.*)x", "y", ""],
    ["any, then many", "(.*a){20}x", "a", ""],
    ["optional letters", "(?:a?){50}a{50}x", "a", ""],
    [
      "an address of mail",
      "^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$",
      "a",
      "!",
    ],
    ["a class name", "^(([a-z])+.)+[A-Z]([a-z])+$", "a", ""],
    ["words and blanks", "^(\\w+\\s?)*$", "a ", "!"],
    ["a version", "^(\\d+\\.?)*x$", "1.", ""],
    ["crossing word boundaries", "(\\b\\w+\\b\\W*)*!$", "ab ", ""],
    ["line ends", "(?m)(^a+$\\n?)*b", "a\n", ""],
    ["digits in groups", "((\\d{3},?)+)+x", "123,", ""],
  ])("takes a few visits for each character: %s (trap 13)", (_name, source, piece, end) => {
    const text = piece.repeat(Math.floor(200_000 / piece.length)) + end;
    const full = visits(source, text);
    expect(full.matched).toBe(false);
    expect(full.visits).toBeLessThan(text.length * 2 + 20_000);
  });

  it("looks for twenty words in either case in 200,000 characters within a fraction of the budget (trap 13)", () => {
    const words =
      "password secret token apikey credential private wallet mnemonic seed passport ssn iban routing account pin cvv swift bearer oauth session";
    const source = `(?i)\\b(?:${words.replaceAll(" ", "|")})\\b`;
    const text = "The quick passwor tokens PRIVATELY walk over secre ibans. ".repeat(3_500);
    expect(text.length).toBeGreaterThan(200_000);
    expect(visits(source, text)).toMatchObject({ matched: false });
    expect(visits(source, text).visits).toBeLessThan(BUDGET / 20);
    expect(visits(source, `${text}PassWord`).matched).toBe(true);
  });

  it("gives up on too many sets of states, and stays linear all the same (trap 13)", () => {
    // Letters without a period, by a small generator.
    let seed = 1;
    const text = Array.from({ length: 20_000 }, () => {
      seed = (seed * 48_271) % 0x7fffffff;
      return seed % 2 === 0 ? "a" : "b";
    }).join("");
    const source = "(a|b)*a(a|b){14}c";
    const compiled = compilePattern(source);
    if (!compiled.ok) throw new Error(compiled.issue.message);
    const { program, anchored } = compiled.pattern;
    expect(new Automaton(program, anchored).run(text, BUDGET)).toBeUndefined();
    const { matched, visits: count } = visits(source, text);
    expect(matched).toBe(false);
    expect(count).toBeLessThan(text.length * program.length * 2);
  });

  it("needs the same work for a text whatever was matched before", () => {
    const compiled = compilePattern("(?i)(?:abc|abd|xyz)+\\bq");
    if (!compiled.ok) throw new Error(compiled.issue.message);
    const match = createMatcher(compiled.pattern);
    const text = "abcABDxyz ".repeat(100);
    const work: number[] = [];
    match(text, BUDGET, (made) => work.push(made));
    match("xyz q \u00e9".repeat(100), BUDGET, () => {});
    match(text, BUDGET, (made) => work.push(made));
    expect(work[0]).toBe(work[1]);
  });

  const piece = fc.constantFrom(
    "a",
    "b",
    "c",
    ".",
    "[ab]",
    "[^a]",
    "\\w",
    "\\d",
    "^",
    "$",
    "\\b",
    "(?:a|bc)",
    "(b)",
    "x",
  );
  const pattern = fc
    .array(fc.tuple(piece, fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "*?")), { maxLength: 6 })
    .map((parts) => parts.map(([atom, times]) => (/^[\^$\\]b?$/.test(atom) ? atom : atom + times)).join(""));

  it("agrees with the engine's own expressions where both mean the same", () => {
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 3 }),
        fc.string({ unit: fc.constantFrom(..."abcx1 _\n"), maxLength: 8 }),
        (alternatives, text) => {
          const source = alternatives.join("|");
          expect(matches(source, text)).toBe(new RegExp(source, "u").test(text));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("says the same by sets of states and by all states at once", () => {
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 3 }),
        fc.constantFrom("", "(?i)", "(?m)", "(?s)"),
        fc.string({ unit: fc.constantFrom(..."abcx1 _\n\u00e9\u{1f600}K"), maxLength: 40 }),
        (alternatives, flags, text) => {
          const compiled = compilePattern(`${flags}(?:${alternatives.join("|")})`);
          if (!compiled.ok) throw new Error(compiled.issue.message);
          const { program, anchored } = compiled.pattern;
          const expected = simulate(compiled.pattern, text, BUDGET, () => {});
          expect(new Automaton(program, anchored).run(text, BUDGET)).toBe(expected);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it("is total: any text is a pattern or an issue", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."ab()[]{}*+?|^$\\.-,:=!<>0129pPQEdwsxiL😀"), maxLength: 24 }),
        fc.string(),
        (source, text) => {
          const compiled = compilePattern(source);
          if (compiled.ok)
            expect([true, false, null]).toContain(createMatcher(compiled.pattern)(text, 100_000, () => {}));
          else expect(compiled.issue.message).not.toBe("");
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
