/** The tables that a statement names, by the words before them. A name too many is safe, one too few is not. */
import type { SqlToken } from "./sql-tokens.ts";
import { isWord, PURE, RESERVED } from "./sql-words.ts";

/** A table's name, or a query in parentheses, stands behind these. */
const INTRODUCE: readonly string[] =
  "from join straight_join apply into update table view references truncate using".split(" ");
/** May stand between the two. */
const PASSED: readonly string[] = ["only", "lateral", "if", "not", "exists", "table"];
/** End a list of tables: a comma behind them separates something else. */
const END_LIST: readonly string[] =
  "select where group order having limit offset union intersect except set returning window fetch for values".split(
    " ",
  );
/** Functions in which `from` introduces no table. */
const FROM_INSIDE: readonly string[] = ["extract", "substring", "trim", "overlay", "position"];

/** Sorted, each once, `schema.table` where it is written so; null where a place that needs a name has none. */
export function tablesOf(tokens: readonly SqlToken[]): readonly string[] | null {
  const found = new Set<string>();
  /** Depths at which a comma leads to another table. */
  const listing = new Set<number>();
  const queries = new NamedQueries();
  /** The word before each parenthesis that is open. */
  const callers: string[] = [];
  let expecting = false;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (token === undefined) break;
    queries.pass(tokens, index);
    if (isMark(token, "(")) {
      callers[token.depth + 1] = tokens[index - 1]?.text ?? "";
      // `from (a join b …)` begins with a table, `from (select …)` with none.
      if (expecting && isQuery(tokens[index + 1])) expecting = false;
      if (expecting) listing.add(token.depth + 1);
    } else if (expecting) {
      if (isWord(token, ...PASSED)) continue;
      const name = qualified(tokens, index);
      if (name === null) return null;
      const called = isMark(tokens[name.end], "(") && PURE.has(name.text) && !takesColumns(tokens, index);
      if (!called && !queries.has(name.text)) found.add(name.text);
      expecting = false;
      index = name.end - 1;
    } else if (isMark(token, ",")) {
      expecting = listing.has(token.depth);
    } else if (isMark(token, ")")) {
      listing.delete(token.depth + 1);
    } else {
      if (isWord(token, ...END_LIST)) listing.delete(token.depth);
      expecting = introduces(tokens, index, callers[token.depth] ?? "");
      if (expecting && lists(tokens, index)) listing.add(token.depth);
    }
  }
  return expecting ? null : [...found].sort();
}

function isMark(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === "mark" && token.text === text;
}

function introduces(tokens: readonly SqlToken[], index: number, caller: string): boolean {
  const token = tokens[index];
  const before = tokens[index - 1];
  const after = tokens[index + 1];
  if (!isWord(token, ...INTRODUCE)) return false;
  if (isWord(token, "from")) return !isWord(before, "distinct") && !FROM_INSIDE.includes(caller);
  // `for update`, `on update`, `do update` name no table; `join b using (id)` names columns.
  if (isWord(token, "update")) return !isWord(before, "for", "key", "on", "do") && !isWord(after, "set");
  if (isWord(token, "using")) return !isMark(after, "(") || isQuery(tokens[index + 2]);
  return !(isWord(token, "truncate") && isWord(after, "table"));
}

/** Whether a comma may follow with another table. */
function lists(tokens: readonly SqlToken[], index: number): boolean {
  if (isWord(tokens[index], "table", "view")) return isWord(tokens[0], "drop", "truncate");
  return isWord(tokens[index], "from", "using", "update", "truncate");
}

function isQuery(token: SqlToken | undefined): boolean {
  return isMark(token, "(") || isWord(token, "select", "with", "values");
}

/** `insert into t (a, b)`: columns behind the table, no arguments. */
function takesColumns(tokens: readonly SqlToken[], index: number): boolean {
  let at = index - 1;
  while (isWord(tokens[at], "if", "not", "exists", "only")) at--;
  return isWord(tokens[at], "into", "table", "references", "view");
}

/** `a`, `a.b`, `a.b.c` from here on; `end` is the token behind it. */
function qualified(tokens: readonly SqlToken[], start: number): { text: string; end: number } | null {
  const first = tokens[start];
  if (first?.kind !== "word" || (!first.quoted && RESERVED.has(first.text))) return null;
  let { text } = first;
  let end = start + 1;
  while (isMark(tokens[end], ".")) {
    const part = tokens[end + 1];
    if (part?.kind !== "word") return null;
    text += `.${part.text}`;
    end += 2;
  }
  return { text, end };
}

/** `with name as (…)`: a name stands for its query behind it and inside the same parentheses only. */
class NamedQueries {
  readonly #known: { readonly name: string; readonly depth: number }[] = [];
  readonly #open: { readonly name: string; readonly depth: number }[] = [];
  /** Where the last named query closed: only a comma right behind it leads to another one. */
  #closedAt = -1;

  has(name: string): boolean {
    return this.#known.some((query) => query.name === name);
  }

  pass(tokens: readonly SqlToken[], index: number): void {
    const token = tokens[index];
    if (token?.kind !== "mark") return;
    while ((this.#known.at(-1)?.depth ?? 0) > token.depth) this.#known.pop();
    if (token.text === "(") {
      const name = this.#nameBefore(tokens, index);
      if (name !== null) this.#open.push({ name, depth: token.depth });
    }
    const last = this.#open.at(-1);
    if (token.text === ")" && last?.depth === token.depth) {
      this.#open.pop();
      this.#known.push(last);
      this.#closedAt = index;
    }
  }

  /** The `x` of `with x as (` or `, x (a, b) as not materialized (` whose last parenthesis stands here. */
  #nameBefore(tokens: readonly SqlToken[], open: number): string | null {
    let at = open - 1;
    while (isWord(tokens[at], "materialized", "not")) at--;
    if (!isWord(tokens[at], "as")) return null;
    at--;
    if (isMark(tokens[at], ")")) {
      const depth = tokens[at]?.depth ?? 0;
      at--;
      while (at >= 0 && (tokens[at]?.depth ?? 0) > depth) at--;
      at--;
    }
    const name = tokens[at];
    const follows = isMark(tokens[at - 1], ",") && at - 2 === this.#closedAt;
    return name?.kind === "word" && (follows || isWord(tokens[at - 1], "with", "recursive")) ? name.text : null;
  }
}
