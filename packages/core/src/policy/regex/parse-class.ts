/** `[…]`, `\d`, `\pL`, and the escapes of single characters. */
import { CharacterSet, complement, PERL_CLASSES, POSIX_CLASSES, type Range, unicodeProperty } from "./character-set.ts";
import { PatternProblem } from "./syntax.ts";

export interface Cursor {
  readonly text: string;
  at: number;
}

interface Members {
  readonly ranges: Range[];
  readonly properties: { test: RegExp; negated: boolean }[];
}

/** The cursor stands on `[`. */
export function parseBrackets(cursor: Cursor, fold: boolean): CharacterSet {
  const start = cursor.at++;
  const negated = take(cursor, "^");
  const members: Members = { ranges: [], properties: [] };
  for (let first = true; first || cursor.text[cursor.at] !== "]"; first = false) {
    if (cursor.at >= cursor.text.length) throw new PatternProblem(start, "a `[` without its `]`");
    if (!addNamedClass(cursor, members)) addRange(cursor, members);
  }
  cursor.at++;
  return new CharacterSet({ ...members, negated }, fold);
}

function addNamedClass(cursor: Cursor, members: Members): boolean {
  const posix = /\[:(\^?)([a-z]+):\]/y;
  posix.lastIndex = cursor.at;
  const [whole, caret, name = ""] = posix.exec(cursor.text) ?? [];
  if (whole !== undefined) {
    const ranges = Object.hasOwn(POSIX_CLASSES, name) ? POSIX_CLASSES[name] : undefined;
    if (ranges === undefined) throw new PatternProblem(cursor.at, `unknown class \`${whole}\``);
    members.ranges.push(...(caret === "^" ? complement(ranges) : ranges));
    cursor.at += whole.length;
    return true;
  }
  return addEscapedClass(cursor, members);
}

/** `\d \D \w \W \s \S \pL \p{Greek} \P{…}` at the cursor; false when there is none. */
function addEscapedClass(cursor: Cursor, members: Members): boolean {
  const letter = cursor.text[cursor.at] === "\\" ? (cursor.text[cursor.at + 1] ?? "") : "";
  const small = letter.toLowerCase();
  const ranges = Object.hasOwn(PERL_CLASSES, small) ? PERL_CLASSES[small] : undefined;
  if (ranges !== undefined) {
    members.ranges.push(...(letter === small ? ranges : complement(ranges)));
    cursor.at += 2;
    return true;
  }
  if (small !== "p") return false;
  const property = /\\[pP](?:\{(\^?)([A-Za-z_]+)\}|([A-Z]))/y;
  property.lastIndex = cursor.at;
  const [whole, caret, long, short] = property.exec(cursor.text) ?? [];
  const test = whole === undefined ? null : unicodeProperty(long ?? short ?? "");
  if (whole === undefined || test === null) {
    throw new PatternProblem(
      cursor.at,
      "unknown Unicode class: write a category such as `\\p{Lu}` or a script such as `\\p{Greek}`",
    );
  }
  members.properties.push({ test, negated: (letter === "P") !== (caret === "^") });
  cursor.at += whole.length;
  return true;
}

/** A class outside of brackets, or null. */
export function parseEscapedClass(cursor: Cursor, fold: boolean): CharacterSet | null {
  const members: Members = { ranges: [], properties: [] };
  return addEscapedClass(cursor, members) ? new CharacterSet({ ...members, negated: false }, fold) : null;
}

function addRange(cursor: Cursor, members: Members): void {
  const start = cursor.at;
  const from = parseCharacter(cursor);
  const { text } = cursor;
  if (text[cursor.at] !== "-" || text[cursor.at + 1] === "]" || cursor.at + 1 >= text.length) {
    members.ranges.push({ from, to: from });
    return;
  }
  cursor.at++;
  const to = parseCharacter(cursor);
  if (to < from) throw new PatternProblem(start, "a range whose end comes before its start");
  members.ranges.push({ from, to });
}

const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** One character, plain or escaped. */
export function parseCharacter(cursor: Cursor): number {
  const { text } = cursor;
  const point = text.codePointAt(cursor.at) ?? 0;
  if (text[cursor.at] !== "\\") {
    cursor.at += point > 0xffff ? 2 : 1;
    return point;
  }
  const numeric = /\\x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))|\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/y;
  numeric.lastIndex = cursor.at;
  const [whole, braced, pair, octal] = numeric.exec(text) ?? [];
  const letter = text[cursor.at + 1] ?? "";
  if (whole !== undefined) {
    const value = octal === undefined ? Number.parseInt(braced ?? pair ?? "", 16) : Number.parseInt(octal, 8);
    if (value > 0x10ffff) throw new PatternProblem(cursor.at, `\`${whole}\` is not a character`);
    cursor.at += whole.length;
    return value;
  }
  const control = Object.hasOwn(CONTROL, letter) ? CONTROL[letter] : undefined;
  if (control === undefined && !/^[ -/:-@[-`{-~]$/.test(letter)) throw unknownEscape(cursor.at, letter);
  cursor.at += 2;
  return control ?? letter.charCodeAt(0);
}

function unknownEscape(offset: number, letter: string): PatternProblem {
  if (letter === "") return new PatternProblem(offset, "a `\\` at the end: for a backslash write `\\\\`");
  if (/[1-9]/.test(letter)) return new PatternProblem(offset, `\`\\${letter}\`: back-references are not in RE2 syntax`);
  return new PatternProblem(offset, `unknown escape \`\\${letter}\``.toWellFormed());
}

export function take(cursor: Cursor, text: string): boolean {
  if (!cursor.text.startsWith(text, cursor.at)) return false;
  cursor.at += text.length;
  return true;
}
