import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern, matchPattern } from "./match.ts";

function matches(pattern: string, text: string): boolean | null {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) throw new Error(compiled.issue.message);
  return matchPattern(compiled.pattern, text, 10_000_000, () => {});
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
      matchPattern(compiled.pattern, text, 1_000, (count) => {
        visits = count;
      }),
    ).toBeNull();
    expect(visits).toBeLessThan(1_100);
    // Linear: a bounded number of visits for each character.
    expect(
      matchPattern(compiled.pattern, text, 10_000_000, (count) => {
        visits = count;
      }),
    ).toBe(false);
    expect(visits).toBeLessThan(text.length * 20);
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

  it("is total: any text is a pattern or an issue", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."ab()[]{}*+?|^$\\.-,:=!<>0129pPQEdwsxiL😀"), maxLength: 24 }),
        fc.string(),
        (source, text) => {
          const compiled = compilePattern(source);
          if (compiled.ok)
            expect([true, false, null]).toContain(matchPattern(compiled.pattern, text, 100_000, () => {}));
          else expect(compiled.issue.message).not.toBe("");
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
