/** Query text → tokens with their places. */
import { SafeRunError } from "../errors.ts";

/** Where in the query, in UTF-16 code units from 0. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

const OPERATORS = [":", "=", ">", ">=", "<", "<="] as const;
export type Operator = (typeof OPERATORS)[number];

/** A value as it was written; in quotes `*` is a character and a number a text. */
export interface Written {
  readonly text: string;
  readonly quoted: boolean;
  readonly place: Place;
}

export type Token = { readonly place: Place } & (
  | { readonly kind: "open" | "close" | "not" | "or" }
  | { readonly kind: "text"; readonly value: Written }
  | { readonly kind: "term"; readonly name: Written; readonly operator: Operator; readonly value: Written }
);

/** Characters of a query; terms are bounded by it. */
const LONGEST_QUERY = 4_096;
const NAME = /[^\s()":=<>]+/y;
const OPERATOR = /[<>]=|[:=<>]/y;
const BARE = /[^\s()"]+/y;
const SPACE = /\s+/y;

export function queryError(message: string, { start, end }: Place, suggestion?: string): SafeRunError {
  const details = {
    column: start + 1,
    length: Math.max(1, end - start),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
  return new SafeRunError("query.invalid", `query:1:${start + 1}: ${message}`, { details });
}

/** @throws SafeRunError `query.invalid`. */
export function tokensOf(query: string): Token[] {
  if (query.length > LONGEST_QUERY) {
    throw queryError(`a query of more than ${LONGEST_QUERY} characters`, { start: LONGEST_QUERY, end: query.length });
  }
  const tokens: Token[] = [];
  for (let at = skip(query, 0); at < query.length; at = skip(query, tokens.at(-1)?.place.end ?? query.length)) {
    tokens.push(tokenAt(query, at));
  }
  return tokens;
}

function tokenAt(query: string, start: number): Token {
  const place = { start, end: start + 1 };
  switch (query[start]) {
    case "(":
      return { kind: "open", place };
    case ")":
      return { kind: "close", place };
    case "-":
      return { kind: "not", place };
    case '"': {
      const value = quotedAt(query, start);
      return { kind: "text", value, place: value.place };
    }
    default:
      return wordAt(query, start);
  }
}

function wordAt(query: string, start: number): Token {
  const name = match(NAME, query, start);
  if (name === undefined) {
    throw queryError(`\`${query[start] ?? ""}\` without a field before it`, { start, end: start + 1 });
  }
  const end = start + name.length;
  const found = match(OPERATOR, query, end);
  const operator = OPERATORS.find((known) => known === found);
  const written: Written = { text: name, quoted: false, place: { start, end } };
  if (operator !== undefined) {
    const value = valueAt(query, end + operator.length, `${name}${operator}`);
    return { kind: "term", name: written, operator, value, place: { start, end: value.place.end } };
  }
  return name === "OR" ? { kind: "or", place: written.place } : { kind: "text", value: written, place: written.place };
}

function valueAt(query: string, start: number, before: string): Written {
  if (query[start] === '"') return quotedAt(query, start);
  const text = match(BARE, query, start);
  if (text === undefined)
    throw queryError(`\`${before}\` without a value`, { start: start - before.length, end: start });
  return { text, quoted: false, place: { start, end: start + text.length } };
}

/** `\"` and `\\` stand for themselves; any other backslash is one. */
function quotedAt(query: string, start: number): Written {
  let text = "";
  for (let at = start + 1; at < query.length; at++) {
    const next = query[at + 1];
    if (query[at] === '"') return { text, quoted: true, place: { start, end: at + 1 } };
    if (query[at] === "\\" && (next === '"' || next === "\\")) {
      text += next;
      at++;
    } else text += query[at];
  }
  throw queryError("a quote that is not closed", { start, end: query.length });
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function skip(query: string, at: number): number {
  return at + (match(SPACE, query, at)?.length ?? 0);
}
