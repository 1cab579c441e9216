/**
 * Entries as CSV (RFC 4180) for spreadsheets. What others wrote must not become a formula there, and a record is one line
 * (traps.md, 23): cells that would start one get an apostrophe before them, line breaks and invisible characters stand as
 * their escapes.
 */

import type { StoredEntry } from "@saferun/core";
import { readableHeader } from "@saferun/core";
import { iso, partJson } from "@saferun/server/wire";
import { printable, printableJson } from "../output/printable.ts";

const COLUMNS = [
  "entry",
  "time",
  "type",
  "run",
  "step",
  "call",
  "tool",
  "agent",
  "environment",
  "verdict",
  "rules",
  "revision",
  "approval",
  "outcome",
  "writer",
  "content",
] as const;

export const CSV_HEAD = COLUMNS.join(",");

/** One line without its line break; the first cell is the entry's number. */
export function csvLine(entry: Pick<StoredEntry, "seq" | "header" | "parts">): string {
  const header = readableHeader(entry);
  const content = Object.fromEntries(entry.parts.map((part) => [part.name, partJson(part)]));
  const cells =
    header === undefined
      ? ["", "(damaged)", "", "", "", "", "", "", "", "", "", "", "", ""]
      : [
          iso(header.time),
          header.type,
          header.run?.id,
          header.step,
          header.call,
          header.tool,
          header.agent,
          header.environment,
          header.verdict,
          header.rules?.join(" "),
          header.revision,
          header.approval,
          header.outcome,
          header.writer.id,
        ];
  // JSON has escapes of its own: the cell stays JSON.
  const json = entry.parts.length === 0 ? "" : quoted(printableJson(JSON.stringify(content)));
  return [entry.seq, ...cells.map(cell), json].join(",");
}

/** What a spreadsheet takes for the start of a formula, also behind spaces and in its wide form. */
const FORMULA = /^[\s\u3000]*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]/;

function cell(value: string | number | undefined): string {
  if (value === undefined || value === "") return "";
  if (typeof value === "number") return String(value);
  const text = printable(value);
  const plain = FORMULA.test(value) ? `'${text}` : text;
  return quoted(plain);
}

function quoted(text: string): string {
  return /[",]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
