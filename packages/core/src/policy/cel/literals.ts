/** The text of a literal → its value. */
import { Double, intOf, uintOf } from "./values.ts";

/** Why a literal is none; `offset` counts from the start of the literal. */
export class BadLiteral {
  readonly message: string;
  readonly offset: number;
  constructor(message: string, offset: number) {
    this.message = message;
    this.offset = offset;
  }
}

const encoder = new TextEncoder();
const SIMPLE: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\u000b",
  "\\": "\\",
  "?": "?",
  '"': '"',
  "'": "'",
  "`": "`",
};
/** Digits that follow the escape's letter. */
const DIGITS: Readonly<Record<string, number>> = { x: 2, X: 2, u: 4, U: 8 };

/** `text` is the whole literal with prefix letters and quotes: `"a"`, `r'''b'''`, `b"c"`. */
export function quotedValue(text: string): string | Uint8Array | BadLiteral {
  let at = 0;
  let raw = false;
  let bytes = false;
  for (; text[at] !== '"' && text[at] !== "'"; at++) {
    if (text[at] === "r" || text[at] === "R") raw = true;
    else bytes = true;
  }
  const quotes = text.startsWith(`${text[at]}`.repeat(3), at) && text.length >= at + 6 ? 3 : 1;
  const start = at + quotes;
  const end = text.length - quotes;
  const body = text.slice(start, end);
  // Line ends inside triple quotes are one newline, whatever system the file was written on.
  const clean = quotes === 3 ? body.replace(/\r\n?/g, "\n") : body;
  if (raw || !clean.includes("\\")) return bytes ? encoder.encode(clean) : clean;
  return bytes ? unescapeBytes(clean, start) : unescapeText(clean, start);
}

interface Escape {
  readonly code: number;
  readonly end: number;
  /** Written as a code point (`\u`, `\U`, `\n` …) rather than as an octet (`\x`, `\101`). */
  readonly point: boolean;
}

function unescapeText(body: string, start: number): string | BadLiteral {
  let text = "";
  for (let at = 0; at < body.length; ) {
    const slash = body.indexOf("\\", at);
    if (slash < 0) return text + body.slice(at);
    const character = readEscape(body, slash, start);
    if (character instanceof BadLiteral) return character;
    text += body.slice(at, slash) + String.fromCodePoint(character.code);
    at = character.end;
  }
  return text;
}

function unescapeBytes(body: string, start: number): Uint8Array | BadLiteral {
  const out: number[] = [];
  for (let at = 0; at < body.length; ) {
    if (body[at] !== "\\") {
      const point = body.codePointAt(at) ?? 0;
      const text = String.fromCodePoint(point);
      out.push(...encoder.encode(text));
      at += text.length;
      continue;
    }
    const character = readEscape(body, at, start);
    if (character instanceof BadLiteral) return character;
    if (character.point && character.code > 0x7f)
      return new BadLiteral("`\\u` is not allowed in bytes; write `\\x`", start + at);
    out.push(character.code);
    at = character.end;
  }
  return Uint8Array.from(out);
}

function readEscape(body: string, slash: number, start: number): Escape | BadLiteral {
  const letter = body[slash + 1] ?? "";
  const simple = Object.hasOwn(SIMPLE, letter) ? SIMPLE[letter] : undefined;
  if (simple !== undefined) return { code: simple.charCodeAt(0), end: slash + 2, point: true };
  const count = Object.hasOwn(DIGITS, letter) ? DIGITS[letter] : undefined;
  if (count !== undefined) {
    const digits = body.slice(slash + 2, slash + 2 + count);
    if (digits.length !== count || !/^[0-9a-fA-F]+$/.test(digits)) {
      return new BadLiteral(`\`\\${letter}\` needs ${count} hexadecimal digits`, start + slash);
    }
    const code = Number.parseInt(digits, 16);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      return new BadLiteral(`\`\\${letter}${digits}\` is not a character`, start + slash);
    }
    return { code, end: slash + 2 + count, point: letter === "u" || letter === "U" };
  }
  const octal = body.slice(slash + 1, slash + 4);
  if (/^[0-3][0-7]{2}$/.test(octal)) return { code: Number.parseInt(octal, 8), end: slash + 4, point: false };
  const shown = letter === "" ? "\\" : `\\${letter}`;
  return new BadLiteral(
    `unknown escape \`${shown}\`; for a backslash write \`\\\\\`, or a raw string r"…"`,
    start + slash,
  );
}

/** `text` as lexed: `12`, `0x1F`, `3u`, `1.5e3`. `negative` belongs to it, because −2^63 has no positive counterpart. */
export function numberValue(
  text: string,
  negative: boolean,
): number | bigint | Double | ReturnType<typeof uintOf> | BadLiteral {
  const unsigned = /[uU]$/.test(text);
  const digits = unsigned ? text.slice(0, -1) : text;
  if (!/^(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(digits)) {
    const value = Number(digits);
    if (!Number.isFinite(value)) return new BadLiteral("a number too large for a double", 0);
    return new Double(negative ? -value : value);
  }
  // 64 bits have at most 20 digits; more are refused before they cost anything.
  const magnitude = digits.replace(/^(0[xX])?0*(?=.)/, (prefix) => (/[xX]/.test(prefix) ? "0x" : ""));
  const value = magnitude.length > 24 ? null : BigInt(magnitude);
  if (unsigned) {
    if (negative) return new BadLiteral("an unsigned number cannot be negative", 0);
    return (value === null ? null : uintOf(value)) ?? new BadLiteral("an unsigned number beyond 64 bits", 0);
  }
  return (value === null ? null : intOf(negative ? -value : value)) ?? new BadLiteral("an integer beyond 64 bits", 0);
}
