/**
 * Text that others wrote, made safe to show: agents, tools and models choose names and arguments, and a terminal obeys
 * escape sequences, moves the cursor, and swaps the direction of text (traps.md, 23 and 27).
 */
const UNSAFE = /\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}|\p{Default_Ignorable_Code_Point}/gu;

/** One line in which every invisible or controlling character stands as its escape. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** The same for a text of several lines: its line breaks stay. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** The same JSON: a control character can stand unescaped in its texts only, and JSON has an escape of its own for it. */
export function printableJson(json: string): string {
  return json.replace(UNSAFE, (character) => (character === "\n" ? "\n" : character.split("").map(escaped).join("")));
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The same, cut to a width; for overviews only, never where somebody decides. */
export function short(text: string, width: number): string {
  const line = printable(text);
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`.toWellFormed();
}
