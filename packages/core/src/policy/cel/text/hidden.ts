/** Characters that a person does not see, and characters that a program takes for others. */

/** Format and control characters, private and unassigned ones, halves of pairs, and everything that is drawn as nothing. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;
const PLAIN = /^[\t\n\r\x20-\x7e]*$/;
/** Line ends and tabs, and what joins or colours the parts of one emoji, at the one place where it does that. */
const HARMLESS =
  /[\t\n\r]|(?<=[\p{Extended_Pictographic}#*0-9])\ufe0f|(?<=\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d(?=\p{Extended_Pictographic})/gu;

/** True where a text holds what a person does not see: it may say something else than it seems to. */
export function hasInvisible(text: string): boolean {
  return !PLAIN.test(text) && INVISIBLE.test(text.replace(HARMLESS, ""));
}

/** Read as dots by browsers, although they stay themselves in compatibility form or are no single dot there. */
const DOTS = /[\u3002\uff0e\uff61\u2024]/;
const MARKS = /[./\\:@%]/;
/** `…` becomes dots, but no name has two in a row. */
const PROSE = /[\u2025\u2026]/g;

/** A few foreign characters amid what addresses are made of. */
const AMID_ADDRESS = /[A-Za-z0-9./\\:]([^\x00-\x7f]{1,4})(?=[A-Za-z0-9./\\:])/g;

/** The same, where it could be part of an address: `evil。com`, but not the full stop of a Chinese sentence. */
export function hasDisguisedAddress(text: string): boolean {
  if (PLAIN.test(text)) return false;
  for (const [, foreign = ""] of text.matchAll(AMID_ADDRESS)) {
    if (hasDisguisedMark(foreign.replace(PROSE, ""))) return true;
  }
  return false;
}

/** True where a character that is no `. / \ : @ %` becomes one in compatibility form, as some programs do with names. */
export function hasDisguisedMark(text: string): boolean {
  if (PLAIN.test(text)) return false;
  const foreign = text.replace(/[\x00-\x7f]+/g, "");
  return DOTS.test(foreign) || MARKS.test(foreign.normalize("NFKC"));
}
