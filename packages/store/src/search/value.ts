/**
 * Argument values as rows keep them: numbers as numbers, everything else as a text that begins with its kind. SQLite
 * orders every number before every text, so that a comparison of numbers needs no other column.
 */
import type { ArgumentTest, Pattern } from "@saferun/core";

/** Longer texts are not kept: their items are looked up in the payloads. */
const LONGEST_TEXT = 256;
export const LONG_TEXT = "l";

export function storedValue(value: string | number | boolean | null): string | number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? "t" : "f";
  if (value === null) return "n";
  return value.length <= LONGEST_TEXT ? `s${value}` : LONG_TEXT;
}

/** SQL over the column `value` that holds for what passes the test, and for every text that is too long to say. */
export function valueCondition(test: ArgumentTest): {
  readonly sql: string;
  readonly values: readonly (string | number)[];
} {
  switch (test.kind) {
    case "present":
      return { sql: "1", values: [] };
    case "number":
      return { sql: `value ${test.test.operator} ? AND value < ''`, values: [test.test.value] };
    case "equal":
      return {
        sql: `value IN (${["?", ...test.values.map(() => "?")].join(", ")})`,
        values: [LONG_TEXT, ...test.values.map(storedValue)],
      };
    case "pattern":
      return { sql: "(value GLOB ? OR value = ?)", values: [globOf(test.pattern), LONG_TEXT] };
  }
}

function globOf(pattern: Pattern): string {
  const pieces = "exact" in pattern ? [pattern.exact] : pattern.pieces;
  return `s${pieces.map((piece) => piece.replace(/[*?[]/g, "[$&]")).join("*")}`;
}
