/** RE2 syntax → tree. What cannot be matched in linear time (back-references, looking around) is not in the syntax. */
import { CharacterSet, MAX_POINT } from "./character-set.ts";
import { type Cursor, parseBrackets, parseCharacter, parseEscapedClass, take } from "./parse-class.ts";
import { type Assertion, type PatternNode, PatternProblem } from "./syntax.ts";

interface Flags {
  /** `i`: letters in either case. */
  readonly fold: boolean;
  /** `m`: `^` and `$` stand at lines. */
  readonly lines: boolean;
  /** `s`: `.` is every character, line ends too. */
  readonly all: boolean;
}

const MAX_NESTING = 50;
const MAX_REPEAT = 1000;

/** @throws PatternProblem */
export function parsePattern(text: string): PatternNode {
  const parser = new PatternParser(text);
  return parser.parse();
}

class PatternParser {
  private readonly cursor: Cursor;
  private flags: Flags = { fold: false, lines: false, all: false };
  private nesting = 0;

  constructor(text: string) {
    this.cursor = { text, at: 0 };
  }

  parse(): PatternNode {
    const node = this.alternatives();
    if (this.cursor.at < this.cursor.text.length) throw new PatternProblem(this.cursor.at, "a `)` without its `(`");
    return node;
  }

  private alternatives(): PatternNode {
    const parts = [this.sequence()];
    while (take(this.cursor, "|")) parts.push(this.sequence());
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: "alternatives", parts };
  }

  private sequence(): PatternNode {
    const parts: PatternNode[] = [];
    const { cursor } = this;
    while (cursor.at < cursor.text.length && cursor.text[cursor.at] !== "|" && cursor.text[cursor.at] !== ")") {
      if (take(cursor, "\\Q")) this.quoted(parts);
      else parts.push(this.repeated(this.atom()));
    }
    return { kind: "sequence", parts };
  }

  /** `\Q…\E`: text without meaning. */
  private quoted(parts: PatternNode[]): void {
    const { cursor } = this;
    const end = cursor.text.indexOf("\\E", cursor.at);
    const stop = end < 0 ? cursor.text.length : end;
    while (cursor.at < stop) {
      const point = cursor.text.codePointAt(cursor.at) ?? 0;
      parts.push(this.character(point));
      cursor.at += point > 0xffff ? 2 : 1;
    }
    if (end >= 0) cursor.at += 2;
  }

  private repeated(atom: PatternNode): PatternNode {
    const { cursor } = this;
    const bounds = this.bounds();
    if (bounds === null) return atom;
    take(cursor, "?");
    const again = cursor.at;
    if (this.bounds() !== null) throw new PatternProblem(again, "a repetition of a repetition: use a group `(?:…)`");
    return { kind: "repeat", part: atom, ...bounds };
  }

  /** The repetition at the cursor, or null. */
  private bounds(): { min: number; max: number | null } | null {
    const { cursor } = this;
    const start = cursor.at;
    if (take(cursor, "*")) return { min: 0, max: null };
    if (take(cursor, "+")) return { min: 1, max: null };
    if (take(cursor, "?")) return { min: 0, max: 1 };
    const counted = /\{(\d{1,9})(,(\d{0,9}))?\}/y;
    counted.lastIndex = start;
    const [whole, low = "", comma, high = ""] = counted.exec(cursor.text) ?? [];
    if (whole === undefined) return null;
    cursor.at += whole.length;
    const min = Number(low);
    const max = comma === undefined ? min : high === "" ? null : Number(high);
    if (min > MAX_REPEAT || (max !== null && (max > MAX_REPEAT || max < min))) {
      throw new PatternProblem(start, `\`${whole}\`: counts go up to ${MAX_REPEAT}, the lower one first`);
    }
    return { min, max };
  }

  private atom(): PatternNode {
    const { cursor, flags } = this;
    const character = cursor.text[cursor.at];
    switch (character) {
      case "(":
        return this.group();
      case "[":
        return { kind: "set", set: parseBrackets(cursor, flags.fold) };
      case ".":
        cursor.at++;
        return { kind: "set", set: flags.all ? ANY : ANY_BUT_LINE_END };
      case "^":
        cursor.at++;
        return { kind: "assertion", assertion: flags.lines ? "line-start" : "text-start" };
      case "$":
        cursor.at++;
        return { kind: "assertion", assertion: flags.lines ? "line-end" : "text-end" };
      case "*":
      case "+":
      case "?":
        throw new PatternProblem(
          cursor.at,
          `\`${character}\` with nothing before it to repeat: for the character write \`\\${character}\``,
        );
      case "\\":
        return this.escaped();
      default:
        return this.character(parseCharacter(cursor));
    }
  }

  private escaped(): PatternNode {
    const { cursor } = this;
    const letter = cursor.text[cursor.at + 1] ?? "";
    const assertion = Object.hasOwn(ASSERTIONS, letter) ? ASSERTIONS[letter] : undefined;
    if (assertion !== undefined) {
      cursor.at += 2;
      return { kind: "assertion", assertion };
    }
    const set = parseEscapedClass(cursor, this.flags.fold);
    return set === null ? this.character(parseCharacter(cursor)) : { kind: "set", set };
  }

  private character(point: number): PatternNode {
    const parts = { ranges: [{ from: point, to: point }], properties: [], negated: false };
    return { kind: "set", set: new CharacterSet(parts, this.flags.fold) };
  }

  private group(): PatternNode {
    const { cursor } = this;
    const start = cursor.at++;
    if (++this.nesting > MAX_NESTING) throw new PatternProblem(start, `groups nested over ${MAX_NESTING} deep`);
    const outer = this.flags;
    const scoped = this.opening(start);
    // `(?i)` without a colon holds until the end of the enclosing group.
    if (!scoped) {
      this.nesting--;
      return { kind: "empty" };
    }
    const node = this.alternatives();
    if (!take(cursor, ")")) throw new PatternProblem(start, "a `(` without its `)`");
    this.flags = outer;
    this.nesting--;
    return node;
  }

  /** What follows `(`: nothing, `?:`, `?P<name>`, or flags. False when it was flags alone. */
  private opening(start: number): boolean {
    const { cursor } = this;
    if (cursor.text[cursor.at] !== "?") return true;
    const named = /\?P?<[A-Za-z_][A-Za-z0-9_]*>/y;
    named.lastIndex = cursor.at;
    const [name] = named.exec(cursor.text) ?? [];
    if (name !== undefined) {
      cursor.at += name.length;
      return true;
    }
    const setting = /\?([imsU]*)(-[imsU]+)?([:)])/y;
    setting.lastIndex = cursor.at;
    const [whole, on = "", off = "", end] = setting.exec(cursor.text) ?? [];
    if (whole === undefined) {
      const message = /^\?<?[=!]/.test(cursor.text.slice(cursor.at, cursor.at + 3))
        ? "looking ahead or behind is not in RE2 syntax: use a second condition with `&&`"
        : "unknown kind of group: write `(…)`, `(?:…)` or `(?i)`";
      throw new PatternProblem(start, message);
    }
    cursor.at += whole.length;
    this.flags = {
      fold: flag("i", on, off, this.flags.fold),
      lines: flag("m", on, off, this.flags.lines),
      all: flag("s", on, off, this.flags.all),
    };
    return end === ":";
  }
}

function flag(letter: string, on: string, off: string, before: boolean): boolean {
  return off.includes(letter) ? false : on.includes(letter) || before;
}

const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  A: "text-start",
  z: "text-end",
  b: "word-boundary",
  B: "no-word-boundary",
};

const ANY = new CharacterSet({ ranges: [{ from: 0, to: MAX_POINT }], properties: [], negated: false }, false);
const ANY_BUT_LINE_END = new CharacterSet({ ranges: [{ from: 10, to: 10 }], properties: [], negated: true }, false);
