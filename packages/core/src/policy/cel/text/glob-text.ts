import { globMatches } from "../../glob.ts";
import { Fault } from "../issues.ts";
import { hasInvisible } from "./hidden.ts";

const LONGEST_PATTERN = 256;

/** Whether the whole text fits; `*` stands for any characters, everything else for itself. */
export function globText(text: string, pattern: string, offset: number): boolean | Fault {
  if (pattern.length > LONGEST_PATTERN)
    return new Fault(`\`glob\` takes patterns of at most ${LONGEST_PATTERN} characters`, offset);
  if (hasInvisible(text) || text !== text.normalize("NFC")) {
    return new Fault("`glob` of a text with invisible characters, or not in normal form C", offset);
  }
  return globMatches(pattern, text);
}
