/** What a piece of SQL does, as far as all common dialects agree. What is not fully understood is an error. */
import { Fault } from "../issues.ts";
import type { Outcome } from "../values.ts";
import { tablesOf } from "./sql-tables.ts";
import { type SqlToken, sqlTokens } from "./sql-tokens.ts";
import { COMMANDS, GROUPING, isWord, PURE, RESERVED } from "./sql-words.ts";

const LONGEST = 65_536;

type Kind = "select" | "insert" | "update" | "delete" | "merge" | "ddl" | "other";

interface Statement {
  readonly kind: Kind;
  readonly tables: readonly string[];
  /** A `where` of its own, not one inside of a sub-query. Whether it narrows anything is not said. */
  readonly where: boolean;
}

/** `{kind, statements, tables, where}`; several statements of different kinds are `other`, and `where` holds of all of them. */
export function sql(source: string, offset: number): Outcome {
  const tokens = source.length > LONGEST ? null : sqlTokens(source);
  const plain = tokens?.every((_, index) => joinsNames(tokens, index)) === true;
  const statements = tokens === null || !plain ? [] : statementsOf(tokens).map(statementOf);
  const understood = statements.filter((statement) => statement !== null);
  const [first] = understood;
  if (first === undefined || understood.length < statements.length) {
    return new Fault(
      "`sql` of a text that is not only plain select, insert, update, delete, merge or definitions of tables",
      offset,
    );
  }
  return {
    kind: understood.every(({ kind }) => kind === first.kind) ? first.kind : "other",
    statements: understood.length,
    tables: [...new Set(understood.flatMap(({ tables }) => tables))].sort(),
    where: understood.every(({ where }) => where),
  };
}

/** A point stands between names. Behind a keyword it would begin a number or a name without its table. */
function joinsNames(tokens: readonly SqlToken[], index: number): boolean {
  const token = tokens[index];
  if (token?.kind !== "mark" || token.text !== ".") return true;
  const before = tokens[index - 1];
  const after = tokens[index + 1];
  const named = before?.kind === "word" && (before.quoted || !RESERVED.has(before.text));
  return named && (after?.kind === "word" || after?.text === "*");
}

/** Parts between `;`; one may stand at the end. An empty part elsewhere is kept, and refused. */
function statementsOf(tokens: readonly SqlToken[]): readonly (readonly SqlToken[])[] {
  const parts: SqlToken[][] = [[]];
  for (const token of tokens) {
    if (token.kind === "mark" && token.text === ";") parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts.length > 1 && parts.at(-1)?.length === 0 ? parts.slice(0, -1) : parts;
}

function statementOf(tokens: readonly SqlToken[]): Statement | null {
  const kind = kindOf(tokens);
  const tables = kind === null ? null : tablesOf(tokens);
  if (kind === null || tables === null) return null;
  const outside = tokens.filter((token, index) => token.depth === 0 && tokens[index - 1]?.text !== ".");
  const count = (...words: readonly string[]) => outside.filter((token) => isWord(token, ...words)).length;
  return { kind, tables, where: count("where") > count("union", "intersect", "except") };
}

const VERBS = ["select", "insert", "update", "delete", "merge"] as const;

function kindOf(tokens: readonly SqlToken[]): Kind | null {
  const [first] = tokens;
  if (isWord(first, "create", "alter", "drop", "truncate")) return definition(tokens);
  // Behind named queries stands the verb that counts.
  const at = isWord(first, "with") ? tokens.findIndex((token) => token.depth === 0 && isWord(token, ...VERBS)) : 0;
  const verb = VERBS.find((word) => isWord(tokens[at], word));
  if (verb === undefined) return null;
  const follows = { insert: "into", delete: "from", merge: "into", select: null, update: null }[verb];
  if (follows !== null && !isWord(tokens[at + 1], follows)) return null;
  return tokens.some((_, index) => index !== at && acts(tokens, index, verb)) ? "other" : verb;
}

/** Tables and views; what else can be defined holds code, or names no table. */
function definition(tokens: readonly SqlToken[]): Kind | null {
  if (tokens.slice(1).some((token) => isWord(token, ...VERBS.slice(1), ...BEYOND_TABLES))) return null;
  const object = tokens.find(
    (token) => !isWord(token, "create", "alter", "drop", "or", "replace", "temp", "temporary", "materialized"),
  );
  if (isWord(tokens[0], "truncate") || isWord(object, "table", "view")) return "ddl";
  return null;
}

/** Parts of definitions that name other tables in ways of their own, or hold commands. */
const BEYOND_TABLES =
  "rename like inherits partition attach detach swap exchange clone copy location program trigger execute call do rule policy owner server".split(
    " ",
  );

/** True for a word by which a statement does more than its verb says: a second verb, a lock, a file, an unknown function. */
function acts(tokens: readonly SqlToken[], index: number, verb: string): boolean {
  const token = tokens[index];
  if (token?.kind !== "word") return false;
  const before = tokens[index - 1];
  const after = tokens[index + 1];
  // `merge … when matched then update set …`
  if (verb === "merge" && isWord(before, "then")) return false;
  if (after?.kind === "mark" && after.text === "(" && !isPure(tokens, index)) return true;
  if (token.quoted || before?.text === ".") return false;
  if (isWord(token, "insert", "update", "delete", "merge") || COMMANDS.has(token.text)) return true;
  if (token.text === "select") return token.depth === 0 && verb !== "select" && verb !== "insert";
  if (token.text === "set") return verb !== "update" && verb !== "merge";
  if (token.text === "into") return !isWord(before, verb) || verb === "select";
  return isWord(token, "share", "outfile", "dumpfile", "procedure", "conflict", "duplicate");
}

function isPure(tokens: readonly SqlToken[], index: number): boolean {
  const token = tokens[index];
  if (token === undefined) return false;
  const qualified = tokens[index - 1]?.text === ".";
  if (!token.quoted && !qualified && (PURE.has(token.text) || GROUPING.has(token.text))) return true;
  return namesColumns(tokens, index);
}

/** `insert into a.b (c)`, `with x (a)`, `from t as u (c)`: a list of columns behind a name. */
function namesColumns(tokens: readonly SqlToken[], index: number): boolean {
  let start = index;
  while (tokens[start - 1]?.text === "." && tokens[start - 2]?.kind === "word") start -= 2;
  const before = tokens[start - 1];
  if (isWord(before, "into", "with", "recursive", "references")) return true;
  return isWord(before, "as") && start === index;
}
