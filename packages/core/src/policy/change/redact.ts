/** Finds and replaces what must not leave: card numbers, IBANs, the keys of well-known services, and a rule's own pattern. */

import { LIMITS } from "../../limits.ts";
import type { Json } from "../../value/json.ts";
import { isMap } from "../argument-path.ts";
import type { RedactedKind } from "../model.ts";
import type { TextPattern } from "../schema/types.ts";
import { cardsIn } from "./cards.ts";
import { type Found, findAll } from "./find.ts";
import { ibansIn } from "./ibans.ts";
import { secretsIn } from "./secrets.ts";

export interface Redaction {
  readonly kinds: readonly RedactedKind[];
  readonly match: TextPattern | null;
  readonly with: string;
}

/** Too much work, or a text that cannot be handled: the change fails, and with it the call. */
export class RedactionProblem extends Error {
  override readonly name = "RedactionProblem";
}

/** Visits of a pattern's state for one argument. */
const MOST_VISITS = 64 * LIMITS.celSteps;

/**
 * The same value where nothing is found. Texts inside of lists and maps count, also the digits of a number, which then
 * becomes a text. Keys of maps are looked at too: one that would have to be changed is a problem.
 * @throws RedactionProblem
 */
export function redacted(value: Json, how: Redaction): Json {
  if (typeof value === "string") return inText(value, how);
  if (typeof value === "number") {
    const text = String(value);
    const changed = inText(text, how);
    return changed === text ? value : changed;
  }
  if (Array.isArray(value)) {
    const items = value.map((item: Json) => redacted(item, how));
    return items.some((item, index) => item !== value[index]) ? Object.freeze(items) : value;
  }
  if (!isMap(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => {
    if (inText(key, how) !== key) throw new RedactionProblem("a key that would have to be changed");
    return [key, redacted(item, how)] as const;
  });
  return entries.some(([key, item]) => item !== value[key]) ? Object.freeze(Object.fromEntries(entries)) : value;
}

const FINDERS: Readonly<Record<RedactedKind, (text: string) => readonly Found[]>> = {
  card: cardsIn,
  iban: ibansIn,
  secret: secretsIn,
};

function inText(text: string, { kinds, match, with: instead }: Redaction): string {
  const found = kinds.flatMap((kind) => FINDERS[kind](text));
  if (match !== null) {
    const matches = findAll(match.compiled, text, MOST_VISITS);
    if (matches === null) throw new RedactionProblem("the pattern takes too much work on this text");
    found.push(...matches);
  }
  return found.length === 0 ? text : replaced(text, found, instead);
}

/** Pieces that overlap are replaced once. */
function replaced(text: string, found: readonly Found[], instead: string): string {
  let result = "";
  let at = 0;
  for (const { start, end } of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (end <= at) continue;
    if (start >= at) result += text.slice(at, start) + instead;
    at = end;
  }
  return result + text.slice(at);
}
