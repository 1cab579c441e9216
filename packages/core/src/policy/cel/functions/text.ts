/** Functions of text. Positions count code points, as everywhere in CEL. */
import { LIMITS } from "../../../limits.ts";
import { Fault } from "../issues.ts";
import { BOOL, INT, STRING, STRINGS } from "../types.ts";
import { LIST_TOO_LONG, type Outcome, TEXT_TOO_LONG, textFits } from "../values.ts";
import { global, method, type Overload, perItem } from "./overload.ts";
import { findText } from "./text-search.ts";

const SURROGATE = /[\ud800-\udfff]/;

/** Characters of a text: cheap indexing where no character takes two code units. */
function charactersOf(text: string): string | readonly string[] {
  return SURROGATE.test(text) ? Array.from(text) : text;
}

export function characterCount(text: string): number {
  return charactersOf(text).length;
}

function fits(text: string, offset: number): Outcome {
  return textFits(text) ? text : new Fault(TEXT_TOO_LONG, offset);
}

function isBlank(unit: number): boolean {
  if (unit <= 0x20) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  if (unit < 0x1680) return unit === 0x85 || unit === 0xa0;
  if (unit >= 0x2000 && unit <= 0x200a) return true;
  return unit === 0x1680 || unit === 0x2028 || unit === 0x2029 || unit === 0x202f || unit === 0x205f || unit === 0x3000;
}

/** Unicode's White_Space. `String.prototype.trim` differs on U+0085 and U+FEFF. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** `limit` pieces at most, the last one with the rest; negative means all. */
function split(text: string, separator: string, limit: number, offset: number): Outcome {
  if (limit === 0) return [];
  const pieces: string[] = [];
  if (separator === "") {
    const characters = Array.from(charactersOf(text));
    if (limit < 0 || characters.length <= limit) pieces.push(...characters.slice(0, LIMITS.celListItems + 1));
    else pieces.push(...characters.slice(0, limit - 1), characters.slice(limit - 1).join(""));
    return pieces.length > LIMITS.celListItems ? new Fault(LIST_TOO_LONG, offset) : pieces;
  }
  let from = 0;
  while (limit < 0 || pieces.length < limit - 1) {
    const at = findText(text, separator, from);
    if (at < 0) break;
    pieces.push(text.slice(from, at));
    if (pieces.length >= LIMITS.celListItems) return new Fault(LIST_TOO_LONG, offset);
    from = at + separator.length;
  }
  pieces.push(text.slice(from));
  return pieces;
}

/** The first `limit` occurrences; negative means all. An empty `old` stands between all characters. */
function replace(text: string, old: string, by: string, limit: number, offset: number): Outcome {
  if (limit === 0) return text;
  const characters = old === "" ? charactersOf(text) : "";
  let out = "";
  let from = 0;
  for (let count = 0; limit < 0 || count < limit; count++) {
    // Without an `old`, the replacement goes before each character and after the last.
    if (old === "") {
      out += by;
      const character = characters[count];
      if (character === undefined) break;
      out += character;
      from += character.length;
    } else {
      const at = findText(text, old, from);
      if (at < 0) break;
      out += text.slice(from, at) + by;
      from = at + old.length;
    }
    if (out.length > LIMITS.celStringBytes) return new Fault(TEXT_TOO_LONG, offset);
  }
  return fits(out + text.slice(from), offset);
}

function substring(text: string, start: number, end: number | null, offset: number): Outcome {
  const characters = charactersOf(text);
  const stop = end ?? characters.length;
  if (start < 0 || stop > characters.length || start > stop) {
    return new Fault("`substring` outside of the text: compare with `size(…)` first", offset);
  }
  const part = characters.slice(start, stop);
  return typeof part === "string" ? part : part.join("");
}

function characterAt(text: string, position: number, offset: number): Outcome {
  const characters = charactersOf(text);
  if (position < 0 || position > characters.length) {
    return new Fault("`charAt` outside of the text: compare with `size(…)` first", offset);
  }
  return characters[position] ?? "";
}

function indexOf(text: string, part: string, from: number, offset: number): Outcome {
  const characters = charactersOf(text);
  if (from < 0 || from > characters.length) {
    return new Fault("`indexOf` outside of the text: compare with `size(…)` first", offset);
  }
  if (typeof characters === "string") return findText(text, part, from);
  const start = characters.slice(0, from).join("").length;
  const at = findText(text, part, start);
  return at < 0 ? -1 : characterCount(text.slice(0, at));
}

function joinTexts(list: readonly unknown[], separator: string, offset: number): Outcome {
  let out = "";
  for (const [index, item] of list.entries()) {
    if (typeof item !== "string") return new Fault("`join` needs a list of strings", offset);
    out += index === 0 ? item : separator + item;
    if (out.length > LIMITS.celStringBytes) return new Fault(TEXT_TOO_LONG, offset);
  }
  return fits(out, offset);
}

/** With a literal that is a pattern, the compiler does it; this is what is left. */
function noPattern(offset: number): Outcome {
  return new Fault("`matches` needs a literal pattern in RE2 syntax", offset);
}

export const TEXT_FUNCTIONS: readonly Overload[] = [
  method("matches", ["string", "string"], BOOL, (_values, offset) => noPattern(offset)),
  global("matches", ["string", "string"], BOOL, (_values, offset) => noPattern(offset)),
  method("contains", ["string", "string"], BOOL, ([text, part]) => findText(text, part, 0) >= 0),
  method("startsWith", ["string", "string"], BOOL, ([text, part]) => text.startsWith(part)),
  method("endsWith", ["string", "string"], BOOL, ([text, part]) => text.endsWith(part)),
  method("lowerAscii", ["string"], STRING, ([text]) => text.replace(/[A-Z]+/g, (part) => part.toLowerCase())),
  method("upperAscii", ["string"], STRING, ([text]) => text.replace(/[a-z]+/g, (part) => part.toUpperCase())),
  method("trim", ["string"], STRING, ([text]) => trim(text)),
  method("split", ["string", "string"], STRINGS, ([text, by], offset) => split(text, by, -1, offset)),
  method("split", ["string", "string", "int"], STRINGS, ([text, by, limit], offset) =>
    split(text, by, Number(limit), offset),
  ),
  perItem(method("join", ["list"], STRING, ([list], offset) => joinTexts(list, "", offset))),
  perItem(method("join", ["list", "string"], STRING, ([list, by], offset) => joinTexts(list, by, offset))),
  method("replace", ["string", "string", "string"], STRING, ([text, old, by], offset) =>
    replace(text, old, by, -1, offset),
  ),
  method("replace", ["string", "string", "string", "int"], STRING, ([text, old, by, limit], offset) =>
    replace(text, old, by, Number(limit), offset),
  ),
  method("indexOf", ["string", "string"], INT, ([text, part], offset) => indexOf(text, part, 0, offset)),
  method("indexOf", ["string", "string", "int"], INT, ([text, part, from], offset) =>
    indexOf(text, part, Number(from), offset),
  ),
  method("substring", ["string", "int"], STRING, ([text, start], offset) =>
    substring(text, Number(start), null, offset),
  ),
  method("substring", ["string", "int", "int"], STRING, ([text, start, end], offset) =>
    substring(text, Number(start), Number(end), offset),
  ),
  method("charAt", ["string", "int"], STRING, ([text, position], offset) =>
    characterAt(text, Number(position), offset),
  ),
];
