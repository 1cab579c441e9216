/** SQL → tokens, where all common dialects agree what they are. */

export interface SqlToken {
  /** `mark` is one character of punctuation or an operator. */
  readonly kind: "word" | "text" | "number" | "parameter" | "mark";
  /** Words in lower case; quoted names without their quotes. */
  readonly text: string;
  /** A quoted name is never a keyword. */
  readonly quoted: boolean;
  /** Parentheses around it. */
  readonly depth: number;
}

const BLANK = /[ \t\n\r]+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
/** A name in quotes that would mean the same without them. */
const QUOTED = /"([a-z_][a-z0-9_]*)"/y;
const TEXT = /'(?:[^'\\]|'')*'/y;
const NUMBER = /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const PARAMETER = /\$\d+|\?|:[A-Za-z_][A-Za-z0-9_]*/y;
const CAST = /::/y;
const MARK = /<=|>=|<>|!=|\|\||[-+*/%=<>(),.;]/y;

const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
const MOST_TOKENS = 20_000;

/** Null for comments, backslashes, other quotes, and everything that dialects read differently. */
export function sqlTokens(source: string): readonly SqlToken[] | null {
  const tokens: SqlToken[] = [];
  if (CONTROL.test(source)) return null;
  let depth = 0;
  for (let at = 0; at < source.length; ) {
    const blank = matchAt(BLANK, source, at);
    if (blank !== null) {
      at += blank.length;
      continue;
    }
    // `--` is a comment or two minus signs, `/*!` a comment or a command.
    if (source.startsWith("--", at) || source.startsWith("/*", at) || tokens.length >= MOST_TOKENS) return null;
    const token = nextToken(source, at);
    if (token === null) return null;
    if (token.text === ")" && token.kind === "mark" && --depth < 0) return null;
    if (token.text === ";" && depth > 0) return null;
    tokens.push({ kind: token.kind, text: token.text, quoted: token.quoted, depth });
    if (token.text === "(" && token.kind === "mark") depth++;
    at = token.end;
  }
  return depth === 0 ? tokens : null;
}

function nextToken(source: string, at: number): (Omit<SqlToken, "depth"> & { end: number }) | null {
  const word = matchAt(WORD, source, at);
  if (word !== null) {
    const end = at + word.length;
    // `E'…'`, `N'…'`, `U&'…'`: texts with rules of their own.
    return source[end] === "'" || source[end] === '"' || (source[end] === "&" && /['"]/.test(source[end + 1] ?? ""))
      ? null
      : { kind: "word", text: word.toLowerCase(), quoted: false, end };
  }
  const quoted = matchAt(QUOTED, source, at);
  if (quoted !== null) return { kind: "word", text: quoted.slice(1, -1), quoted: true, end: at + quoted.length };
  for (const [kind, pattern] of PATTERNS) {
    const text = matchAt(pattern, source, at);
    if (text === null) continue;
    // `1e5x`, `1.into`: glued to what follows, it may be two things.
    const glued = kind !== "mark" && /[A-Za-z0-9_'"$.]/.test(source[at + text.length] ?? "");
    return glued ? null : { kind, text, quoted: false, end: at + text.length };
  }
  return null;
}

const PATTERNS: readonly (readonly [SqlToken["kind"], RegExp])[] = [
  ["text", TEXT],
  ["number", NUMBER],
  ["mark", CAST],
  ["parameter", PARAMETER],
  ["mark", MARK],
];

function matchAt(pattern: RegExp, source: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? null;
}
