/**
 * Query text → what it asks for.
 *
 * `OR` binds weaker than the terms beside it: `a b OR c` is `(a b) OR c`. `-` before a term or a group excludes.
 */
import type { Query } from "./query.ts";
import { termQuery, textQuery } from "./term.ts";
import { type Place, queryError, type Token, tokensOf } from "./token.ts";

/** Groups within groups, and `-` before `-`. */
const DEEPEST = 32;

/**
 * Total but for its own error: any text is a query or a `query.invalid` that says where and why.
 * @param now ms since 1970, for `since:7d`
 * @throws SafeRunError `query.invalid`; `details` holds `column` (from 1), `length` and, where a word is near, `suggestion`.
 */
export function parseQuery(text: string, now: number): Query {
  const tokens = tokensOf(text);
  let at = 0;

  function alternatives(depth: number): Query {
    const found = [terms(depth)];
    while (tokens[at]?.kind === "or") {
      at++;
      found.push(terms(depth));
    }
    return found.length === 1 ? (found[0] ?? ALL) : { kind: "or", of: found };
  }

  function terms(depth: number): Query {
    const found: Query[] = [];
    for (
      let token = tokens[at];
      token !== undefined && token.kind !== "or" && token.kind !== "close";
      token = tokens[at]
    ) {
      found.push(factor(token, depth));
    }
    const [first] = found;
    if (first === undefined) throw nothing(at);
    return found.length === 1 ? first : { kind: "and", of: found };
  }

  function factor(token: Token, depth: number): Query {
    if (depth > DEEPEST) throw queryError(`more than ${DEEPEST} groups within one another`, token.place);
    at++;
    switch (token.kind) {
      case "open": {
        const inner = alternatives(depth + 1);
        if (tokens[at]?.kind !== "close") throw queryError("a `(` that is not closed", token.place);
        at++;
        return inner;
      }
      case "not": {
        const next = tokens[at];
        if (next === undefined || next.place.start !== token.place.end || next.kind === "or" || next.kind === "close") {
          throw queryError("`-` without a term behind it: write `-verdict:allow`, or quote it", token.place);
        }
        return { kind: "not", of: factor(next, depth + 1) };
      }
      case "text":
        return textQuery(token.value);
      case "term":
        return termQuery(token, now);
      case "or":
      case "close":
        throw nothing(at - 1);
    }
  }

  /** Something is missing before the token at `index`, or at the end. */
  function nothing(index: number): Error {
    const place: Place = tokens[index]?.place ?? { start: text.length, end: text.length };
    return queryError(
      tokens[index]?.kind === "close" ? "nothing before `)`" : "`OR` needs a term on both sides",
      place,
    );
  }

  if (tokens.length === 0) return ALL;
  const query = alternatives(0);
  const rest = tokens[at];
  if (rest !== undefined) throw queryError("a `)` without a `(` before it", rest.place);
  return query;
}

const ALL: Query = Object.freeze({ kind: "all" });
