/** What holds between two characters. */
import { isWordCharacter } from "./character-set.ts";
import type { Assertion } from "./syntax.ts";

/** Stands for the character before a text and behind it. */
export const NOTHING = -1;

export function holds(assertion: Assertion, before: number, after: number): boolean {
  switch (assertion) {
    case "text-start":
      return before === NOTHING;
    case "text-end":
      return after === NOTHING;
    case "line-start":
      return before === NOTHING || before === 10;
    case "line-end":
      return after === NOTHING || after === 10;
    case "word-boundary":
      return isWordCharacter(before) !== isWordCharacter(after);
    case "no-word-boundary":
      return isWordCharacter(before) === isWordCharacter(after);
  }
}
