/**
 * Text that others wrote, made safe to show: agents, tools and models choose names and arguments, and terminals and
 * chats obey control characters. What cannot be seen stands as its escape, and nothing is left out (trap 27).
 */
const UNSAFE = /\p{Cc}|\p{Cf}|\p{Cs}|\p{Co}|\p{Cn}|\p{Zl}|\p{Zp}|\p{Default_Ignorable_Code_Point}/gu;

/** One line in which every character can be seen. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** The same, cut to a length; for labels and overviews, never for what somebody decides by. */
export function short(text: string, length: number): string {
  const line = printable(text);
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`.toWellFormed();
}

/** The same JSON: such a character can stand unescaped in its texts only, and JSON has an escape of its own for it. */
export function printableJson(json: string): string {
  return json.replace(UNSAFE, (character) => (character === "\n" ? "\n" : character.split("").map(escaped).join("")));
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
