/** One term of a query, checked: its field, its operator, its value. */
import { ENTRY_TYPES } from "../log/entry.ts";
import { nearest } from "../policy/nearest.ts";
import { momentOf } from "./moment.ts";
import {
  type ArgumentTest,
  ID_FIELDS,
  NAME_FIELDS,
  type NumberTest,
  type Pattern,
  parseArgumentPath,
  type Query,
} from "./query.ts";
import { type Operator, queryError, type Token, type Written } from "./token.ts";
import { wordsOf } from "./words.ts";

const OTHER_FIELDS = ["step", "entry", "since", "until", "args"] as const;

/** Every name before an operator; `args` with a path behind it. */
export const SEARCH_FIELDS = [...NAME_FIELDS, ...ID_FIELDS, ...OTHER_FIELDS] as const;
export type SearchField = (typeof SEARCH_FIELDS)[number];

const SHORT: Readonly<Record<string, string>> = { env: "environment", rules: "rule" };

/** Fields whose values are known: another one is a mistake and would find nothing. */
export const FIELD_VALUES: Readonly<Record<string, readonly string[]>> = {
  type: ENTRY_TYPES,
  verdict: ["allow", "deny", "pause"],
  outcome: ["succeeded", "failed", "unknown"],
};

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** @throws SafeRunError `query.invalid`. */
export function termQuery(term: Extract<Token, { kind: "term" }>, now: number): Query {
  const { name, operator, value } = term;
  const field = Object.hasOwn(SHORT, name.text) ? (SHORT[name.text] ?? "") : name.text;
  if (value.text === "") throw queryError(`\`${name.text}${operator}\` without a value`, term.place);
  if (field === "args" || field.startsWith("args.")) return argumentQuery(field, term);
  if (field === "step" || field === "entry") return { kind: field, test: numberTest(operator, value, name.text) };
  if (operator !== ":" && operator !== "=") {
    throw known(field)
      ? queryError(`\`${name.text}\` is no number: write \`${name.text}:…\``, term.place)
      : unknownField(name);
  }
  if (field === "since" || field === "until") return timeQuery(field, value, now);
  const nameField = NAME_FIELDS.find((candidate) => candidate === field);
  if (nameField !== undefined) return { kind: "name", field: nameField, pattern: namePattern(field, value) };
  const idField = ID_FIELDS.find((candidate) => candidate === field);
  if (idField !== undefined) return { kind: "id", field: idField, ...idPrefix(name.text, value) };
  throw unknownField(name);
}

/**
 * A word, or the words of a phrase.
 * @throws SafeRunError `query.invalid` for a text without a letter or digit, or with `*` elsewhere than at its end.
 */
export function textQuery(written: Written): Query {
  const prefix = !written.quoted && written.text.endsWith("*");
  const text = prefix ? written.text.slice(0, -1) : written.text;
  if (!written.quoted && text.includes("*")) {
    throw queryError("in a word `*` can only stand at the end: `refund*`", written.place);
  }
  const words = wordsOf(text);
  if (words.length === 0) throw queryError(`\`${written.text}\` has no letter or digit to look for`, written.place);
  if (prefix && /[^\p{L}\p{N}\p{M}]$/u.test(text)) {
    throw queryError("`*` has no word before it: `refund*`", written.place);
  }
  return { kind: "text", words, prefix };
}

function known(field: string): boolean {
  return SEARCH_FIELDS.some((one) => one === field);
}

function unknownField(name: Written): Error {
  const near = nearest(name.text, SEARCH_FIELDS);
  const hint = near === undefined ? "to look for the text itself, put it in quotes" : `did you mean \`${near}\`?`;
  return queryError(`unknown field \`${name.text}\`; ${hint}`, name.place, near);
}

function namePattern(field: string, value: Written): Pattern {
  const pattern = patternOf(value);
  const values = FIELD_VALUES[field];
  if ("exact" in pattern && values !== undefined && !values.includes(value.text)) {
    const near = nearest(value.text, values);
    const hint = near === undefined ? `one of ${values.join(", ")}` : `did you mean \`${near}\`?`;
    throw queryError(`no ${field} is called \`${value.text}\`; ${hint}`, value.place, near);
  }
  return pattern;
}

function patternOf({ text, quoted }: Written): Pattern {
  return quoted || !text.includes("*") ? { exact: text } : { pieces: text.split("*") };
}

function idPrefix(name: string, value: Written): { readonly prefix: boolean; readonly value: string } {
  const prefix = !value.quoted && value.text.endsWith("*");
  const text = prefix ? value.text.slice(0, -1) : value.text;
  if (!value.quoted && text.includes("*")) {
    throw queryError(`in \`${name}\` \`*\` can only stand at the end`, value.place);
  }
  return { prefix, value: text };
}

function numberTest(operator: Operator, value: Written, name: string): NumberTest {
  if (value.quoted || !NUMBER.test(value.text) || !Number.isFinite(Number(value.text))) {
    throw queryError(`\`${name}${operator}\` needs a number, not \`${value.text}\``, value.place);
  }
  return { operator: operator === ":" ? "=" : operator, value: Number(value.text) };
}

function argumentQuery(field: string, { name, operator, value, place }: Extract<Token, { kind: "term" }>): Query {
  const path = parseArgumentPath(field.slice("args.".length));
  if (path === undefined) {
    throw queryError(`\`${name.text}\` is no path: write \`args.amount\`, \`args.lines[].amount\``, place);
  }
  return { kind: "argument", path, test: argumentTest(operator, value, name.text) };
}

function argumentTest(operator: Operator, value: Written, name: string): ArgumentTest {
  if (operator !== ":" && operator !== "=") return { kind: "number", test: numberTest(operator, value, name) };
  const { text, quoted } = value;
  if (quoted) return { kind: "equal", values: [text] };
  if (text === "*") return { kind: "present" };
  if (text.includes("*")) return { kind: "pattern", pattern: patternOf(value) };
  if (text === "true" || text === "false") return { kind: "equal", values: [text === "true", text] };
  if (text === "null") return { kind: "equal", values: [null, text] };
  const number = NUMBER.test(text) && Number.isFinite(Number(text)) ? [Number(text)] : [];
  return { kind: "equal", values: [...number, text] };
}

function timeQuery(field: "since" | "until", value: Written, now: number): Query {
  const moment = momentOf(value.text, now);
  if (moment === undefined) {
    const message = `\`${value.text}\` is no time: write \`7d\`, \`2026-11-22\` or \`2026-11-22T08:40:00Z\``;
    throw queryError(message, value.place);
  }
  return field === "since"
    ? { kind: "time", from: moment, to: Number.POSITIVE_INFINITY }
    : { kind: "time", from: 0, to: moment };
}
