/**
 * Text that others wrote, made safe to show: agents, tools and models choose names and arguments, and a terminal obeys
 * escape sequences, moves the cursor, and swaps the direction of text (traps.md, 23 and 27).
 */
import { printable } from "@saferun/core";

export { printable, printableJson, short } from "@saferun/core";

/** The same for a text of several lines: its line breaks stay. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
