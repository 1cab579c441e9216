/** What may stand next in a query, while somebody types it: fields of the language, values that are known, and names of the record. */
import { FIELD_VALUES, SEARCH_FIELDS, type SearchField } from "./term.ts";

/** Names that the record knows, by the field that finds them. */
export type KnownNames = Readonly<Partial<Record<SearchField, readonly string[]>>>;

export interface Completion {
  /** What is replaced, in UTF-16 code units: `from` inclusive to `to` exclusive. */
  readonly from: number;
  readonly to: number;
  readonly options: readonly CompletionOption[];
}

export interface CompletionOption {
  /** As it stands in the query; a field ends with its operator, so that its value is next. */
  readonly text: string;
  readonly about: string;
  readonly isWhole: boolean;
}

/** What each field finds. */
const ABOUT: Readonly<Record<SearchField, string>> = {
  tool: "what was called; `*` stands for anything",
  verdict: "what the policies said: allow, deny, pause",
  outcome: "how calls ended",
  type: "what kind of entry",
  agent: "who called",
  environment: "where",
  rule: "which rule spoke",
  args: "an argument: args.amount>50000",
  run: "one run, or the beginning of its id",
  since: "no older than 1d, or a date",
  until: "no newer than 1d, or a date",
  call: "one call",
  approval: "one question to a person",
  entry: "the number of an entry",
  step: "the model's turn in its run",
  revision: "under which policies",
  writer: "by which opening of the store",
  part: "entries that hold such a part",
};

const IN_ORDER = Object.keys(ABOUT) as readonly SearchField[];
const TIMES = ["1h", "1d", "7d", "30d"];
/** Of which one compares a number. */
const NUMBERS: readonly string[] = ["entry", "step"];
const MOST = 40;
/** Of a word that may be a name: so many letters of it. */
const LEAST_OF_NAME = 2;

const TERM = /^(-?)([^\s()":=<>]+)([:=])(.*)$/su;

/** Total: any text, any caret. Nothing is offered within a phrase, or where a number has to follow. */
export function completeQuery(query: string, caret: number, known: KnownNames): Completion {
  const start = termStart(query, caret);
  const end = termEnd(query, caret);
  const none: Completion = { from: caret, to: caret, options: [] };
  if (start === undefined) return none;
  const typed = query.slice(start, caret);
  const term = TERM.exec(typed);
  if (term !== null) {
    const [, , name = "", , value = ""] = term;
    const field = SEARCH_FIELDS.find((one) => one === name);
    if (field === undefined) return none;
    const from = caret - value.length;
    return { from, to: end, options: valuesOf(field, value, known) };
  }
  const word = typed.startsWith("-") ? typed.slice(1) : typed;
  if (/["<>=:]/.test(word)) return none;
  return { from: caret - word.length, to: end, options: [...fieldsFor(word), ...namesFor(word, known)].slice(0, MOST) };
}

/** Where the term around the caret begins; undefined within a phrase that belongs to no field. */
function termStart(query: string, caret: number): number | undefined {
  let start = 0;
  let quoted = false;
  for (let at = 0; at < caret; at++) {
    const letter = query[at];
    if (quoted && letter === "\\") at++;
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && (letter === "(" || letter === ")" || /\s/u.test(letter ?? ""))) start = at + 1;
  }
  return quoted && !TERM.test(query.slice(start, caret)) ? undefined : start;
}

function termEnd(query: string, caret: number): number {
  const rest = /^[^\s()"]*/u.exec(query.slice(caret))?.[0] ?? "";
  return caret + rest.length;
}

function fieldsFor(word: string): CompletionOption[] {
  const small = word.toLowerCase();
  return IN_ORDER.filter((field) => field.startsWith(small)).map((field) => ({
    text: field === "args" ? "args." : `${field}${NUMBERS.includes(field) ? ">" : ":"}`,
    about: ABOUT[field],
    isWhole: false,
  }));
}

function valuesOf(field: SearchField, typed: string, known: KnownNames): CompletionOption[] {
  const small = typed.replace(/^"/, "").toLowerCase();
  const own = FIELD_VALUES[field] ?? (field === "since" || field === "until" ? TIMES : []);
  const values = [...new Set([...own, ...(known[field] ?? [])])];
  const fitting = values.filter((value) => value.toLowerCase().includes(small));
  const first = fitting.filter((value) => value.toLowerCase().startsWith(small));
  const others = fitting.filter((value) => !first.includes(value));
  return [...first, ...others].slice(0, MOST).map((value) => ({ text: written(value), about: "", isWhole: true }));
}

/** Names that the word may be the beginning of: who knows the name need not know the field. */
function namesFor(word: string, known: KnownNames): CompletionOption[] {
  if (word.length < LEAST_OF_NAME) return [];
  const small = word.toLowerCase();
  return IN_ORDER.flatMap((field) =>
    (known[field] ?? [])
      .filter((name) => name.toLowerCase().includes(small))
      .map((name) => ({ text: `${field}:${written(name)}`, about: ABOUT[field], isWhole: true })),
  );
}

/** As a value that is read back as itself. */
function written(value: string): string {
  if (/^[^\s()"*\\]+$/u.test(value)) return value;
  return `"${value.replace(/[\\"]/g, (letter) => `\\${letter}`)}"`;
}
