/** A command line → words and operators, for the part of the POSIX shell that has one reading. */

export type ShellToken =
  | {
      readonly kind: "word";
      readonly text: string /** Where a quote or backslash was in it. */;
      readonly quoted: boolean;
    }
  | { readonly kind: "operator"; readonly text: string }
  /** `>`, `>>`, `<` and their like, and the descriptor written before it. */
  | { readonly kind: "redirection"; readonly text: string };

const OPERATORS = /&&|\|\||[;|&\n]/y;
const REDIRECTIONS = /\d{0,3}(?:<>|>>|>\||[<>]&|<|>)|&>>?/y;
/** Characters of an unquoted word that no shell gives a meaning. */
const PLAIN = /[A-Za-z0-9_@%+=:,./~^#-]+/y;

/** Null for everything that a shell would expand, complete, remember, or read in its own way. */
export function shellTokens(line: string): readonly ShellToken[] | null {
  const tokens: ShellToken[] = [];
  for (let at = 0; at < line.length; ) {
    if (line[at] === " " || line[at] === "\t") {
      at++;
      continue;
    }
    const redirection = matchAt(REDIRECTIONS, line, at);
    const operator = redirection === null ? matchAt(OPERATORS, line, at) : null;
    const token = redirection ?? operator;
    if (token !== null) {
      // `<<` begins a text within the text, `|&` and `;;` are not in every shell.
      if (/^(?:<<|\|&|;;|;&)/.test(line.slice(at, at + 2)) || (token.endsWith("<") && line[at + token.length] === "<"))
        return null;
      tokens.push({ kind: redirection === null ? "operator" : "redirection", text: token });
      at += token.length;
      continue;
    }
    const word = readWord(line, at);
    if (word === null) return null;
    tokens.push({ kind: "word", text: word.text, quoted: word.quoted });
    at = word.end;
  }
  return tokens;
}

interface Word {
  readonly text: string;
  readonly quoted: boolean;
  readonly end: number;
}

function readWord(line: string, start: number): Word | null {
  let text = "";
  let quoted = false;
  let at = start;
  for (; at < line.length && !/[ \t\n;|&<>]/.test(line[at] ?? ""); ) {
    const plain = matchAt(PLAIN, line, at);
    if (plain !== null) {
      text += plain;
      at += plain.length;
      continue;
    }
    const part = readQuoted(line, at);
    if (part === null) return null;
    text += part.text;
    quoted = true;
    at = part.end;
  }
  // A comment, somebody's home, another command's path (zsh), an option made of nothing.
  return /^[#~=]/.test(line.slice(start, start + 1)) || /[:=]~/.test(line.slice(start, at))
    ? null
    : { text, quoted, end: at };
}

/** `'…'`, `"…"` or `\x` at this place. */
function readQuoted(line: string, at: number): { text: string; end: number } | null {
  if (line[at] === "'") {
    const end = line.indexOf("'", at + 1);
    return end < 0 ? null : { text: line.slice(at + 1, end), end: end + 1 };
  }
  if (line[at] === '"') return readDoubleQuoted(line, at);
  const escaped = line[at] === "\\" ? (line[at + 1] ?? "") : "";
  return /^[ -/:-@[-`{-~]$/.test(escaped) ? { text: escaped, end: at + 2 } : null;
}

function readDoubleQuoted(line: string, start: number): { text: string; end: number } | null {
  let text = "";
  for (let at = start + 1; at < line.length; at++) {
    const character = line[at] ?? "";
    const next = line[at + 1] ?? "";
    if (character === '"') return { text, end: at + 1 };
    // A `!` before a word is a command out of the history, where a person types.
    if (character === "$" || character === "`" || (character === "!" && /[^\s="!]/.test(next))) return null;
    if (character === "\\") {
      if (next === "\n" || next === "") return null;
      if (/[$`"\\]/.test(next)) {
        text += next;
        at++;
        continue;
      }
    }
    text += character;
  }
  return null;
}

function matchAt(pattern: RegExp, line: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(line)?.[0] ?? null;
}
