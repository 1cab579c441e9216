/** Text → tokens. Linear: every pattern is sticky and looks at a character a bounded number of times. */
import type { CelIssue } from "./issues.ts";

export type TokenKind = "word" | "quotedWord" | "number" | "quoted" | "symbol" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** As written. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const BLANK = /(?:[\t\n\f\r ]+|\/\/[^\n]*)+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const QUOTED_WORD = /`[A-Za-z0-9_.\-/ ]+`/;
const NUMBER =
  /0[xX][0-9a-fA-F]+[uU]?|[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[uU]?/;
const SYMBOL = /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}]/;
const OPENING = /(?:[rR][bB]?|[bB][rR]?)?(?:"""|'''|"|')/;
/** Groups: the beginning of a quoted text, a number, a word, a quoted word, a symbol. The first that fits counts. */
const TOKEN = new RegExp(
  `(${[OPENING, NUMBER, WORD, QUOTED_WORD, SYMBOL].map(({ source }) => source).join(")|(")})`,
  "y",
);

export function tokenize(source: string): { tokens: Token[] } | { issue: CelIssue } {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at = afterBlank(source, at);
    if (at >= source.length) {
      tokens.push({ kind: "end", text: "", start: source.length, end: source.length });
      return { tokens };
    }
    const token = nextToken(source, at);
    if ("message" in token) return { issue: { ...token, code: "syntax" } };
    tokens.push(token);
    at = token.end;
  }
}

type Problem = Pick<CelIssue, "offset" | "length" | "message">;

/** Past spaces and comments. */
function afterBlank(source: string, at: number): number {
  // Most tokens stand right behind another one.
  if (source.charCodeAt(at) > SPACE && source[at] !== "/") return at;
  BLANK.lastIndex = at;
  return BLANK.test(source) ? BLANK.lastIndex : at;
}

const SPACE = 0x20;

function nextToken(source: string, at: number): Token | Problem {
  TOKEN.lastIndex = at;
  const [, opening, number, word, quotedWord, symbol] = TOKEN.exec(source) ?? [];
  if (opening !== undefined) return quotedToken(source, at, opening);
  if (number !== undefined) return numberToken(source, at, number);
  if (word !== undefined) return token("word", word, at);
  if (quotedWord !== undefined) return token("quotedWord", quotedWord, at);
  if (symbol !== undefined) return token("symbol", symbol, at);
  return unknownCharacter(source, at);
}

/** A word directly after a number (`5dollars`) is a typing mistake, not two tokens. */
function numberToken(source: string, at: number, number: string): Token | Problem {
  WORD.lastIndex = at + number.length;
  const [glued] = WORD.exec(source) ?? [];
  if (glued === undefined) return token("number", number, at);
  return {
    offset: at,
    length: number.length + glued.length,
    message: `\`${clip(number + glued)}\` is neither a number nor a name`,
  };
}

function quotedToken(source: string, at: number, opening: string): Token | Problem {
  const quote = /["']+$/.exec(opening)?.[0] ?? '"';
  const raw = /[rR]/.test(opening.slice(0, -quote.length));
  for (let end = at + opening.length; end < source.length; end++) {
    if (source.startsWith(quote, end)) return token("quoted", source.slice(at, end + quote.length), at);
    if (quote.length === 1 && (source[end] === "\n" || source[end] === "\r")) break;
    if (!raw && source[end] === "\\") end++;
  }
  return {
    offset: at,
    length: opening.length,
    message: `text without an end: expected a closing \`${quote}\` on the same line`,
  };
}

const LIKELY: Readonly<Record<string, string>> = {
  "=": "to compare, write `==`",
  "&": "for both, write `&&`",
  "|": "for either, write `||`",
  "“": 'write straight quotes `"…"`',
  "”": 'write straight quotes `"…"`',
  "‘": "write straight quotes `'…'`",
  "’": "write straight quotes `'…'`",
};

function unknownCharacter(source: string, at: number): Problem {
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0).toWellFormed();
  const advice = Object.hasOwn(LIKELY, character) ? LIKELY[character] : undefined;
  const shown = /[\u0000-\u001f\u007f-\u009f]/.test(character) ? "a control character" : `\`${character}\``;
  const message = advice === undefined ? `unexpected ${shown}` : `unexpected ${shown}: ${advice}`;
  return { offset: at, length: character.length, message };
}

function token(kind: TokenKind, text: string, start: number): Token {
  return { kind, text, start, end: start + text.length };
}

/** A piece of the user's text, short enough for one line. */
export function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…`.toWellFormed() : text;
}
