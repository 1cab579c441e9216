/** Card numbers: 13 to 19 digits, alone or in groups, whose check digit is right (ISO/IEC 7812, Luhn). */
import type { Found } from "./find.ts";

/** Digits with at most one separator between two of them. Nothing in it can match in two ways. */
const RUN = /\d(?:[ \u00a0.\-_/]?\d){12,}/g;
const FEWEST = 13;
const MOST = 19;

export function cardsIn(text: string): readonly Found[] {
  return [...text.matchAll(RUN)].flatMap((run) => inRun(run[0], run.index));
}

/** A number may stand behind others ("tel 555 4111 1111 1111 1111"): it begins and ends where a group does. */
function inRun(run: string, offset: number): readonly Found[] {
  const groups = [...run.matchAll(/\d+/g)].map((group) => ({ start: group.index, digits: group[0] }));
  const found: Found[] = [];
  for (let first = 0; first < groups.length; first++) {
    let digits = "";
    let longest: { readonly last: number; readonly end: number } | undefined;
    for (let last = first; last < groups.length && digits.length <= MOST; last++) {
      const group = groups[last];
      digits += group?.digits ?? "";
      if (digits.length < FEWEST || digits.length > MOST || !/^[2-6]/.test(digits) || !isLuhn(digits)) continue;
      longest = { last, end: (group?.start ?? 0) + (group?.digits.length ?? 0) };
    }
    if (longest === undefined) continue;
    found.push({ start: offset + (groups[first]?.start ?? 0), end: offset + longest.end });
    first = longest.last;
  }
  return found;
}

function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = digit * 2;
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
