/**
 * Strict JSON (RFC 8259) that also refuses what `JSON.parse` lets pass: a key twice in one object, deep nesting.
 *
 * Of two equal keys `JSON.parse` keeps the last and other parsers the first, so that a rule would read one and the tool
 * the other (traps.md, 10). Numbers that JSON cannot carry exactly are refused later, by `normalize`.
 */

import { LIMITS } from "../limits.ts";
import type { Json } from "./json.ts";

/** Where a text is no JSON. Line and column count from 1, columns in UTF-16 code units. */
export class JsonTextProblem extends Error {
  override readonly name = "JsonTextProblem";
  readonly line: number;
  readonly column: number;
  constructor(text: string, offset: number, message: string) {
    super(message);
    const before = text.slice(0, offset);
    this.line = before.split("\n").length;
    this.column = offset - before.lastIndexOf("\n");
  }
}

export interface ParseJsonOptions {
  /** Nesting of lists and maps; default `LIMITS.jsonDepth`. */
  readonly depth?: number;
}

/**
 * The value of a JSON text. Maps are plain objects, also with a key such as `__proto__`, which is then their own.
 * @throws JsonTextProblem on anything that is not exactly one JSON value.
 */
export function parseJson(text: string, options: ParseJsonOptions = {}): Json {
  return new Reader(text, options.depth ?? LIMITS.jsonDepth).whole();
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** The rest of a text up to its closing quote: no control characters, every backslash with what it escapes. */
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const HEX = /^[0-9a-fA-F]{4}$/;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
const WORDS: readonly (readonly [string, Json])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

class Reader {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  whole(): Json {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#refuse(`${this.#shown()} after the end of the value`);
    return value;
  }

  #value(depth: number): Json {
    this.#space();
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x7b:
        return this.#map(depth);
      case 0x5b:
        return this.#list(depth);
      case 0x22:
        return this.#string();
      default:
        return this.#wordOrNumber();
    }
  }

  #map(depth: number): Json {
    this.#enter(depth);
    const map: Record<string, Json> = {};
    if (this.#taken("}")) return map;
    do {
      this.#space();
      const start = this.#at;
      if (this.#text[start] !== '"') this.#refuse(`${this.#shown()} where a key in quotes was expected`);
      const key = this.#string();
      if (Object.hasOwn(map, key)) this.#refuse(`the key \`${key.slice(0, 64).toWellFormed()}\` twice`, start);
      this.#expect(":");
      const value = this.#value(depth + 1);
      // An assignment to `__proto__` would set the prototype instead of the key.
      if (key === "__proto__") Object.defineProperty(map, key, { value, enumerable: true, configurable: true });
      else map[key] = value;
    } while (this.#taken(","));
    this.#expect("}");
    return map;
  }

  #list(depth: number): Json {
    this.#enter(depth);
    const list: Json[] = [];
    if (this.#taken("]")) return list;
    do list.push(this.#value(depth + 1));
    while (this.#taken(","));
    this.#expect("]");
    return list;
  }

  #enter(depth: number): void {
    if (depth >= this.#maxDepth) this.#refuse(`nesting over ${this.#maxDepth} levels`);
    this.#at++;
  }

  #string(): string {
    let value = "";
    this.#at++;
    for (;;) {
      PLAIN.lastIndex = this.#at;
      PLAIN.test(this.#text);
      const end = PLAIN.lastIndex;
      value += this.#text.slice(this.#at, end);
      this.#at = end;
      const next = this.#text[end];
      if (next === '"') {
        this.#at++;
        return value;
      }
      if (next !== "\\") this.#refuse(next === undefined ? "a text without its closing quote" : "a control character");
      value += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? "";
    if (letter === "u") {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!HEX.test(digits)) this.#refuse("an escape that is not `\\u` and four hex digits");
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const value = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (value === undefined) this.#refuse("an unknown escape in a text");
    this.#at += 2;
    return value;
  }

  #wordOrNumber(): Json {
    NUMBER.lastIndex = this.#at;
    if (!NUMBER.test(this.#text)) return this.#word();
    const digits = this.#text.slice(this.#at, NUMBER.lastIndex);
    this.#at = NUMBER.lastIndex;
    return Number(digits);
  }

  #word(): Json {
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#refuse(`${this.#shown()} where a value was expected`);
  }

  #taken(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#taken(character)) this.#refuse(`${this.#shown()} where \`${character}\` was expected`);
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #shown(): string {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return "the end of the text";
    const printable = code > 0x20 && code < 0x7f;
    return printable ? `\`${String.fromCodePoint(code)}\`` : `the character U+${code.toString(16).padStart(4, "0")}`;
  }

  #refuse(message: string, offset = this.#at): never {
    throw new JsonTextProblem(this.#text, offset, message);
  }
}
