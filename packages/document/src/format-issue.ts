/** An issue for people: place, message, the line, and a caret below it. */
import type { PolicyIssue } from "@saferun/core";

const WIDTH = 160;

/** `text` is the file's text; without it only the first line is given. */
export function formatIssue(issue: PolicyIssue, text?: string): string {
  const { file, line, column, severity, message, code } = issue;
  const head = `${printable(file)}:${line}:${column}: ${severity}: ${message} [${code}]`;
  const source = text
    ?.replace(/^\uFEFF/, "")
    .split("\n")
    [line - 1]?.replace(/\r$/, "");
  if (source === undefined || source.trim() === "") return head;
  // A caret beyond the cut would point at nothing.
  const from = column > WIDTH ? column - 1 - WIDTH / 2 : 0;
  const shown = printable(source.slice(from, from + WIDTH));
  return `${head}\n    ${shown}\n    ${" ".repeat(Math.max(0, column - 1 - from))}^`;
}

/** Text of a file may not move the terminal's cursor. */
function printable(text: string): string {
  return text.replaceAll("\t", " ").replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "�");
}
